/** The issue as an actor kind: the chart, the judge and the views, put together for the runtime. */

import { isId, LETTER } from '../ids.ts';
import { stopFrame } from './announce.ts';
import { isLeft, stopOf } from './detached.ts';
import { issueEvents, newIssue } from './events.ts';
import {
  type IssueHead,
  type IssueState,
  issueContextSchema,
  issueHead,
  leafOf,
  runId,
} from './issue-context.ts';
import {
  type AnyIssueEvent,
  type EventOf,
  ISSUE_INTERNAL,
  type IssueMachineEvent,
  RETRY_DUE,
} from './issue-events.ts';
import { judge, judgeBirth } from './issue-judge.ts';
import { issueMachine } from './issue-machine.ts';
import { grantView, issueView, liveRuns } from './issue-view.ts';
import type { ActorKind, Persisted, Slot } from './kind.ts';
import { migration } from './snapshot-version.ts';
import type { IssueView } from './view.ts';

const VERSION = 1;
/** What one step of priority is worth in the queue, ms (domain.md section 4). */
const PRIORITY_STEP_MS = 600_000;

export type IssueKind = ActorKind<IssueState, AnyIssueEvent, IssueView>;
type S = Persisted<IssueState>;

export function issueKind(): IssueKind {
  return {
    kind: 'issue',
    letter: LETTER.issue,
    version: VERSION,
    machine: issueMachine,
    context: issueContextSchema,
    head: issueHead,
    events: issueEvents,
    internal: ISSUE_INTERNAL,
    names: { [RETRY_DUE]: 'RETRY.DUE' },
    draws: (event) => (event.type === 'COMMENT' ? 1 : 0),
    reads,
    facts: () => ({}),
    judge: (event, s) => judge(event as IssueMachineEvent, s),
    born(asked, { id, prefix, ordinal }) {
      const issue = newIssue.parse(asked);
      return {
        type: 'CREATED',
        id,
        identifier: `${prefix}-${ordinal}`,
        title: issue.title,
        priority: issue.priority ?? 'medium',
        assigneeAgentId: issue.assigneeAgentId ?? null,
        context: issue.context ?? null,
        wake: issue.wake ?? true,
      };
    },
    judgeBirth: (event) => judgeBirth(event as EventOf<'CREATED'>),
    slot,
    concerns: ['running', 'scheduled-retry'],
    ended: ['done', 'cancelled'],
    grant: (claim) => ({ type: 'GRANT', claim }),
    lease,
    owed(s) {
      const { detached } = s.context;
      if (!detached || isLeft(detached)) return [];
      const stop = stopOf(s.context.id, detached);
      return [{ runId: stop.runId, frame: stopFrame(stop) }];
    },
    unfinished: ({ context }) =>
      liveRuns(context).map((run) => ({ kind: 'run', id: run.id, record: { ...run } })),
    watchers(before, after) {
      const agents = new Set<string>();
      for (const s of [before, after]) {
        if (s?.context.run && s.context.assignee !== null) agents.add(s.context.assignee);
        if (s?.context.detached) agents.add(s.context.detached.agent);
      }
      return [...agents];
    },
    columns(s) {
      const [state, substate = null] = leafOf(s.value).split('.') as [string, string?];
      return { state, substate, assignee: s.context.assignee, priority: s.context.priority };
    },
    view: (s, head, r) => issueView(s, head as IssueHead, r),
    granted: (s, head, r) => {
      const grant = grantView(s, head as IssueHead, r);
      return grant === null ? null : { ...grant };
    },
    data,
    migrate: migration({
      name: 'issue',
      version: VERSION,
      machine: issueMachine,
      context: issueContextSchema,
      steps: {},
    }),
  };
}

/** Whose facts the event needs: nobody's where none are, stamps are journalled. */
function reads(event: AnyIssueEvent, s: S | null): readonly string[] {
  if (!s) return event.type === 'CREATED' ? known(event.assigneeAgentId) : [];
  const { assignee, detached } = s.context;
  switch (event.type) {
    case 'WAKE':
    case 'COMMENT':
    case 'RETRY.NOW':
    case 'REOPEN':
      return known(assignee, leftAgent(s));
    case 'ASSIGN':
      return known(event.agentId, leaf(s) === 'running.executing' ? assignee : null, leftAgent(s));
    case 'RUN.SUCCEEDED':
    case 'RUN.FAILED':
    case 'LEASE.EXPIRED':
    case 'GRANT':
      return detached ? [] : known(assignee);
    case 'CANCEL':
    case 'AGENT.PAUSED':
    case 'AGENT.TERMINATED':
      return leaf(s) === 'running.executing' ? known(assignee) : [];
    default:
      return [];
  }
}

/** The agent of a run left to finish: when a new run is wanted it is told to stop, with its agent's grace. */
function leftAgent(s: S): string | null {
  const { detached } = s.context;
  return detached && isLeft(detached) ? detached.agent : null;
}

/** Only agents: an event may name anything, and other kinds have facts too. */
function known(...ids: (string | null)[]): string[] {
  const agents: string[] = [];
  for (const id of ids) {
    if (id !== null && isId(id, LETTER.agent) && !agents.includes(id)) agents.push(id);
  }
  return agents;
}

function leaf(s: S) {
  return leafOf(s.value);
}

function slot(s: S): Slot | null {
  const { run, detached, assignee, priority } = s.context;
  if (detached) return { pool: detached.agent, mode: 'holds', rank: 0, claim: null };
  if (run?.queued === undefined || assignee === null) return null;
  const holds = run.start !== undefined;
  const rank = run.queued + PRIORITY_STEP_MS * priority;
  return { pool: assignee, mode: holds ? 'holds' : 'wants', rank, claim: run.claim ?? null };
}

function lease(s: S) {
  const { id, run, detached } = s.context;
  const leased = detached ? detached.run : run;
  if (leased?.lease === undefined || (detached && !isLeft(detached))) return null;
  const expiring = runId(id, leased.n);
  return {
    runId: expiring,
    ms: leased.lease,
    expired: { type: 'LEASE.EXPIRED', runId: expiring } as const,
  };
}

/** Fields that a journal row shows nobody: large (they are in records and head), or the claim that is a capability. */
const HIDDEN = new Set([
  'type',
  'stamp',
  'by',
  'expectedVersion',
  'traceparent',
  'claim',
  'result',
  'resultJson',
  'context',
  'body',
]);

function data(event: AnyIssueEvent): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(event)) {
    if (!HIDDEN.has(key) && value !== undefined) shown[key] = value;
  }
  return shown;
}
