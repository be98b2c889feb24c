/**
 * The issue machine: domain.md section 2 as an XState chart. Read the states top down; every name in it is a guard or
 * an action of issue-changes.ts, every delay is absolute due time minus the event's stamp.
 *
 * - Everything that wants a run targets running.queued; there a detached run turns it to stopping, and in stopping its
 *   end turns it back. So "never granted with a detached run" is one `always`.
 * - Fences, roles and "no change" are judged before the chart is asked (issue-judge.ts): judge ∪ chart is total.
 * - A detached run's grace is a delayed STOPPED with one id; whatever ends the detached run cancels it.
 * - cancelled and done are not final: REOPEN leads back.
 */
import { assign, cancel, raise, setup } from 'xstate';
import { changes, draftOf, guards, retryDelay, stopGrace } from './issue-changes.ts';
import { type IssueContext, runId, UNBORN } from './issue-context.ts';
import type { AnyIssueEvent, IssueMachineEvent } from './issue-events.ts';

type Change = (d: ReturnType<typeof draftOf>, e: never) => void;
type Guard = (c: IssueContext, e: IssueMachineEvent) => boolean;

/** One XState `assign` per change: the function gets a draft, XState gets the whole draft back. */
function asAction(change: Change) {
  return assign<IssueContext, IssueMachineEvent, undefined, IssueMachineEvent, never>(
    ({ context, event }) => {
      const d = draftOf(context, event);
      change(d, event as never);
      return d;
    },
  );
}

function mapped<K extends string, F, T>(from: Record<K, F>, to: (f: F) => T): Record<K, T> {
  return Object.fromEntries(Object.entries(from).map(([name, f]) => [name, to(f as F)])) as Record<K, T>;
}

const GRACE = 'stopGrace';

const chart = setup({
  types: {} as { context: IssueContext; events: IssueMachineEvent },
  actions: {
    ...mapped(changes as Record<keyof typeof changes, Change>, asAction),
    armGrace: raise(
      ({ context }) =>
        ({
          type: 'STOPPED',
          runId: runId(context.id, context.detached?.n ?? 0),
          how: 'grace',
        }) satisfies AnyIssueEvent as unknown as IssueMachineEvent,
      { id: GRACE, delay: GRACE },
    ),
    disarmGrace: cancel(GRACE),
  },
  guards: mapped(
    guards as Record<keyof typeof guards, Guard>,
    (guard: Guard) =>
      ({ context, event }: { context: IssueContext; event: IssueMachineEvent }) =>
        guard(context, event),
  ),
  delays: {
    retryDelay: ({ context, event }) => retryDelay(context, event),
    [GRACE]: ({ context, event }) => stopGrace(context, event),
  },
});

/** A reason to work on an idle issue: a run when the assignee takes it, else it waits. */
const wakeIdle = [
  { guard: 'wakeStarts', target: 'running', actions: ['takeWake', 'queueWoken'] },
  { actions: 'takeWake' },
] as const;

/** A person pulls the retry forward; anybody else's wake waits with it. */
const wakeScheduled = [
  { guard: 'pullsToNow', target: 'running', actions: ['takeWake', 'pullToNow'] },
  {
    guard: 'pullsForward',
    target: 'scheduled-retry',
    reenter: true,
    actions: ['takeWake', 'pullForward'],
  },
  { actions: 'takeWake' },
] as const;

const retried = [
  { guard: 'retriesAtOnce', target: 'queued', actions: 'retryAtOnce' },
  { guard: 'retriesLater', target: '#issue.scheduled-retry', actions: 'scheduleRetry' },
] as const;
const givenUp = { target: '#issue.idle', actions: 'giveUp' } as const;

const wakeClosed = [
  { guard: 'wakeReopensAndStarts', target: 'running', actions: ['reopen', 'takeWake', 'queueWoken'] },
  { guard: 'wakeReopens', target: 'idle', actions: ['reopen', 'takeWake'] },
  { actions: 'refuseWake' },
] as const;

/** What cancelled and done share; which of COMPLETE and CANCEL changes nothing is the judge's. */
const closed = {
  on: {
    WAKE: wakeClosed,
    COMMENT: wakeClosed,
    ASSIGN: { actions: 'assign' },
    REOPEN: [
      { guard: 'humanFollowUp', target: 'running', actions: ['reopen', 'queueWoken'] },
      { target: 'idle', actions: 'reopen' },
    ],
    FORCE_RELEASE: { actions: ['forceRelease', 'disarmGrace'] },
  },
} as const;

export const issueMachine = chart.createMachine({
  id: 'issue',
  context: UNBORN,
  initial: 'idle',
  on: {
    PRIORITY: { actions: 'prioritise' },
    EDIT: { actions: 'edit' },
    STOPPED: { actions: ['endDetached', 'disarmGrace'] },
  },
  states: {
    idle: {
      description: 'Nobody works on it. No lock, no run.',
      on: {
        CREATED: [
          { guard: 'bornWithRun', target: 'running', actions: ['create', 'queueAssigned'] },
          { actions: 'create' },
        ],
        WAKE: wakeIdle,
        COMMENT: wakeIdle,
        'RETRY.NOW': wakeIdle,
        ASSIGN: [
          { guard: 'assigneeStarts', target: 'running', actions: ['assign', 'queueAssigned'] },
          { actions: 'assign' },
        ],
        CANCEL: { target: 'cancelled', actions: 'close' },
        COMPLETE: { target: 'done', actions: 'close' },
        FORCE_RELEASE: { actions: ['forceRelease', 'disarmGrace'] },
        'AGENT.TERMINATED': { actions: 'unassign' },
      },
    },
    running: {
      description: 'A run exists. Lock reserved until it is granted, then executing.',
      initial: 'queued',
      // Of a run that has not started: executing answers each of these itself.
      on: {
        WAKE: { actions: 'takeWake' },
        COMMENT: { actions: 'takeWake' },
        ASSIGN: [
          {
            guard: 'assignsAgent',
            target: '.queued',
            actions: ['cancelRun', 'assign', 'queueAssigned'],
          },
          { target: 'idle', actions: ['cancelRun', 'assign'] },
        ],
        CANCEL: { target: 'cancelled', actions: ['cancelRun', 'close'] },
        COMPLETE: { target: 'done', actions: ['cancelRun', 'close'] },
        FORCE_RELEASE: { target: 'idle', actions: ['forceRelease', 'disarmGrace'] },
        'AGENT.TERMINATED': { target: 'idle', actions: ['cancelRun', 'unassign'] },
      },
      states: {
        queued: {
          description: 'Waits for a slot of its agent.',
          always: [
            { guard: 'detachedIsLeft', target: 'stopping', actions: ['tellToStop', 'armGrace'] },
            { guard: 'hasDetached', target: 'stopping' },
          ],
          on: { GRANT: { target: 'executing', actions: 'startRun' } },
        },
        stopping: {
          description: 'Waits until the old worker, told to stop, is gone.',
          always: { guard: 'noDetached', target: 'queued' },
        },
        executing: {
          description: 'The agent’s worker holds the fence; its lease expires unless it is renewed.',
          on: {
            'RUN.SUCCEEDED': [
              { guard: 'humanFollowUp', target: 'queued', actions: 'succeedAndFollow' },
              { guard: 'resolvesDone', target: '#issue.done', actions: 'succeedAndClose' },
              { guard: 'followUp', target: 'queued', actions: 'succeedAndFollow' },
              { target: '#issue.idle', actions: 'succeedRun' },
            ],
            'RUN.FAILED': [
              ...retried,
              { guard: 'failsWithWakes', target: 'queued', actions: 'failAndFollow' },
              givenUp,
            ],
            'LEASE.EXPIRED': [...retried, givenUp],
            ASSIGN: [
              {
                guard: 'assignsAgent',
                target: 'queued',
                actions: ['detachRun', 'assign', 'queueAssigned', 'armGrace'],
              },
              { target: '#issue.idle', actions: ['detachRun', 'assign', 'armGrace'] },
            ],
            CANCEL: { target: '#issue.cancelled', actions: ['detachRun', 'close', 'armGrace'] },
            COMPLETE: { target: '#issue.done', actions: ['leaveToFinish', 'close'] },
            'AGENT.PAUSED': { target: 'queued', actions: ['replacePausedRun', 'armGrace'] },
            'AGENT.TERMINATED': {
              target: '#issue.idle',
              actions: ['detachRun', 'unassign', 'armGrace'],
            },
          },
        },
      },
    },
    'scheduled-retry': {
      description: 'Waits for the retry’s due time. Lock reserved.',
      after: {
        retryDelay: [
          { guard: 'isDue', target: 'running', actions: 'promoteRetry' },
          { target: 'scheduled-retry', reenter: true, actions: 'noteEarly' },
        ],
      },
      on: {
        WAKE: wakeScheduled,
        COMMENT: wakeScheduled,
        'RETRY.NOW': { target: 'running', actions: 'retryNow' },
        'RETRY.CANCEL': { target: 'idle', actions: 'cancelRun' },
        ASSIGN: [
          { guard: 'assignsAgent', target: 'running', actions: ['cancelRun', 'assign', 'queueAssigned'] },
          { target: 'idle', actions: ['cancelRun', 'assign'] },
        ],
        CANCEL: { target: 'cancelled', actions: ['cancelRun', 'close'] },
        COMPLETE: { target: 'done', actions: ['cancelRun', 'close'] },
        FORCE_RELEASE: { target: 'idle', actions: ['forceRelease', 'disarmGrace'] },
        'AGENT.TERMINATED': { target: 'idle', actions: ['cancelRun', 'unassign'] },
      },
    },
    cancelled: { description: 'Ended by an operator. REOPEN leads back.', ...closed },
    done: { description: 'Ended with its work done. REOPEN leads back.', ...closed },
  },
});
