/** An issue as the wire shows it (protocol.md section 5), from its state, its head and what the runtime knows. */
import {
  contextSnapshot,
  type IssueHead,
  type IssueState,
  leafOf,
  runId,
  waitingWakes,
  wakeView,
} from './issue-context.ts';
import type { Persisted, Runtime } from './kind.ts';
import { liveStatus, retryOf, runView } from './runs.ts';
import type { GrantView, IssueState as IssueStateName, IssueView, Lock, RunView, Substate } from './view.ts';
import { PRIORITIES } from './view.ts';
import { nextOf, whyOf } from './why.ts';

/** Who holds the issue: what the state says, for as long as it says so (I1). */
export function lockOf(c: IssueState): Lock | null {
  const { run, assignee } = c;
  if (!run || assignee === null) return null;
  return {
    runId: runId(c.id, run.n),
    agentId: assignee,
    mode: run.start === undefined ? 'reserved' : 'executing',
    fence: c.fence,
    lockedAt: run.start ?? run.at,
  };
}

export function detachedView(c: IssueState): IssueView['detached'] {
  const { detached } = c;
  if (!detached) return null;
  return {
    runId: runId(c.id, detached.n),
    agentId: detached.agent,
    fence: detached.fence,
    cause: detached.cause,
    until: detached.until ?? null,
  };
}

export function issueView(s: Persisted<IssueState>, head: IssueHead, r: Runtime): IssueView {
  const c = s.context;
  const [state, substate = null] = leafOf(s.value).split('.') as [IssueStateName, Substate?];
  const next = nextOf(s, r);
  return {
    id: c.id,
    companyId: r.companyId,
    identifier: head.identifier,
    title: head.title,
    priority: PRIORITIES[c.priority] ?? 'medium',
    state,
    substate,
    assigneeAgentId: c.assignee,
    version: r.version,
    fence: c.fence,
    attempt: c.attempt,
    maxAttempts: c.max,
    lock: lockOf(c),
    detached: detachedView(c),
    run: currentRun(c, r),
    retry: retryView(c),
    wakes: waitingWakes(c).map((wake) => wakeView(c.id, wake)),
    why: whyOf(s, r),
    nextEvent: next.event,
    nextAt: next.at,
    lastError: c.error,
    context: head.context,
    createdAt: head.createdAt,
    updatedAt: c.at,
  };
}

function currentRun(c: IssueState, r: Runtime): IssueView['run'] {
  const { run, assignee } = c;
  if (!run || assignee === null) return null;
  const executing = run.start !== undefined;
  return {
    id: runId(c.id, run.n),
    agentId: assignee,
    status: liveStatus(run),
    attempt: run.attempt,
    retryOfRunId: retryOf(c.id, run),
    startedAt: run.start ?? null,
    leaseUntil: executing ? r.leaseUntil : null,
    progress: executing ? r.progress : null,
    note: executing ? r.note : null,
  };
}

function retryView(c: IssueState): IssueView['retry'] {
  const { run } = c;
  if (!run?.retry || run.of === undefined) return null;
  return {
    attempt: run.attempt,
    maxAttempts: c.max,
    reason: run.retry.reason,
    dueAt: run.retry.due,
    retryNotBefore: run.notBefore ?? null,
    codexTransientFallbackMode: run.mode ?? null,
    ofRunId: runId(c.id, run.of),
  };
}

/** The runs that have no record yet: the current one, and one that is left to finish. */
export function liveRuns(c: IssueState): RunView[] {
  const live: RunView[] = [];
  const { run, detached, assignee } = c;
  if (detached?.run) live.push(runView(c, detached.run, detached.agent, detached.fence, 'running'));
  if (run && assignee !== null) live.push(runView(c, run, assignee, c.fence, liveStatus(run)));
  return live;
}

/** What a claim is answered with; null unless a worker holds the fence. */
export function grantView(s: Persisted<IssueState>, head: IssueHead, r: Runtime): GrantView | null {
  const c = s.context;
  const { run, assignee } = c;
  if (run?.start === undefined || assignee === null) return null;
  return {
    issue: issueView(s, head, r),
    run: runView(c, run, assignee, c.fence, 'running'),
    fence: c.fence,
    leaseMs: run.lease ?? 0,
    wakes: (run.wakes ?? []).map((wake) => wakeView(c.id, wake)),
    contextSnapshot: contextSnapshot(c.id, run),
  };
}
