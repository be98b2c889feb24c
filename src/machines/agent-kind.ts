/** The agent as an actor kind: settings, status, and the pool of slots of its own id. */
import { LETTER } from '../ids.ts';
import {
  type AgentHead,
  type AgentState,
  agentContextSchema,
  agentHead,
  policyFor,
} from './agent-context.ts';
import {
  AGENT_INTERNAL,
  type AgentMachineEvent,
  type AnyAgentEvent,
  agentMachine,
  changedSettings,
  SPREAD_AGAIN,
} from './agent-machine.ts';
import { agentEvents, newAgent } from './events.ts';
import type { AgentFacts, AgentStatus, Policy } from './facts.ts';
import type { ActorKind, Persisted, Runtime, Verdict } from './kind.ts';
import { migration } from './snapshot-version.ts';
import { dotted } from './step.ts';
import type { AgentView } from './view.ts';

const VERSION = 1;
/** What to do about a refusal by an agent that is over. */
const TERMINATED = 'A terminated agent stays so, and no event changes it any more: make another agent.';

export type AgentKind = ActorKind<AgentState, AnyAgentEvent, AgentView>;
type S = Persisted<AgentState>;
type Refused = Extract<Verdict<AnyAgentEvent>, { is: 'refused' }>;

/** @param server the policy of an agent that has none of its own (BATON_RETRY_DELAYS_MS and its neighbours). */
export function agentKind(server: Policy): AgentKind {
  return {
    kind: 'agent',
    letter: LETTER.agent,
    version: VERSION,
    machine: agentMachine,
    context: agentContextSchema,
    head: agentHead,
    events: agentEvents,
    internal: AGENT_INTERNAL,
    names: { [SPREAD_AGAIN]: 'SPREAD.AGAIN' },
    draws: () => 0,
    reads: () => [],
    facts: remembered((s) => ({ ...factsOf(s, server) })),
    judge: (event, s) => judge(event as AgentMachineEvent, s),
    born(asked, { id, prefix, ordinal }) {
      const agent = newAgent.parse(asked);
      return {
        type: 'CREATED',
        id,
        identifier: `${prefix}-A${ordinal}`,
        name: agent.name,
        adapterType: agent.adapterType ?? 'process',
        maxConcurrentRuns: agent.maxConcurrentRuns ?? 1,
        wakeOnDemand: agent.wakeOnDemand ?? true,
        retry: agent.retry ?? null,
      };
    },
    judgeBirth: (event) => (event.by.kind === 'agent' ? forbidden(event.type) : null),
    slot: () => null,
    capacity(s) {
      const status = statusOf(s);
      const open = status === 'active';
      return { pool: s.context.id, max: s.context.maxConcurrentRuns, open, closed: open ? null : status };
    },
    watchers: (_, after) => [after.context.id],
    // `assignee` is its own id, so that the runtime shows it the state of its own pool.
    columns: (s) => ({ state: statusOf(s), substate: substateOf(s), assignee: s.context.id, priority: 0 }),
    view: (s, head, r) => view(s, head as AgentHead, r, server),
    data,
    migrate: migration({
      name: 'agent',
      version: VERSION,
      machine: agentMachine,
      context: agentContextSchema,
      steps: {},
    }),
  };
}

function statusOf(s: S): AgentStatus {
  return typeof s.value === 'string' ? (s.value as AgentStatus) : 'terminated';
}

function substateOf(s: S): string | null {
  return dotted(s.value).split('.')[1] ?? null;
}

/** A pure function of a state that gives the same object for the same state: it is asked for at every event of an issue. */
function remembered<T extends object>(of: (s: S) => T): (s: S) => T {
  const known = new WeakMap<S, T>();
  return (s) => {
    let value = known.get(s);
    if (value === undefined) {
      value = of(s);
      known.set(s, value);
    }
    return value;
  };
}

function factsOf(s: S, server: Policy): AgentFacts {
  const { wakeOnDemand, adapterType, maxConcurrentRuns } = s.context;
  return {
    status: statusOf(s),
    wakeOnDemand,
    adapterType,
    maxConcurrentRuns,
    ...policyFor(s.context, server),
  };
}

/** Agents are an operator's to change; nothing leads back from terminated. */
function judge(event: AgentMachineEvent, s: S): Verdict<AnyAgentEvent> {
  const leaf = dotted(s.value);
  const closing = leaf === 'terminated.closing';
  switch (event.type) {
    case 'CREATED':
      return { is: 'ignored' };
    case 'SPREAD.DONE':
    case SPREAD_AGAIN:
      return { is: closing ? 'apply' : 'ignored' };
    case 'SPREAD.AGAIN':
      return closing ? { is: 'apply', event: { type: SPREAD_AGAIN } } : { is: 'ignored' };
    default:
      return event.by.kind === 'agent' ? forbidden(event.type) : judgeOperators(event, s);
  }
}

function judgeOperators(
  event: Extract<AgentMachineEvent, { type: 'PAUSE' | 'RESUME' | 'TERMINATE' | 'UPDATE' }>,
  s: S,
): Verdict<AnyAgentEvent> {
  const status = statusOf(s);
  if (event.type === 'TERMINATE') return { is: status === 'terminated' ? 'unchanged' : 'apply' };
  if (status === 'terminated') {
    // None is allowed: not even TERMINATE would change it.
    const detail = { state: status, substate: substateOf(s), allowed: [], hint: TERMINATED };
    return {
      is: 'refused',
      code: 'NOT_ALLOWED',
      message: `${event.type} is not allowed: the agent is terminated.`,
      detail,
    };
  }
  switch (event.type) {
    case 'PAUSE': {
      // Pausing what drains stops the live runs after all; draining what is paused changes nothing.
      const stops = s.context.draining && event.drain !== true;
      return { is: status === 'active' || stops ? 'apply' : 'unchanged' };
    }
    case 'RESUME':
      return { is: status === 'paused' ? 'apply' : 'unchanged' };
    case 'UPDATE':
      return { is: Object.keys(changedSettings(s.context, event)).length > 0 ? 'apply' : 'unchanged' };
  }
}

function forbidden(type: string): Refused {
  return { is: 'refused', code: 'FORBIDDEN', message: `An agent may not send ${type}.`, detail: {} };
}

function view(s: S, head: AgentHead, r: Runtime, server: Policy): AgentView {
  const c = s.context;
  return {
    id: c.id,
    companyId: r.companyId,
    identifier: head.identifier,
    name: c.name,
    adapterType: c.adapterType,
    status: statusOf(s),
    draining: c.draining,
    maxConcurrentRuns: c.maxConcurrentRuns,
    wakeOnDemand: c.wakeOnDemand,
    retry: policyFor(c, server),
    slots: {
      held: r.pool?.held ?? 0,
      wanting: r.pool?.wanting ?? 0,
      max: c.maxConcurrentRuns,
      online: r.pool?.online ?? false,
    },
    version: r.version,
    createdAt: head.createdAt,
    updatedAt: c.at,
  };
}

const HIDDEN = new Set(['type', 'stamp', 'by', 'expectedVersion', 'traceparent']);

function data(event: AnyAgentEvent): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(event).filter(([key, value]) => !HIDDEN.has(key) && value !== undefined),
  );
}
