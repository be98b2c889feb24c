/** Runs: one attempt each. A current run holds the lock (I1), and is the assignee's (I5). */
import { effect, record } from './announce.ts';
import { contextSnapshot, type Draft, type IssueState, type Run, runId, toldBy } from './issue-context.ts';
import type { Cause, RunStatus, RunView } from './view.ts';
import { deliverWakes, dropRetryWake } from './wakes.ts';

/**
 * Creates the run that waits for a slot of the assignee. `heir`: the run it replaces or follows, whose worker's
 * knowledge it inherits; the Codex mode and `retryNotBefore` go with it only while the attempt is the same one.
 */
export function queueRun(d: Draft, src: Run['src'], heir: Run | null): void {
  d.n += 1;
  const told = heir ? toldBy(heir) : [];
  const sameAttempt = heir !== null && heir.attempt === d.attempt;
  const run: Run = {
    n: d.n,
    attempt: d.attempt,
    src,
    at: d.at,
    queued: d.at,
    ...(told.length > 0 ? { told } : {}),
    ...(sameAttempt && heir.mode !== undefined ? { mode: heir.mode } : {}),
    ...(sameAttempt && heir.notBefore !== undefined ? { notBefore: heir.notBefore } : {}),
  };
  d.run = run;
  d.fell = null;
  announceQueued(d, run);
}

export function announceQueued(d: Draft, run: Run): void {
  effect(d, 'run.queued', {
    runId: runId(d.id, run.n),
    agentId: d.assignee,
    attempt: run.attempt,
    retryOfRunId: retryOf(d.id, run),
    invocationSource: run.src,
  });
}

/** The grant: the fence rises, the run gets all that waits. */
export function startRun(d: Draft, claim: string, leaseMs: number): void {
  const waited = withoutWake(d.run as Run);
  const wakes = deliverWakes(d, d.run as Run);
  // New keys stand before a spread, here and elsewhere in this room: after it they cost V8 a microsecond each.
  const run: Run =
    wakes.length > 0
      ? { start: d.at, lease: leaseMs, claim, wakes, ...waited }
      : { start: d.at, lease: leaseMs, claim, ...waited };
  d.run = run;
  d.fence += 1;
  const id = runId(d.id, run.n);
  effect(d, 'run.started', { runId: id, agentId: d.assignee, fence: d.fence, attempt: run.attempt });
  effect(d, 'lock.acquired', { runId: id, agentId: d.assignee, mode: 'executing', fence: d.fence });
}

/** The run whose own wake has been delivered. */
function withoutWake(run: Run): Run {
  if (run.wake === undefined) return run;
  const { wake: _, ...rest } = run;
  return rest;
}

export interface Ending {
  readonly status: 'succeeded' | 'failed' | 'cancelled' | 'timed_out';
  readonly error?: string | null | undefined;
  readonly errorCode?: string | null | undefined;
  readonly resultJson?: unknown;
}

/** Records the run as ended and releases the lock; the fence rises when it had authority. */
export function endRun(d: Draft, ending: Ending): void {
  const run = d.run as Run;
  recordRun(d, run, d.assignee as string, d.fence, ending);
  releaseLock(d);
}

/** Leaves the state that is the lock. Whoever had authority has none from here on: a write with its fence is refused. */
export function releaseLock(d: Draft): void {
  const run = d.run as Run;
  const executing = run.start !== undefined;
  effect(d, 'lock.released', {
    runId: runId(d.id, run.n),
    agentId: d.assignee,
    mode: executing ? 'executing' : 'reserved',
    fence: d.fence,
  });
  d.run = null;
  if (executing) d.fence += 1;
}

/**
 * Cancels the current run, whichever way it waits; a retry's own wake ends with it.
 * @param next the agent whose turn it is from here on, for the journal's `retry.cancelled`.
 */
export function cancelRun(d: Draft, cause: Cause, next: string | null): void {
  const run = d.run as Run;
  const id = runId(d.id, run.n);
  if (run.retry) {
    effect(d, 'retry.cancelled', {
      previousAgentId: d.assignee,
      currentAgentId: next,
      scheduledRetryAttempt: run.attempt,
      scheduledRetryAt: run.retry.due,
      scheduledRetryReason: run.retry.reason,
      runId: id,
      cause,
    });
  }
  effect(d, 'run.cancelled', { runId: id, agentId: d.assignee, errorCode: cause });
  endRun(d, { status: 'cancelled', errorCode: cause });
  dropRetryWake(d, run, cause);
}

/** Stores an ended run. @param fence the one it was granted with. */
export function recordRun(d: Draft, run: Run, agentId: string, fence: number, ending: Ending): void {
  record(d, 'run', runId(d.id, run.n), {
    ...runView(d, run, agentId, fence, ending.status),
    error: ending.error ?? null,
    errorCode: ending.errorCode ?? null,
    finishedAt: d.at,
    resultJson: ending.resultJson ?? null,
  });
}

/** A run as the wire shows it, not ended. */
export function runView(c: IssueState, run: Run, agentId: string, fence: number, status: RunStatus): RunView {
  return {
    id: runId(c.id, run.n),
    issueId: c.id,
    agentId,
    status,
    attempt: run.attempt,
    retryOfRunId: retryOf(c.id, run),
    invocationSource: run.src,
    fence: run.start === undefined ? null : fence,
    error: null,
    errorCode: null,
    createdAt: run.at,
    startedAt: run.start ?? null,
    finishedAt: null,
    contextSnapshot: contextSnapshot(c.id, run),
    resultJson: null,
  };
}

/** The status of a run that has not ended. */
export function liveStatus(run: Run): RunStatus {
  if (run.retry) return 'scheduled_retry';
  return run.start === undefined ? 'queued' : 'running';
}

export function retryOf(issueId: string, run: Run): string | null {
  return run.of === undefined ? null : runId(issueId, run.of);
}
