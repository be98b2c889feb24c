/**
 * Which issues wait longer than they should, and since when: the one answer of the dashboard and of `baton stuck`. Pure.
 *
 * - At once: what only a person can move, the agent that is paused or has no worker among it.
 * - After the patience: waits that are usual, for a slot or for an old run that may go on as long as it lives.
 * - When it is overdue: what has a time at which it should have gone on.
 */
import type { IssueView, WhyCode } from '../machines/view.ts';

export interface Stuck {
  readonly reason: WhyCode;
  /** Epoch ms. */
  readonly since: number;
}

/** How long a usual wait may last, ms. */
export const PATIENCE_MS = 10 * 60_000;
/** A retry or a lease fires within milliseconds of its time: later than this, something is wrong. */
const OVERDUE_MS = 5000;

/** States in which an issue can wait at all. */
export const WAITING_STATES = ['idle', 'running', 'scheduled-retry'] as const;

/**
 * @param now the server's clock, epoch ms.
 * @param options.reason why it waits, where that is known better than the view does: a view is as of its version, and its
 * agent may have been paused since.
 */
export function stuckSince(
  issue: IssueView,
  now: number,
  { reason = issue.why.code, patienceMs = PATIENCE_MS }: { reason?: WhyCode; patienceMs?: number } = {},
): Stuck | null {
  const waits = waitOf(issue, reason, patienceMs);
  return waits === null || now - waits.since < waits.ms ? null : { reason, since: waits.since };
}

/** Since when it waits, and how long it may; null: it waits for nothing. */
function waitOf(issue: IssueView, reason: WhyCode, patienceMs: number): { since: number; ms: number } | null {
  const { lock, wakes, nextAt, lastError, updatedAt } = issue;
  const queuedAt = lock?.lockedAt ?? updatedAt;
  switch (reason) {
    case 'quarantined':
    case 'agent_terminated':
    case 'parked':
      return { since: updatedAt, ms: 0 };
    case 'failed':
    case 'retry_exhausted':
      return { since: lastError?.at ?? updatedAt, ms: 0 };
    case 'unassigned':
      // Nobody is assigned and nobody asked for anything: that is a backlog, not something that waits.
      return wakes.length === 0 ? null : { since: updatedAt, ms: 0 };
    case 'agent_offline':
    case 'agent_paused':
      return { since: queuedAt, ms: 0 };
    case 'waiting_for_slot':
      return { since: queuedAt, ms: patienceMs };
    case 'stopping':
      return nextAt === null ? { since: updatedAt, ms: patienceMs } : { since: nextAt, ms: OVERDUE_MS };
    case 'backoff':
    case 'executing':
      return nextAt === null ? null : { since: nextAt, ms: OVERDUE_MS };
    case 'no_work':
    case 'done':
    case 'cancelled':
      return null;
  }
}
