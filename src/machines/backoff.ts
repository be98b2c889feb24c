/**
 * When a failed run is tried again (domain.md section 3): one ladder and one budget per issue, whatever the reason.
 */
import type { Policy } from './facts.ts';
import { timeOf } from './iso.ts';
import type { FallbackMode } from './view.ts';

export type RetryReason = 'transient_failure' | 'process_lost';

/** No jitter takes a delay below this, unless the ladder itself does, ms. */
const SHORTEST_DELAY_MS = 1000;

/**
 * A base delay, jittered.
 * @param base ms. @param ratio 0..1. @param u uniform in [0, 1]; 0.5 gives the base exactly.
 * @returns whole ms in `[base · (1 − ratio), base · (1 + ratio)]`, at least `min(1000, base)`.
 */
export function jittered(base: number, ratio: number, u: number): number {
  return Math.max(Math.min(SHORTEST_DELAY_MS, base), Math.round(base * (1 + (2 * u - 1) * ratio)));
}

/** The time before which a failing run says it is useless to try again, epoch ms; null when it says none that parses. */
export function notBeforeOf(resultJson: unknown): number | null {
  if (typeof resultJson !== 'object' || resultJson === null || Array.isArray(resultJson)) return null;
  const given = resultJson as { retryNotBefore?: unknown; transientRetryNotBefore?: unknown };
  return timeOf(given.retryNotBefore) ?? timeOf(given.transientRetryNotBefore);
}

export type BoundedRetry =
  | {
      readonly outcome: 'scheduled';
      readonly attempt: number;
      readonly maxAttempts: number;
      readonly reason: RetryReason;
      readonly dueAt: number;
      readonly retryNotBefore: number | null;
      readonly codexTransientFallbackMode: FallbackMode | null;
    }
  | {
      readonly outcome: 'retry_exhausted';
      readonly attempt: number;
      readonly maxAttempts: number;
      readonly reason: RetryReason;
    };

/**
 * The next attempt of an issue that has `spent` of its budget.
 * @param at epoch ms. @param hurry a person is waiting: no ladder, only `retryNotBefore` holds it back.
 * @returns `dueAt` = the later of the ladder's time and `retryNotBefore`, which can only push later.
 */
export function scheduleBoundedRetry(asked: {
  spent: number;
  policy: Policy;
  reason: RetryReason;
  at: number;
  u: number;
  retryNotBefore: number | null;
  fallback: (attempt: number) => FallbackMode | null;
  hurry: boolean;
}): BoundedRetry {
  const { policy, reason, at, retryNotBefore } = asked;
  const maxAttempts = policy.delaysMs.length;
  const attempt = asked.spent + 1;
  const base = policy.delaysMs[asked.spent];
  if (base === undefined) {
    return { outcome: 'retry_exhausted', attempt: maxAttempts + 1, maxAttempts, reason };
  }
  const ladder = asked.hurry ? at : at + jittered(base, policy.jitter, asked.u);
  return {
    outcome: 'scheduled',
    attempt,
    maxAttempts,
    reason,
    dueAt: Math.max(ladder, retryNotBefore ?? 0),
    retryNotBefore,
    codexTransientFallbackMode: asked.fallback(attempt),
  };
}
