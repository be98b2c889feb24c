/** Order statistics. Medians, not means: one checkpoint in one round must not decide a figure. */

/** The `q`th quantile (0..1) by nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))]!;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Rounded to `digits` decimals: for what is printed. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
