/**
 * What a transition announces, by the names of protocol.md section 5. The place of a name in a journal row is fixed
 * here, once: 0 what ends, 1 what changes, 2 what begins; `step()` sorts by it and keeps the order within.
 */
import type { Draft } from './issue-context.ts';
import type { Out } from './kind.ts';

export const ISSUE_EFFECTS = {
  'retry.due': 0,
  'retry.cancelled': 0,
  'retry.exhausted': 0,
  'retry.moved': 0,
  'run.succeeded': 0,
  'run.failed': 0,
  'run.cancelled': 0,
  'run.lost': 0,
  'run.stopped': 0,
  'lock.released': 0,
  'stop.sent': 0,
  'wake.dropped': 0,
  'issue.assigned': 1,
  'issue.reopened': 1,
  'issue.edited': 1,
  'comment.added': 1,
  'wake.accepted': 1,
  'wake.coalesced': 1,
  'retry.scheduled': 2,
  'run.queued': 2,
  'wake.delivered': 2,
  'run.started': 2,
  'lock.acquired': 2,
} as const satisfies Record<string, 0 | 1 | 2>;
export type IssueEffect = keyof typeof ISSUE_EFFECTS;

/** Adds a line to the journal row. */
export function effect(d: Draft, type: IssueEffect, data: Record<string, unknown>): void {
  d.out.push({ out: 'effect', phase: ISSUE_EFFECTS[type], type, data });
}

/** Stores something finished, once. */
export function record(d: Draft, kind: 'run' | 'comment', id: string, value: object): void {
  d.out.push({ out: 'record', kind, id, record: value as Record<string, unknown> });
}

/** Changes the head. */
export function head(d: Draft, patch: Record<string, unknown>): void {
  d.out.push({ out: 'head', patch });
}

/** Tells the worker that holds, or held, the grant of `runId` to end it within `graceMs`. */
export function stopFrame(stop: { runId: string; fence: number; cause: string; graceMs: number }) {
  return { t: 'stop', runId: stop.runId, fence: stop.fence, cause: stop.cause, graceMs: stop.graceMs };
}
export function notifyStop(
  d: Draft,
  stop: { runId: string; agentId: string; fence: number; cause: string; graceMs: number },
): void {
  effect(d, 'stop.sent', stop);
  const frame: Out = { out: 'notify', runId: stop.runId, frame: stopFrame(stop) };
  d.out.push(frame);
}
