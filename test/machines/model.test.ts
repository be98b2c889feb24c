/**
 * Model-based: every state that judge and chart can reach together (up to what decides anything), every event in each
 * of them, every transition of the chart taken at least once – and the shortest path to each state lived by `Story`.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ActorLogic, AnyStateMachine, EventObject, Snapshot } from 'xstate';
import { adjacencyMapToArray, TestModel } from 'xstate/graph';
import { chartOf, waysOf } from '../../src/machines/chart.ts';
import { type Applied, replay } from '../../src/machines/fold.ts';
import type { IssueState } from '../../src/machines/issue-context.ts';
import { issueMachine } from '../../src/machines/issue-machine.ts';
import type { Persisted } from '../../src/machines/kind.ts';
import { dotted } from '../../src/machines/step.ts';
import {
  A,
  agent,
  B,
  expectSound,
  facts,
  ISSUE,
  kind,
  OPERATOR,
  RETRY_DUE,
  Story,
  SYSTEM,
  T0,
} from './story.ts';

type State = Snapshot<unknown> & { s: Persisted<IssueState>; out: number };
type Event = EventObject &
  Record<string, unknown> & { bySystem?: boolean; byAgent?: boolean; late?: boolean };

const FACTS = {
  [A]: facts({ delaysMs: [1000, 2000] }),
  [B]: facts({ status: 'paused', wakeOnDemand: false }),
};

/** The clock stands still, except for what comes late. */
function applied({ bySystem, byAgent, late, ...event }: Event): Applied {
  const at = late ? T0 + 1e7 : T0;
  const stamp = { at, u: 0.5, ids: ['m7f3000000000001'], facts: FACTS as never };
  return { event, stamp, by: bySystem ? SYSTEM : byAgent ? agent(A) : OPERATOR };
}

const taken = new Set<string>();
/** What a journal row says of each step: its type, from where and to where. */
const went = new Set<string>();
/** The chart with its eventless guards watched: each of them guards one eventless transition. */
const EVENTLESS = ['detachedIsLeft', 'hasDetached', 'noDetached'];
const watched: AnyStateMachine = issueMachine.provide({
  guards: Object.fromEntries(
    EVENTLESS.map((name) => [
      name,
      (args: never, params: never) => {
        const guard = issueMachine.implementations.guards[name as never] as (a: never, p: never) => boolean;
        const holds = guard(args, params);
        if (holds) taken.add(name);
        return holds;
      },
    ]),
  ) as never,
});
const watchedKind = { machine: watched, names: kind.names };

function next(s: Persisted<IssueState>, given: Event): Persisted<IssueState> {
  const { event, stamp, by } = applied(given);
  const verdict = kind.judge({ ...event, stamp, by } as never, s);
  const effective =
    verdict.is === 'apply' ? (verdict.event ?? event) : verdict.is === 'refused' ? verdict.then : undefined;
  if (!effective) return s;
  const snapshot = watched.resolveState({ value: s.value as never, context: s.context });
  const stamped = {
    stamp,
    by,
    ...effective,
    type: effective.type === 'RETRY.DUE' ? RETRY_DUE : effective.type,
  };
  for (const t of watched.getTransitionData(snapshot as never, stamped as never)) taken.add(nameOf(t));
  const stepped = replay(watchedKind, s, { event: effective, stamp, by });
  expect(stepped.handled, `${effective.type} in ${dotted(s.value)} was judged and not handled`).toBe(true);
  const type = kind.names[effective.type] ?? effective.type;
  went.add(`${type} ${dotted(s.value)} ${dotted(stepped.next.value)}`);
  return stepped.next as Persisted<IssueState>;
}

type Transition = ReturnType<AnyStateMachine['getTransitionData']>[number];
function nameOf(t: Transition): string {
  const siblings = t.source.transitions.get(t.eventType) ?? [];
  return `${t.source.id} ${t.eventType} ${siblings.indexOf(t as never)}`;
}

function allTransitions(): string[] {
  const walk = (node: AnyStateMachine['root']): string[] => [
    ...[...node.transitions.values()].flat().map((t) => nameOf(t as Transition)),
    ...(node.always ?? []).map((t) => String(t.guard)),
    ...Object.values(node.states).flatMap((child) => walk(child as AnyStateMachine['root'])),
  ];
  // The birth is not judged: it is taken by every model's first step, in both its forms.
  return walk(watched.root).filter((name) => !name.includes(' CREATED '));
}

const birth = () => {
  const event = kind.born(
    { title: 'x', assigneeAgentId: A, wake: false },
    { id: ISSUE, prefix: 'ACME', ordinal: 7 },
  );
  return replay(watchedKind, null, applied(event as Event)).next as Persisted<IssueState>;
};

const logic = {
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined, s: birth(), out: 0 }),
  transition: (state: State, event: Event) => ({ ...state, s: next(state.s, event) }),
  getPersistedSnapshot: (state: State) => state,
} as unknown as ActorLogic<State, Event, undefined>;

/** What decides anything: ordinals, fences and times do not. */
function essence(s: Persisted<IssueState>): string {
  const { run, detached, wakes, attempt, assignee, fell } = s.context;
  return JSON.stringify([
    dotted(s.value),
    assignee,
    attempt,
    run && [run.attempt, run.notBefore === undefined],
    detached && [detached.agent, detached.until === undefined],
    wakes.some((w) => w.human),
    wakes.some((w) => !w.human),
    fell,
  ]);
}

function eventsIn({ s }: State): Event[] {
  const c = s.context;
  const ofRun = { runId: `${ISSUE}.${c.run?.n ?? c.n}`, fence: c.fence };
  const ofDetached = { runId: `${ISSUE}.${c.detached?.n ?? 1}`, fence: c.detached?.fence ?? 0 };
  const transient = { type: 'RUN.FAILED', ...ofRun, error: '429', errorFamily: 'transient_upstream' };
  return [
    { type: 'WAKE', reason: 'm', source: 'automation' },
    { type: 'WAKE', reason: 'h', human: true },
    { type: 'WAKE', reason: 'h', human: true, reopen: true },
    { type: 'COMMENT', body: 'c' },
    { type: 'COMMENT', body: 'c', reopen: true },
    { type: 'COMMENT', body: 'c', byAgent: true },
    { type: 'ASSIGN', agentId: A },
    { type: 'ASSIGN', agentId: B },
    { type: 'ASSIGN', agentId: null },
    { type: 'GRANT', claim: 'c', bySystem: true },
    { type: 'RUN.HEARTBEAT', ...ofRun },
    { type: 'RUN.SUCCEEDED', ...ofRun },
    { type: 'RUN.SUCCEEDED', ...ofRun, resolution: 'open' },
    transient,
    { ...transient, resultJson: { retryNotBefore: T0 + 5000 } },
    { type: 'RUN.FAILED', ...ofRun, error: 'x' },
    { type: 'RUN.STOPPED', ...ofDetached },
    { type: 'RUN.SUCCEEDED', ...ofDetached },
    { type: 'STOPPED', runId: ofDetached.runId, how: 'grace', bySystem: true },
    { type: 'LEASE.EXPIRED', runId: ofRun.runId, bySystem: true },
    { type: 'LEASE.EXPIRED', runId: ofDetached.runId, bySystem: true },
    { type: RETRY_DUE, bySystem: true },
    { type: RETRY_DUE, bySystem: true, late: true },
    { type: 'RETRY.NOW' },
    { type: 'RETRY.CANCEL' },
    { type: 'CANCEL' },
    { type: 'COMPLETE' },
    { type: 'REOPEN' },
    { type: 'FORCE_RELEASE' },
    { type: 'PRIORITY', priority: c.priority === 0 ? 'low' : 'critical' },
    { type: 'EDIT', title: 'y' },
    { type: 'AGENT.PAUSED', agentId: c.assignee, bySystem: true },
    { type: 'AGENT.TERMINATED', agentId: c.assignee, bySystem: true },
  ];
}

const model = new TestModel<State, Event, undefined>(logic, {
  events: eventsIn,
  serializeState: (state) => essence(state.s) as never,
  serializeEvent: (event) => JSON.stringify(event) as never,
});

describe('the graph of the issue', () => {
  let edges: { state: State; event: Event; nextState: State }[] = [];
  beforeAll(() => {
    edges = adjacencyMapToArray(model.getAdjacencyMap());
  });

  it('has an edge for every event in every state, each sound', () => {
    expect(edges.length).toBeGreaterThan(1000);
    for (const { nextState } of edges) expectSound(nextState.s);
    const leaves = new Set(edges.map((edge) => dotted(edge.state.s.value)));
    expect([...leaves].toSorted()).toEqual([
      'cancelled',
      'done',
      'idle',
      'running.executing',
      'running.queued',
      'running.stopping',
      'scheduled-retry',
    ]);
  });

  it('takes every transition of the chart', () => {
    expect(allTransitions().filter((name) => !taken.has(name))).toEqual([]);
  });

  it('goes only ways that the drawing of the chart knows', () => {
    const ways = waysOf(chartOf(issueMachine, kind.names)).map(
      ({ type, from, to }) => `${type} ${from} ${to}`,
    );
    expect([...went].filter((way) => !ways.includes(way))).toEqual([]);
    expect(went.size).toBeGreaterThan(60);
  });

  it('leads from every state to done, so that nothing can be stuck', () => {
    const back = new Map<string, Set<string>>();
    for (const { state, nextState } of edges) {
      const to = essence(nextState.s);
      back.set(to, (back.get(to) ?? new Set()).add(essence(state.s)));
    }
    const reached = new Set(edges.map((e) => essence(e.nextState.s)).filter((e) => e.startsWith('["done"')));
    for (const state of reached) for (const from of back.get(state) ?? []) reached.add(from);
    expect(edges.filter((edge) => !reached.has(essence(edge.state.s)))).toEqual([]);
  });

  it('is what a story lives through: the shortest path to every state', async () => {
    const paths = model.getShortestPaths();
    expect(paths.length).toBeGreaterThan(50);
    for (const path of paths) {
      const story = new Story();
      Object.assign(story.agents, FACTS);
      story.create({ assigneeAgentId: A, wake: false });
      await path.test({
        events: new Proxy(
          {},
          {
            get:
              () =>
              ({ event }: { event: Event }) => {
                if (event.type === 'xstate.init') return;
                const { event: sent, stamp, by } = applied(event);
                story.at = stamp.at;
                story.send(sent as never, by);
              },
          },
        ),
      });
      expect(essence(story.s)).toBe(essence(path.state.s));
    }
  });
});
