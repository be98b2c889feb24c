/**
 * What is to be done with an event before the issue's chart is asked: whose it may be, whether its fence is the one in
 * force, whether it changes anything, whether the state allows it. With the chart this makes the table of domain.md
 * total: what is judged `apply` the chart handles.
 */
import { isLeft } from './detached.ts';
import type { IssueEvent } from './events.ts';
import { type AgentFacts, canTakeRuns, DEFAULT_POLICY, factsOf } from './facts.ts';
import { type IssueState, type Leaf, leafOf, runId } from './issue-context.ts';
import {
  type AnyIssueEvent,
  type EventOf,
  type IssueMachineEvent,
  RETRY_DUE,
  type Stopped,
  type StoppedHow,
} from './issue-events.ts';
import { detachedView, lockOf } from './issue-view.ts';
import type { Actor, Persisted, Stamp, Stamped, Verdict } from './kind.ts';
import { PRIORITIES } from './view.ts';

type IssueVerdict = Verdict<AnyIssueEvent>;
type Refused = Extract<IssueVerdict, { is: 'refused' }>;
type RunWord = EventOf<'RUN.HEARTBEAT' | 'RUN.SUCCEEDED' | 'RUN.FAILED' | 'RUN.STOPPED'>;

const APPLY: IssueVerdict = { is: 'apply' };
const UNCHANGED: IssueVerdict = { is: 'unchanged' };
const IGNORED: IssueVerdict = { is: 'ignored' };
/** What to do when it is not the issue's state that is in the way, but the agent it would be given to. */
const NAME_ANOTHER = 'Name an agent that is not terminated, or none.';

export function judge(event: IssueMachineEvent, s: Persisted<IssueState>): IssueVerdict {
  const verdict = decide(event, leafOf(s.value), s.context);
  if (verdict.is !== 'refused' || verdict.code !== 'NOT_ALLOWED') return verdict;
  return { ...verdict, detail: { ...verdict.detail, allowed: allowedTypes(s, event.by, event.stamp) } };
}

function decide(event: IssueMachineEvent, leaf: Leaf, c: IssueState): IssueVerdict {
  switch (event.type) {
    case 'WAKE':
    case 'COMMENT':
      return APPLY;
    case 'RUN.HEARTBEAT':
    case 'RUN.SUCCEEDED':
    case 'RUN.FAILED':
    case 'RUN.STOPPED':
      return judgeRunWord(event, leaf, c);
    case 'GRANT':
      return leaf === 'running.queued' ? APPLY : IGNORED;
    case RETRY_DUE:
      return leaf === 'scheduled-retry' ? APPLY : IGNORED;
    case 'RETRY.DUE':
      return leaf === 'scheduled-retry' ? { is: 'apply', event: { type: RETRY_DUE } } : IGNORED;
    case 'LEASE.EXPIRED':
      return judgeLease(event, leaf, c);
    case 'STOPPED':
      return c.detached && runId(c.id, c.detached.n) === event.runId ? APPLY : IGNORED;
    case 'AGENT.PAUSED':
      return leaf === 'running.executing' && c.assignee === event.agentId ? APPLY : IGNORED;
    case 'AGENT.TERMINATED':
      if (c.assignee !== event.agentId) return IGNORED;
      return isClosed(leaf) ? UNCHANGED : APPLY;
    case 'CREATED':
      return IGNORED;
    default:
      return event.by.kind === 'agent' ? judgeAgents(event, leaf, c) : judgeOperators(event, leaf, c);
  }
}

/** The refusal of a birth, or null. */
export function judgeBirth(event: EventOf<'CREATED'>): Refused | null {
  const agentId = event.assigneeAgentId;
  if (event.by.kind === 'agent') return forbidden('An agent may not create issues.');
  if (agentId === null) return null;
  const facts = factsOf(event.stamp, agentId);
  if (!facts) return noSuchAgent(agentId);
  if (canTakeRuns(facts)) return null;
  const detail = { state: null, substate: null, allowed: [], hint: NAME_ANOTHER };
  return { is: 'refused', code: 'NOT_ALLOWED', message: terminated(agentId), detail };
}

/**
 * Types of outside events that would change the issue now, by the same judge.
 * @param by whose events they would be. @param stamp the time and facts to judge by.
 */
export function allowedTypes(s: Persisted<IssueState>, by: Actor, stamp: Stamp): string[] {
  const c = s.context;
  const leaf = leafOf(s.value);
  const facts = { ...stamp.facts, [SOMEBODY]: SOMEBODYS_FACTS };
  const probes = probesFor(c).map(
    (event) => ({ ...event, by, stamp: { ...stamp, facts } }) as Stamped<IssueEvent>,
  );
  return probes
    .filter((probe) => {
      const { is } = decide(probe, leaf, c);
      return is === 'apply' || is === 'renew';
    })
    .map((probe) => probe.type);
}

// -- operators, and agents where they may -------------------------------------------------------------------------------

type Verb = Exclude<Stamped<IssueEvent>, RunWord | EventOf<'WAKE' | 'COMMENT'>>;

function judgeAgents(event: Verb, leaf: Leaf, c: IssueState): IssueVerdict {
  const executes = leaf === 'running.executing' && c.assignee === event.by.id;
  if (event.type === 'ASSIGN') {
    return executes
      ? judgeOperators(event, leaf, c)
      : forbidden('An agent may reassign only the issue it is executing.');
  }
  if (event.type !== 'COMPLETE') return forbidden(`An agent may not send ${event.type}.`);
  if (event.fence !== undefined && event.fence !== c.fence) {
    return fenced(c, `Fence ${event.fence} is not the one in force.`);
  }
  if (!executes) return forbidden('An agent may complete only the issue it is executing.');
  if (event.fence === undefined) {
    const detail = { issues: [{ path: ['fence'], message: 'required when an agent completes an issue' }] };
    return { is: 'refused', code: 'VALIDATION', message: 'COMPLETE by an agent needs its fence.', detail };
  }
  return judgeOperators(event, leaf, c);
}

function judgeOperators(event: Verb, leaf: Leaf, c: IssueState): IssueVerdict {
  const allowedIf = (allowed: boolean) => (allowed ? APPLY : notAllowed(event, leaf));
  switch (event.type) {
    case 'ASSIGN':
      return judgeAssign(event, leaf, c);
    case 'CANCEL':
      if (leaf === 'cancelled') return UNCHANGED;
      return allowedIf(leaf !== 'done');
    case 'COMPLETE':
      if (event.fence !== undefined && event.fence !== c.fence) {
        return fenced(c, `Fence ${event.fence} is not the one in force.`);
      }
      if (leaf === 'done') return UNCHANGED;
      return allowedIf(leaf !== 'cancelled');
    case 'REOPEN':
      return isClosed(leaf) ? APPLY : UNCHANGED;
    case 'RETRY.NOW':
      if (leaf === 'running.queued') return UNCHANGED;
      return allowedIf(leaf === 'idle' || leaf === 'scheduled-retry');
    case 'RETRY.CANCEL':
      return allowedIf(leaf === 'scheduled-retry');
    case 'FORCE_RELEASE':
      return c.run || c.detached ? APPLY : UNCHANGED;
    case 'PRIORITY':
      if (PRIORITIES[c.priority] === event.priority) return UNCHANGED;
      return allowedIf(!isClosed(leaf));
    case 'EDIT':
      return APPLY;
  }
}

function judgeAssign(event: EventOf<'ASSIGN'>, leaf: Leaf, c: IssueState): IssueVerdict {
  if (event.agentId === c.assignee) return UNCHANGED;
  if (event.agentId === null) return APPLY;
  const facts = factsOf(event.stamp, event.agentId);
  if (!facts) return noSuchAgent(event.agentId);
  if (canTakeRuns(facts)) return APPLY;
  const refusal = notAllowed(event, leaf, terminated(event.agentId));
  return { ...refusal, detail: { ...refusal.detail, hint: NAME_ANOTHER } };
}

// -- a worker's word ------------------------------------------------------------------------------------------------------

function judgeRunWord(event: RunWord, leaf: Leaf, c: IssueState): IssueVerdict {
  const { run, detached } = c;
  const ofDetached = detached !== null && runId(c.id, detached.n) === event.runId;
  const ofCurrent = run !== null && runId(c.id, run.n) === event.runId;
  const owner = ofDetached ? detached.agent : ofCurrent ? c.assignee : null;
  if (event.by.kind === 'agent' && owner !== null && owner !== event.by.id) {
    return forbidden('This run is another agent’s.');
  }
  if (ofDetached && event.fence === detached.fence) return judgeDetachedWord(event, c);
  if (leaf !== 'running.executing' || !ofCurrent) {
    return fenced(c, `Run ${event.runId} has no authority over this issue.`);
  }
  if (event.fence !== c.fence) return fenced(c, `Fence ${event.fence} is not the one in force.`);
  if (event.type === 'RUN.HEARTBEAT') return renewal(event);
  if (event.type === 'RUN.STOPPED') return fenced(c, 'This run was not told to stop: it holds the issue.');
  return APPLY;
}

/** The table "what a detached run answers" of domain.md section 2. */
function judgeDetachedWord(event: RunWord, c: IssueState): IssueVerdict {
  if (event.type === 'RUN.STOPPED') return { is: 'apply', event: stopped(event, 'stopped') };
  if (isLeft(c.detached)) {
    if (event.type === 'RUN.HEARTBEAT') return renewal(event);
    return {
      is: 'apply',
      event: event.type === 'RUN.SUCCEEDED' ? succeeded(event) : failed(event),
    };
  }
  const refusal = fenced(c, `Run ${event.runId} was told to stop (${c.detached?.cause}); stop it.`);
  if (event.type === 'RUN.HEARTBEAT') return refusal;
  // biome-ignore lint/suspicious/noThenProperty: the contract's name (kind.ts); a verdict is never awaited
  return { ...refusal, then: stopped(event, 'refused') };
}

function judgeLease(event: EventOf<'LEASE.EXPIRED'>, leaf: Leaf, c: IssueState): IssueVerdict {
  if (leaf === 'running.executing' && c.run && runId(c.id, c.run.n) === event.runId) return APPLY;
  if (c.detached && isLeft(c.detached) && runId(c.id, c.detached.n) === event.runId) {
    return { is: 'apply', event: { type: 'STOPPED', runId: event.runId, how: 'lease' } };
  }
  return IGNORED;
}

function renewal(event: EventOf<'RUN.HEARTBEAT'>): IssueVerdict {
  return {
    is: 'renew',
    runId: event.runId,
    ...(event.progress === undefined ? {} : { progress: event.progress }),
    ...(event.note === undefined ? {} : { note: event.note }),
  };
}

function stopped(event: RunWord, how: StoppedHow): Stopped {
  return { type: 'STOPPED', runId: event.runId, how };
}

function succeeded(event: EventOf<'RUN.SUCCEEDED'>): Stopped {
  const { result } = event;
  return { ...stopped(event, 'succeeded'), ...(result === undefined ? {} : { resultJson: result }) };
}

function failed(event: EventOf<'RUN.FAILED'>): Stopped {
  const { error, errorCode, errorFamily, resultJson } = event;
  return {
    ...stopped(event, 'failed'),
    error,
    ...(errorCode === undefined ? {} : { errorCode }),
    ...(errorFamily === undefined ? {} : { errorFamily }),
    ...(resultJson === undefined ? {} : { resultJson }),
  };
}

// -- refusals ---------------------------------------------------------------------------------------------------------------

function isClosed(leaf: Leaf): boolean {
  return leaf === 'cancelled' || leaf === 'done';
}

function fenced(c: IssueState, message: string): Refused {
  const detail = { holder: lockOf(c), detached: detachedView(c), fence: c.fence };
  return { is: 'refused', code: 'FENCED', message, detail };
}

function forbidden(message: string): Refused {
  return { is: 'refused', code: 'FORBIDDEN', message, detail: {} };
}

function noSuchAgent(agentId: string): Refused {
  return {
    is: 'refused',
    code: 'NOT_FOUND',
    message: `There is no agent ${agentId} here.`,
    detail: { agentId },
  };
}

function terminated(agentId: string): string {
  return `Agent ${agentId} is terminated and takes no issues.`;
}

/** Without `allowed`: that is asked of the whole judge, once the refusal is certain. */
function notAllowed(event: IssueMachineEvent, leaf: Leaf, message?: string): Refused {
  const [state, substate = null] = leaf.split('.') as [string, string?];
  return {
    is: 'refused',
    code: 'NOT_ALLOWED',
    message: message ?? `${event.type} is not allowed in ${leaf}.`,
    detail: { state, substate },
  };
}

// -- probes: one event of each type that would do something if anything of its type does ----------------------------------

/** An agent that nobody is, active: whether somebody else may be assigned is asked with it. */
const SOMEBODY = 'a00000000000000';
const SOMEBODYS_FACTS: AgentFacts & Record<string, unknown> = {
  ...DEFAULT_POLICY,
  status: 'active',
  wakeOnDemand: true,
  adapterType: 'process',
  maxConcurrentRuns: 1,
};

function probesFor(c: IssueState): IssueEvent[] {
  const live = c.detached ?? c.run;
  const ofRun = {
    runId: runId(c.id, live?.n ?? 0),
    fence: c.detached ? c.detached.fence : c.fence,
  };
  return [
    { type: 'WAKE', reason: 'probe' },
    { type: 'ASSIGN', agentId: SOMEBODY },
    { type: 'RUN.HEARTBEAT', ...ofRun },
    { type: 'RUN.SUCCEEDED', ...ofRun },
    { type: 'RUN.STOPPED', ...ofRun },
    { type: 'RUN.FAILED', ...ofRun, error: 'probe' },
    { type: 'CANCEL' },
    { type: 'COMPLETE', fence: c.fence },
    { type: 'REOPEN' },
    { type: 'RETRY.NOW' },
    { type: 'RETRY.CANCEL' },
    { type: 'FORCE_RELEASE' },
    { type: 'PRIORITY', priority: PRIORITIES[(c.priority + 1) % PRIORITIES.length] ?? 'medium' },
    { type: 'COMMENT', body: 'probe' },
    { type: 'EDIT', title: 'probe' },
  ];
}
