/**
 * The detached run: without authority, but its worker may still live. It keeps its agent's slot and nothing of the
 * issue is granted meanwhile. Either it was told to stop (`until` is set, and the machine's delayed STOPPED ends it),
 * or the issue was set done and it is left to finish (no `until`: only its lease or its own word ends it).
 */
import { effect, notifyStop } from './announce.ts';
import { type Detached, type Draft, type Run, runId } from './issue-context.ts';
import type { EventOf, StoppedHow } from './issue-events.ts';
import { type Ending, endRun, recordRun, releaseLock } from './runs.ts';
import type { Cause } from './view.ts';

/** Takes the authority of the executing run and tells its worker to stop within `graceMs`. Its run has ended. */
export function detachRun(d: Draft, cause: Cause, graceMs: number): void {
  const run = d.run as Run;
  const detached: Detached = { n: run.n, agent: d.assignee as string, fence: d.fence, cause };
  effect(d, 'run.cancelled', { runId: runId(d.id, run.n), agentId: d.assignee, errorCode: cause });
  endRun(d, { status: 'cancelled', errorCode: cause });
  tellToStop(d, detached, graceMs);
}

/** Takes the authority of the executing run and leaves it to finish: the issue is done, its work is not thrown away. */
export function leaveToFinish(d: Draft): void {
  const run = d.run as Run;
  d.detached = { n: run.n, agent: d.assignee as string, fence: d.fence, cause: 'issue_done', run };
  releaseLock(d);
}

/** Tells a detached run's worker to stop; it is given up after `graceMs`. */
export function tellToStop(d: Draft, detached: Detached, graceMs: number): void {
  d.detached = { until: d.at + graceMs, grace: graceMs, ...detached };
  notifyStop(d, stopOf(d.id, d.detached));
}

/** What a worker is told of a detached run that must stop. */
export function stopOf(issueId: string, detached: Detached) {
  return {
    runId: runId(issueId, detached.n),
    agentId: detached.agent,
    fence: detached.fence,
    cause: detached.cause,
    graceMs: detached.grace ?? 0,
  };
}

/** True for a run that was left to finish and has not been told to stop: what it says still counts. */
export function isLeft(detached: Detached | null): boolean {
  return detached !== null && detached.until === undefined;
}

/** The detached run is over: its slot is free with this commit. */
export function endDetached(d: Draft, event: EventOf<'STOPPED'>): void {
  const detached = d.detached as Detached;
  if (detached.run) endLeft(d, detached, detached.run, endingOf(event), event.how);
  finish(d, detached, event.how);
}

/** Ends the detached run at once, whatever its worker does: an operator said so. */
export function releaseDetached(d: Draft): void {
  const detached = d.detached as Detached;
  if (detached.run) {
    endLeft(d, detached, detached.run, { status: 'cancelled', errorCode: 'operator' }, 'stopped');
  }
  notifyStop(d, { ...stopOf(d.id, detached), cause: 'operator', graceMs: 0 });
  finish(d, detached, 'released');
}

/** The worker of an executing run that an operator released learns that nothing waits for it. */
export function notifyReleased(d: Draft, of: { runId: string; agentId: string; fence: number }): void {
  notifyStop(d, { ...of, cause: 'operator', graceMs: 0 });
}

function finish(d: Draft, detached: Detached, how: StoppedHow | 'released'): void {
  effect(d, 'run.stopped', { runId: runId(d.id, detached.n), agentId: detached.agent, how });
  d.detached = null;
}

function endLeft(d: Draft, detached: Detached, run: Run, ending: Ending, how: StoppedHow): void {
  const data = { runId: runId(d.id, run.n), agentId: detached.agent };
  if (ending.status === 'succeeded') effect(d, 'run.succeeded', { ...data, resolution: null });
  else if (ending.status === 'cancelled')
    effect(d, 'run.cancelled', { ...data, errorCode: ending.errorCode });
  else {
    effect(d, how === 'lease' ? 'run.lost' : 'run.failed', {
      ...data,
      error: ending.error ?? null,
      errorCode: ending.errorCode ?? null,
    });
  }
  recordRun(d, run, detached.agent, detached.fence, ending);
}

/** How the run of a detached worker that was left to finish ends. */
function endingOf(event: EventOf<'STOPPED'>): Ending {
  switch (event.how) {
    case 'succeeded':
      return { status: 'succeeded', resultJson: event.resultJson };
    case 'failed':
      return {
        status: 'failed',
        error: event.error,
        errorCode: event.errorCode ?? event.errorFamily,
        resultJson: event.resultJson,
      };
    case 'lease':
      return { status: 'timed_out', error: 'its worker fell silent', errorCode: 'lease_expired' };
    case 'stopped':
    case 'refused':
    case 'grace':
      return { status: 'cancelled', errorCode: 'issue_done' };
  }
}
