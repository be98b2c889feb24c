/** Failures and what follows them: a retry with a due time, a follow-up run for what waits, or idle with a reason. */
import { effect } from './announce.ts';
import { type BoundedRetry, notBeforeOf, scheduleBoundedRetry } from './backoff.ts';
import { canTakeRuns, factsOf, policyOf } from './facts.ts';
import { retryReasonOf } from './failure.ts';
import { fallbackMode } from './fallback.ts';
import { type Draft, type IssueState, MAX_WAITING, type Run, runId, toldBy } from './issue-context.ts';
import type { EventOf } from './issue-events.ts';
import { announceQueued, endRun, queueRun, retryOf } from './runs.ts';
import { acceptRetryWake, humanWaits, invocationOf, makeRoom } from './wakes.ts';

export type Failed = EventOf<'RUN.FAILED'> | EventOf<'LEASE.EXPIRED'>;

/** What a failure of the executing run leads to; null: it is permanent. Pure, asked by the guards and by the change. */
export function retryAfter(c: IssueState, event: Failed): BoundedRetry | null {
  const reason = event.type === 'RUN.FAILED' ? retryReasonOf(event) : 'process_lost';
  if (reason === null) return null;
  const facts = factsOf(event.stamp, c.assignee);
  return scheduleBoundedRetry({
    spent: c.attempt,
    policy: policyOf(event.stamp, c.assignee),
    reason,
    at: event.stamp.at,
    u: event.stamp.u,
    retryNotBefore: event.type === 'RUN.FAILED' ? notBeforeOf(event.resultJson) : null,
    fallback: (attempt) => fallbackMode(facts?.adapterType ?? '', reason === 'transient_failure', attempt),
    hurry: humanWaits(c),
  });
}

/** True when a run is to follow because wakes wait and the agent can take it. */
export function followUpWanted(
  c: IssueState,
  event: { stamp: Failed['stamp'] },
  humanOnly: boolean,
): boolean {
  if (c.wakes.length === 0 || (humanOnly && !humanWaits(c))) return false;
  return canTakeRuns(factsOf(event.stamp, c.assignee));
}

/** The run for wakes that waited: it came about as the newest of them. */
export function queueFollowUp(d: Draft, heir: Run | null): void {
  const newest = d.wakes.at(-1);
  queueRun(d, newest ? invocationOf(newest.src) : 'automation', heir);
}

/** Ends the failed run, keeping its error. */
export function failRun(d: Draft, event: Failed): Run {
  const run = d.run as Run;
  const id = runId(d.id, run.n);
  if (event.type === 'LEASE.EXPIRED') {
    const error = 'its worker did not renew the lease';
    d.error = { error, errorCode: 'lease_expired', errorFamily: null, at: d.at };
    effect(d, 'run.lost', { runId: id, agentId: d.assignee, errorCode: 'lease_expired' });
    endRun(d, { status: 'failed', error, errorCode: 'lease_expired' });
  } else {
    const { error, errorCode = null, errorFamily = null } = event;
    d.error = { error, errorCode, errorFamily, at: d.at };
    effect(d, 'run.failed', { runId: id, agentId: d.assignee, error, errorCode, errorFamily });
    endRun(d, { status: 'failed', error, errorCode, resultJson: event.resultJson });
  }
  d.max = policyOf(event.stamp, d.assignee).delaysMs.length;
  return run;
}

/** Ends the failed run and creates the run of its retry, with its wake, waiting for the due time. */
export function scheduleRetry(d: Draft, event: Failed): void {
  const next = retryAfter(d, event);
  if (next?.outcome !== 'scheduled') throw new Error('a retry was scheduled where none is due');
  const failed = failRun(d, event);
  const told = toldBy(failed);
  d.n += 1;
  d.w += 1;
  d.attempt = next.attempt;
  const run: Run = {
    n: d.n,
    attempt: next.attempt,
    src: 'automation',
    at: d.at,
    of: failed.n,
    retry: { due: next.dueAt, reason: next.reason },
    wake: d.w,
    ...(next.codexTransientFallbackMode === null ? {} : { mode: next.codexTransientFallbackMode }),
    ...(next.retryNotBefore === null ? {} : { notBefore: next.retryNotBefore }),
    ...(told.length > 0 ? { told } : {}),
  };
  d.run = run;
  makeRoom(d, MAX_WAITING - 1);
  acceptRetryWake(d, run);
  effect(d, 'retry.scheduled', {
    runId: runId(d.id, run.n),
    agentId: d.assignee,
    retryOfRunId: retryOf(d.id, run),
    attempt: next.attempt,
    maxAttempts: next.maxAttempts,
    reason: next.reason,
    dueAt: next.dueAt,
    retryNotBefore: next.retryNotBefore,
    codexTransientFallbackMode: next.codexTransientFallbackMode,
  });
}

/** Ends the failed run with nothing to follow: permanent, or the budget is spent. */
export function giveUp(d: Draft, event: Failed): void {
  const next = retryAfter(d, event);
  const failed = failRun(d, event);
  d.fell = next === null ? 'failed' : 'retry_exhausted';
  if (next?.outcome === 'retry_exhausted') {
    effect(d, 'retry.exhausted', {
      runId: runId(d.id, failed.n),
      agentId: d.assignee,
      retryReason: next.reason,
      scheduledRetryAttempt: next.maxAttempts,
      maxAttempts: next.maxAttempts,
    });
  }
}

/** The due time that a waiting person makes of a retry: nothing but `retryNotBefore` holds it back. */
export function pulledDue(run: Run, at: number): number {
  return Math.max(at, run.notBefore ?? 0);
}

/** Moves the retry forward to `due`. */
export function moveRetry(d: Draft, due: number, cause: 'human_wake' | 'operator'): void {
  const run = d.run as Run & { retry: NonNullable<Run['retry']> };
  if (due === run.retry.due) return;
  effect(d, 'retry.moved', { runId: runId(d.id, run.n), from: run.retry.due, to: due, cause });
  d.run = { ...run, retry: { ...run.retry, due } };
}

/** The wait is over: the run that was created with the retry becomes queued. */
export function promoteRetry(d: Draft): void {
  const { retry, ...waited } = d.run as Run & { retry: NonNullable<Run['retry']> };
  const run: Run = { queued: d.at, ...waited };
  effect(d, 'retry.due', {
    runId: runId(d.id, run.n),
    agentId: d.assignee,
    attempt: run.attempt,
    reason: retry.reason,
    dueAt: retry.due,
  });
  d.run = run;
  announceQueued(d, run);
}
