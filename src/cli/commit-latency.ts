/** How long commits take, read out of the server's Prometheus metrics. Pure. */

const NAME = 'baton_commit_seconds_bucket';

/** Upper bound of each bucket in seconds, and how many commits took no longer; ascending. */
export type Buckets = readonly (readonly [number, number])[];

export function bucketsIn(metrics: string): Buckets {
  const lines = metrics.matchAll(new RegExp(`^${NAME}\\{le="([^"]+)"\\} (\\S+)$`, 'gm'));
  return [...lines].map(([, bound, count]) => [bound === '+Inf' ? Infinity : Number(bound), Number(count)]);
}

/**
 * The time, ms, within which `share` of the commits between two readings came back: interpolated within its bucket, as
 * Prometheus' histogram_quantile does. Null: there were none.
 */
export function quantile(before: Buckets, after: Buckets, share: number): number | null {
  const counts = after.map(([bound, count], i) => [bound, count - (before[i]?.[1] ?? 0)] as const);
  const total = counts.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  const wanted = total * share;
  const at = counts.findIndex(([, count]) => count >= wanted);
  const [low, fewer] = counts[at - 1] ?? [0, 0];
  const [high, enough] = counts[at] ?? [Infinity, total];
  if (high === Infinity) return low * 1000;
  return 1000 * (low + ((high - low) * (wanted - fewer)) / (enough - fewer));
}
