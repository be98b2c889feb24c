/**
 * Which issues wait longer than they should, and since when. What only a person can move is stuck at once; what waits for
 * a slot or a worker is so after a while that is normal. Pure; the dashboard's and the command line's one answer.
 */
import type { IssueView, WhyCode } from '../machines/view.ts';

export interface Stuck {
  readonly reason: WhyCode;
  /** Epoch ms. */
  readonly since: number;
}

const MINUTE = 60_000;
/** How long each kind of waiting may last before it is too long, ms. Absent: it is never stuck. */
export const PATIENCE_MS: Readonly<Partial<Record<WhyCode, number>>> = {
  quarantined: 0,
  failed: 0,
  retry_exhausted: 0,
  agent_terminated: 0,
  agent_offline: MINUTE,
  agent_paused: MINUTE,
  parked: 10 * MINUTE,
  unassigned: 10 * MINUTE,
  waiting_for_slot: 10 * MINUTE,
  /** After the time by which the old run must have ended. */
  stopping: 5000,
  /** After the due time. */
  backoff: 5000,
};

/** States in which an issue can wait at all. */
export const WAITING_STATES = ['idle', 'running', 'scheduled-retry'] as const;

/**
 * @param now the server's clock, epoch ms.
 * @param reason why it waits, where that is known better than the view does: a view is as of its version, and its agent
 * may have been paused since.
 */
export function stuckSince(issue: IssueView, now: number, reason: WhyCode = issue.why.code): Stuck | null {
  const patienceMs = PATIENCE_MS[reason];
  // Nobody is assigned and nobody asked for anything: that is a backlog, not something that waits.
  if (patienceMs === undefined || (reason === 'unassigned' && issue.wakes.length === 0)) return null;
  const since = waitsSince(issue, reason);
  return since === null || now - since < patienceMs ? null : { reason, since };
}

function waitsSince(
  { lock, wakes, nextAt, lastError, updatedAt }: IssueView,
  reason: WhyCode,
): number | null {
  switch (reason) {
    case 'backoff':
    case 'stopping':
      return nextAt;
    case 'failed':
    case 'retry_exhausted':
      return lastError?.at ?? updatedAt;
    case 'parked':
    case 'unassigned':
      return Math.min(updatedAt, ...wakes.map((wake) => wake.at));
    default:
      return lock?.lockedAt ?? updatedAt;
  }
}
