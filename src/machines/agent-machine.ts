/**
 * The agent machine: active, paused, terminated. It tells issues only what they cannot see for themselves: a pause to
 * the runs it is executing (not when draining), a termination to all that wants, holds or waits for it. Terminated
 * stays in `closing` until the runtime says that the spread is done, and announces it again every `spreadAgain`, so
 * that a crash between two pages loses nobody.
 */
import { assign, setup } from 'xstate';
import { type AgentContext, type AgentState, UNBORN } from './agent-context.ts';
import type { AgentEvent, RetryOverride } from './events.ts';
import type { Out, Stamped } from './kind.ts';

/** XState's name of the time to announce a termination again. */
export const SPREAD_AGAIN = 'xstate.after.spreadAgain.agent.terminated.closing';
/** How long a spread may take before it is announced again, ms. */
const SPREAD_AGAIN_MS = 60_000;
/** States of issues that a termination is about: idle ones learn it from their stamps. */
const SPREAD_STATES = ['running', 'scheduled-retry'] as const;

export type AgentInternal =
  | {
      type: 'CREATED';
      id: string;
      identifier: string;
      name: string;
      adapterType: string;
      maxConcurrentRuns: number;
      wakeOnDemand: boolean;
      retry: RetryOverride | null;
    }
  | { type: 'SPREAD.DONE' }
  | { type: typeof SPREAD_AGAIN }
  | { type: 'SPREAD.AGAIN' };
export type AnyAgentEvent = AgentEvent | AgentInternal;
export type AgentMachineEvent = Stamped<AnyAgentEvent>;
export type AgentEventOf<T extends AnyAgentEvent['type']> = Stamped<Extract<AnyAgentEvent, { type: T }>>;

export const AGENT_INTERNAL = ['CREATED', 'SPREAD.DONE', 'SPREAD.AGAIN', SPREAD_AGAIN] as const;

type Draft = AgentState & { out: Out[] };

function effect(d: Draft, type: string, data: Record<string, unknown>): void {
  d.out.push({ out: 'effect', phase: 1, type, data });
}

/** The settings of an UPDATE that differ from what is set. */
export function changedSettings(
  c: AgentState,
  event: Extract<AgentEvent, { type: 'UPDATE' }>,
): Partial<AgentState> {
  const { name, adapterType, maxConcurrentRuns, wakeOnDemand, retry } = event;
  const given: Partial<AgentState> = {
    ...(name === undefined ? {} : { name }),
    ...(adapterType === undefined ? {} : { adapterType }),
    ...(maxConcurrentRuns === undefined ? {} : { maxConcurrentRuns }),
    ...(wakeOnDemand === undefined ? {} : { wakeOnDemand }),
    ...(retry === undefined ? {} : { retry }),
  };
  const same = (key: keyof AgentState) =>
    key === 'retry' ? sameOverride(c.retry, given.retry ?? null) : c[key] === given[key];
  return Object.fromEntries(
    Object.entries(given).filter(([key]) => !same(key as keyof AgentState)),
  ) as Partial<AgentState>;
}

function sameOverride(a: RetryOverride | null, b: RetryOverride | null): boolean {
  const text = (o: RetryOverride | null) =>
    JSON.stringify(o && [o.delaysMs, o.jitter, o.leaseMs, o.stopGraceMs]);
  return text(a) === text(b);
}

const changes = {
  create(d: Draft, e: AgentEventOf<'CREATED'>) {
    d.id = e.id;
    d.name = e.name;
    d.adapterType = e.adapterType;
    d.maxConcurrentRuns = e.maxConcurrentRuns;
    d.wakeOnDemand = e.wakeOnDemand;
    d.retry = e.retry;
    d.out.push({ out: 'head', patch: { identifier: e.identifier, createdAt: d.at } });
  },
  pause(d: Draft, e: AgentEventOf<'PAUSE'>) {
    d.draining = e.drain === true;
    effect(d, 'agent.paused', { agentId: d.id, draining: d.draining });
    if (d.draining) return;
    d.out.push({ out: 'tell', pool: d.id, event: { type: 'AGENT.PAUSED', agentId: d.id } });
  },
  resume(d: Draft) {
    d.draining = false;
    effect(d, 'agent.resumed', { agentId: d.id });
  },
  terminate(d: Draft) {
    d.draining = false;
    effect(d, 'agent.terminated', { agentId: d.id });
  },
  /** Everything about it lets go of it, in pages after the commit. */
  spreadTermination(d: Draft) {
    d.out.push({
      out: 'spread',
      id: d.id,
      states: SPREAD_STATES,
      event: { type: 'AGENT.TERMINATED', agentId: d.id },
      done: { type: 'SPREAD.DONE' },
    });
  },
  noteSpread() {},
  update(d: Draft, e: AgentEventOf<'UPDATE'>) {
    const changed = changedSettings(d, e);
    Object.assign(d, changed);
    effect(d, 'agent.updated', { agentId: d.id, ...changed });
  },
} as const;

type Change = (d: Draft, e: never) => void;

function asAction(change: Change) {
  return assign<AgentContext, AgentMachineEvent, undefined, AgentMachineEvent, never>(
    ({ context, event }) => {
      const d: Draft = { ...context, at: event.stamp.at, out: context.out ? [...context.out] : [] };
      change(d, event as never);
      return d;
    },
  );
}

export const agentMachine = setup({
  types: {} as { context: AgentContext; events: AgentMachineEvent },
  actions: {
    create: asAction(changes.create),
    pause: asAction(changes.pause),
    resume: asAction(changes.resume),
    terminate: asAction(changes.terminate),
    spreadTermination: asAction(changes.spreadTermination),
    noteSpread: asAction(changes.noteSpread),
    update: asAction(changes.update),
  },
  delays: { spreadAgain: SPREAD_AGAIN_MS },
}).createMachine({
  id: 'agent',
  context: UNBORN,
  initial: 'active',
  states: {
    active: {
      description: 'Takes what its slots hold.',
      on: {
        CREATED: { actions: 'create' },
        PAUSE: { target: 'paused', actions: 'pause' },
        UPDATE: { actions: 'update' },
        TERMINATE: { target: 'terminated', actions: ['terminate', 'spreadTermination'] },
      },
    },
    paused: {
      description: 'Nothing new is granted; unless it is draining, live runs were told to stop.',
      on: {
        PAUSE: { actions: 'pause' },
        RESUME: { target: 'active', actions: 'resume' },
        UPDATE: { actions: 'update' },
        TERMINATE: { target: 'terminated', actions: ['terminate', 'spreadTermination'] },
      },
    },
    terminated: {
      description: 'Gone for good.',
      initial: 'closing',
      states: {
        closing: {
          description: 'What it had is being told.',
          after: { spreadAgain: { target: 'closing', reenter: true, actions: 'spreadTermination' } },
          on: { 'SPREAD.DONE': { target: 'closed', actions: 'noteSpread' } },
        },
        closed: { description: 'Nothing is about it any more.' },
      },
    },
  },
});
