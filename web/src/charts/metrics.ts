/**
 * The quantiles of a histogram between two scrapes of `/metrics`, so that a chart shows how long commits took in the last
 * seconds and not since the server started. Pure.
 */

/** Upper bounds in seconds (the last is infinite) and how many observations were at most that, since the start. */
export interface Histogram {
  bounds: readonly number[];
  counts: readonly number[];
}

/** Reads `name_bucket{le="…"} n` lines of Prometheus' text; null when there are none. */
export function histogramOf(text: string, name: string): Histogram | null {
  const found = [...text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\S+)`, 'gm'))].map(
    ([, le, n]) => ({ bound: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: Number(n) }),
  );
  if (found.length === 0) return null;
  found.sort((a, b) => a.bound - b.bound);
  return { bounds: found.map(({ bound }) => bound), counts: found.map(({ count }) => count) };
}

/**
 * The `q` quantile in milliseconds of what was observed between two scrapes, by linear interpolation within its bucket
 * as Prometheus does; null when nothing was, or the server was restarted in between.
 */
export function quantileMs(before: Histogram, after: Histogram, q: number): number | null {
  const counts = after.counts.map((n, i) => n - (before.counts[i] ?? 0));
  const total = counts.at(-1) ?? 0;
  if (total <= 0 || counts.some((n) => n < 0)) return null;
  const rank = q * total;
  const at = counts.findIndex((n) => n >= rank);
  const upper = after.bounds[at] ?? Number.POSITIVE_INFINITY;
  const lower = at === 0 ? 0 : (after.bounds[at - 1] as number);
  // Beyond the last bound nothing more is known than that it is beyond.
  if (upper === Number.POSITIVE_INFINITY) return lower * 1000;
  const below = at === 0 ? 0 : (counts[at - 1] as number);
  const within = (counts[at] as number) - below;
  return (lower + (within === 0 ? 1 : (rank - below) / within) * (upper - lower)) * 1000;
}

/** How many of `dues` fall into each of the next `minutes`; what is overdue counts to the first. */
export function perMinute(dues: readonly (number | null)[], now: number, minutes: number): number[] {
  const bins = new Array<number>(minutes).fill(0);
  for (const due of dues) {
    if (due === null) continue;
    const minute = Math.max(0, Math.floor((due - now) / 60_000));
    if (minute < minutes) bins[minute] = (bins[minute] as number) + 1;
  }
  return bins;
}
