/**
 * The issue machine's named actions as functions on a draft of the context, and its guards: one line of the table in
 * domain.md section 2 reads as a guard, a target and one to three of these. They are pure; what they know besides the
 * context is in the event's stamp.
 */
import { effect, head, record } from './announce.ts';
import * as detached from './detached.ts';
import { canTakeRuns, factsOf, policyOf } from './facts.ts';
import type { IssueContext, IssueState } from './issue-context.ts';
import { type Detached, type Draft, type Run, runId } from './issue-context.ts';
import { causeOf, type EventOf, type IssueMachineEvent } from './issue-events.ts';
import * as retry from './retry.ts';
import * as runs from './runs.ts';
import { PRIORITIES } from './view.ts';
import { acceptWake, askedBy, dropMachineWakes, humanWaits, refuseWake } from './wakes.ts';

type Failed = retry.Failed;

/**
 * A draft of the context for the change that `event` makes. Written out key by key – the compiler sees to it that none
 * is forgotten – because a spread followed by a new key costs V8 a microsecond, and this runs on every action.
 */
export function draftOf(c: IssueContext, event: IssueMachineEvent): Draft {
  return {
    id: c.id,
    n: c.n,
    w: c.w,
    fence: c.fence,
    attempt: c.attempt,
    max: c.max,
    assignee: c.assignee,
    priority: c.priority,
    run: c.run,
    detached: c.detached,
    wakes: c.wakes,
    error: c.error,
    fell: c.fell,
    at: event.stamp.at,
    out: c.out ? [...c.out] : [],
  };
}

// -- guards: what is asked of the state and the event before anything changes -----------------------------------------

export const guards = {
  /** The new issue's assignee takes it up at once. */
  bornWithRun: (_: IssueState, e: IssueMachineEvent) =>
    e.type === 'CREATED' && e.wake && wakesOnDemand(e, e.assigneeAgentId),
  /** The wake starts a run: the assignee can take one, and is woken on demand or was asked for by name. */
  wakeStarts,
  /** A person's wake, and the issue is reopened by it. */
  wakeReopens: (_: IssueState, e: IssueMachineEvent) => askedBy(e)?.reopen === true,
  wakeReopensAndStarts: (c: IssueState, e: IssueMachineEvent) =>
    askedBy(e)?.reopen === true && (wakeStarts(c, e) || retry.followUpWanted(c, e, true)),
  assigneeStarts: (_: IssueState, e: IssueMachineEvent) => e.type === 'ASSIGN' && wakesOnDemand(e, e.agentId),
  assignsAgent: (_: IssueState, e: IssueMachineEvent) => e.type === 'ASSIGN' && e.agentId !== null,
  hasDetached: (c: IssueState) => c.detached !== null,
  noDetached: (c: IssueState) => c.detached === null,
  /** The detached run was left to finish; now that a new run is wanted it must stop. */
  detachedIsLeft: (c: IssueState) => detached.isLeft(c.detached),
  /** Somebody said something that no run has been told of yet. */
  humanFollowUp: (c: IssueState, e: IssueMachineEvent) => retry.followUpWanted(c, e, true),
  /** The run ended with its work done, and no person is waiting for another run. */
  resolvesDone: (_: IssueState, e: IssueMachineEvent) =>
    e.type === 'RUN.SUCCEEDED' && (e.resolution ?? 'done') === 'done',
  followUp: (c: IssueState, e: IssueMachineEvent) => retry.followUpWanted(c, e, false),
  /** The failure is retried, and a person waits: now. */
  retriesAtOnce: (c: IssueState, e: IssueMachineEvent) => {
    if (!humanWaits(c)) return false;
    const next = retry.retryAfter(c, e as Failed);
    return next?.outcome === 'scheduled' && next.dueAt <= e.stamp.at;
  },
  retriesLater: (c: IssueState, e: IssueMachineEvent) =>
    retry.retryAfter(c, e as Failed)?.outcome === 'scheduled',
  /** The failure is permanent, and wakes wait for another run. */
  failsWithWakes: (c: IssueState, e: IssueMachineEvent) =>
    retry.retryAfter(c, e as Failed) === null && retry.followUpWanted(c, e, false),
  isDue: (c: IssueState, e: IssueMachineEvent) => dueOf(c) <= e.stamp.at,
  /** A person's wake, and nothing holds the retry back any longer. */
  pullsToNow: (c: IssueState, e: IssueMachineEvent) =>
    askedBy(e)?.human === true && retry.pulledDue(c.run as Run, e.stamp.at) <= e.stamp.at,
  pullsForward: (_: IssueState, e: IssueMachineEvent) => askedBy(e)?.human === true,
} as const;

function wakeStarts(c: IssueState, e: IssueMachineEvent): boolean {
  const asked = askedBy(e);
  if (!asked) return false;
  const facts = factsOf(e.stamp, c.assignee);
  return canTakeRuns(facts) && (facts.wakeOnDemand || asked.source === 'on_demand');
}

function wakesOnDemand(e: IssueMachineEvent, agentId: string | null): boolean {
  const facts = factsOf(e.stamp, agentId);
  return canTakeRuns(facts) && facts.wakeOnDemand;
}

function dueOf(c: IssueState): number {
  return c.run?.retry?.due ?? 0;
}

/** Time to the retry's due time, ms: absolute minus now, so that it means the same after a restart. */
export function retryDelay(c: IssueState, e: IssueMachineEvent): number {
  return Math.max(0, dueOf(c) - e.stamp.at);
}

/** Time until the detached run is given up, ms. */
export function stopGrace(c: IssueState, e: IssueMachineEvent): number {
  return Math.max(0, (c.detached?.until ?? e.stamp.at) - e.stamp.at);
}

// -- actions ----------------------------------------------------------------------------------------------------------

export const changes = {
  create(d: Draft, e: EventOf<'CREATED'>) {
    d.id = e.id;
    d.priority = PRIORITIES.indexOf(e.priority);
    d.assignee = e.assigneeAgentId;
    const policy = factsOf(e.stamp, d.assignee);
    if (policy) d.max = policy.delaysMs.length;
    head(d, { identifier: e.identifier, title: e.title, context: e.context, createdAt: d.at });
  },
  /** A new run of the assignee because it was given the issue. */
  queueAssigned(d: Draft) {
    runs.queueRun(d, 'assignment', heirOf(d));
  },
  /** A new run of the assignee for the wakes that wait. */
  queueWoken(d: Draft) {
    retry.queueFollowUp(d, heirOf(d));
  },
  /** The wake waits: parked, as follow-up, or coalesced into the run not yet started. */
  takeWake(d: Draft, e: IssueMachineEvent) {
    addComment(d, e);
    const asked = askedBy(e);
    if (asked) acceptWake(d, asked, d.run !== null && d.run.start === undefined);
  },
  /** The issue is closed and stays so. */
  refuseWake(d: Draft, e: IssueMachineEvent) {
    addComment(d, e);
    const asked = askedBy(e);
    if (asked && e.type === 'WAKE') refuseWake(d, asked);
  },
  assign(d: Draft, e: EventOf<'ASSIGN'>) {
    setAssignee(d, e.agentId, null);
    d.attempt = 0;
    d.fell = null;
    const policy = factsOf(e.stamp, d.assignee);
    if (policy) d.max = policy.delaysMs.length;
  },
  /** The assignee is gone for good. */
  unassign(d: Draft) {
    setAssignee(d, null, 'agent_terminated');
    d.fell = 'agent_terminated';
  },
  startRun(d: Draft, e: EventOf<'GRANT'>) {
    const policy = policyOf(e.stamp, d.assignee);
    d.max = policy.delaysMs.length;
    runs.startRun(d, e.claim, policy.leaseMs);
  },
  succeedRun(d: Draft, e: EventOf<'RUN.SUCCEEDED'>) {
    succeed(d, e);
  },
  /** The run did its work, but a wake it was not told of waits: another run follows. */
  succeedAndFollow(d: Draft, e: EventOf<'RUN.SUCCEEDED'>) {
    retry.queueFollowUp(d, succeed(d, e));
  },
  succeedAndClose(d: Draft, e: EventOf<'RUN.SUCCEEDED'>) {
    succeed(d, e);
    dropMachineWakes(d);
  },
  scheduleRetry(d: Draft, e: Failed) {
    retry.scheduleRetry(d, e);
  },
  retryAtOnce(d: Draft, e: Failed) {
    retry.scheduleRetry(d, e);
    retry.promoteRetry(d);
  },
  failAndFollow(d: Draft, e: Failed) {
    retry.queueFollowUp(d, retry.failRun(d, e));
  },
  giveUp(d: Draft, e: Failed) {
    retry.giveUp(d, e);
  },
  cancelRun(d: Draft, e: IssueMachineEvent) {
    const next = e.type === 'ASSIGN' ? e.agentId : e.type === 'AGENT.TERMINATED' ? null : d.assignee;
    runs.cancelRun(d, causeOf(e.type), next);
  },
  detachRun(d: Draft, e: IssueMachineEvent) {
    detached.detachRun(d, causeOf(e.type), policyOf(e.stamp, d.assignee).stopGraceMs);
  },
  /** Its agent is paused: it stops, and the same agent's next run waits for the resume, knowing what it knew. */
  replacePausedRun(d: Draft, e: IssueMachineEvent) {
    const run = d.run as Run;
    detached.detachRun(d, causeOf(e.type), policyOf(e.stamp, d.assignee).stopGraceMs);
    runs.queueRun(d, 'automation', run);
  },
  leaveToFinish(d: Draft) {
    detached.leaveToFinish(d);
  },
  tellToStop(d: Draft, e: IssueMachineEvent) {
    const left = d.detached as Detached;
    detached.tellToStop(d, left, policyOf(e.stamp, left.agent).stopGraceMs);
  },
  endDetached(d: Draft, e: EventOf<'STOPPED'>) {
    detached.endDetached(d, e);
  },
  /** An operator ends whatever there is, at once: the executing run is not even detached. */
  forceRelease(d: Draft) {
    if (d.run) {
      const run = d.run;
      const stop = { runId: runId(d.id, run.n), agentId: d.assignee as string, fence: d.fence };
      runs.cancelRun(d, 'operator', d.assignee);
      if (run.start !== undefined) detached.notifyReleased(d, stop);
    }
    if (d.detached) detached.releaseDetached(d);
  },
  /** Whoever waits for a due time need not any more. */
  promoteRetry(d: Draft) {
    retry.promoteRetry(d);
  },
  retryNow(d: Draft) {
    retry.moveRetry(d, d.at, 'operator');
    retry.promoteRetry(d);
  },
  pullToNow(d: Draft) {
    retry.moveRetry(d, d.at, 'human_wake');
    retry.promoteRetry(d);
  },
  pullForward(d: Draft) {
    retry.moveRetry(d, retry.pulledDue(d.run as Run, d.at), 'human_wake');
  },
  /** The timer came early: only the time of the change is noted, the machine arms the rest of the wait again. */
  noteEarly() {},
  close(d: Draft) {
    dropMachineWakes(d);
  },
  reopen(d: Draft) {
    d.attempt = 0;
    d.fell = null;
    effect(d, 'issue.reopened', {});
  },
  prioritise(d: Draft, e: EventOf<'PRIORITY'>) {
    const previous = PRIORITIES[d.priority];
    d.priority = PRIORITIES.indexOf(e.priority);
    effect(d, 'issue.edited', { priority: e.priority, previousPriority: previous });
  },
  edit(d: Draft, e: EventOf<'EDIT'>) {
    const patch = {
      ...(e.title === undefined ? {} : { title: e.title }),
      ...(e.context === undefined ? {} : { context: e.context }),
    };
    head(d, patch);
    effect(d, 'issue.edited', { fields: Object.keys(patch) });
  },
} as const;

function setAssignee(d: Draft, agentId: string | null, cause: string | null): void {
  effect(d, 'issue.assigned', {
    agentId,
    previousAgentId: d.assignee,
    ...(cause === null ? {} : { cause }),
  });
  d.assignee = agentId;
}

/** A run that is left to finish hands its knowledge to the next one of the same agent. */
function heirOf(d: Draft): Run | null {
  return d.detached?.agent === d.assignee ? (d.detached?.run ?? null) : null;
}

function succeed(d: Draft, e: EventOf<'RUN.SUCCEEDED'>): Run {
  const run = d.run as Run;
  effect(d, 'run.succeeded', {
    runId: runId(d.id, run.n),
    agentId: d.assignee,
    resolution: e.resolution ?? 'done',
  });
  runs.endRun(d, { status: 'succeeded', resultJson: e.result });
  d.attempt = 0;
  d.error = null;
  d.fell = null;
  return run;
}

function addComment(d: Draft, e: IssueMachineEvent): void {
  if (e.type !== 'COMMENT') return;
  const id = e.stamp.ids[0];
  if (id === undefined) throw new Error('a COMMENT needs a fresh id in its stamp');
  const by = { kind: e.by.kind, id: e.by.id };
  record(d, 'comment', id, { id, issueId: d.id, body: e.body, by, at: d.at });
  effect(d, 'comment.added', { commentId: id, by });
}
