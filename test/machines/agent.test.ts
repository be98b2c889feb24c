import { describe, expect, it } from 'vitest';
import { agentKind } from '../../src/machines/agent-kind.ts';
import { SPREAD_AGAIN } from '../../src/machines/agent-machine.ts';
import { DEFAULT_POLICY } from '../../src/machines/facts.ts';
import { replay } from '../../src/machines/fold.ts';
import type { Actor, Out, Persisted } from '../../src/machines/kind.ts';
import { assertKind } from '../../src/machines/registering.ts';
import { dotted } from '../../src/machines/step.ts';
import { OPERATOR, RUNTIME, SYSTEM, T0 } from './story.ts';

const kind = agentKind(DEFAULT_POLICY);
const ID = 'a7f3000000000001';
type Ev = { type: string } & Record<string, unknown>;

function born(asked: Record<string, unknown> = {}) {
  let at = T0;
  let s = null as never as Persisted<never>;
  let head: unknown = {};
  const apply = (event: Ev, by: Actor) => {
    const stepped = replay(kind, s, { event, stamp: { at, u: 0.5, ids: [], facts: {} }, by });
    s = stepped.next as never;
    expect(JSON.parse(JSON.stringify(s))).toStrictEqual(s);
    expect(kind.migrate(1, JSON.parse(JSON.stringify(s)))).toStrictEqual(s);
    for (const out of stepped.out) if (out.out === 'head') head = { ...(head as object), ...out.patch };
    return stepped;
  };
  apply(kind.born({ name: 'Ada', ...asked }, { id: ID, prefix: 'ACME', ordinal: 3 }) as Ev, OPERATOR);
  return {
    send(event: Ev, by: Actor = OPERATOR) {
      at += 1;
      const before = JSON.stringify(s);
      const stamp = { at, u: 0.5, ids: [], facts: {} };
      const verdict = kind.judge({ ...event, stamp, by } as never, s);
      const stepped = verdict.is === 'apply' ? apply((verdict.event ?? event) as Ev, by) : null;
      if (!stepped) expect(JSON.stringify(s)).toBe(before);
      return {
        is: verdict.is === 'refused' ? verdict.code : verdict.is,
        state: dotted(s.value),
        out: stepped?.out ?? ([] as readonly Out[]),
        timers: stepped?.timers ?? [],
        handled: stepped?.handled ?? false,
      };
    },
    get s() {
      return s;
    },
    view: (over = {}) => kind.view(s, head, { ...RUNTIME, version: 1, ...over }),
  };
}

type Born = ReturnType<typeof born>;
const IN: Record<string, () => Born> = {
  active: () => born(),
  paused: () => {
    const agent = born();
    agent.send({ type: 'PAUSE' });
    return agent;
  },
  draining: () => {
    const agent = born();
    agent.send({ type: 'PAUSE', drain: true });
    return agent;
  },
  'terminated.closing': () => {
    const agent = born();
    agent.send({ type: 'TERMINATE' });
    return agent;
  },
  'terminated.closed': () => {
    const agent = born();
    agent.send({ type: 'TERMINATE' });
    agent.send({ type: 'SPREAD.DONE' }, SYSTEM);
    return agent;
  },
};

const ROWS: [string, Ev, Record<string, [string, string]>][] = [
  [
    'PAUSE',
    { type: 'PAUSE' },
    {
      active: ['apply', 'paused'],
      paused: ['unchanged', 'paused'],
      draining: ['apply', 'paused'],
      'terminated.closing': ['NOT_ALLOWED', 'terminated.closing'],
      'terminated.closed': ['NOT_ALLOWED', 'terminated.closed'],
    },
  ],
  [
    'PAUSE with drain',
    { type: 'PAUSE', drain: true },
    {
      active: ['apply', 'paused'],
      paused: ['unchanged', 'paused'],
      draining: ['unchanged', 'paused'],
      'terminated.closing': ['NOT_ALLOWED', 'terminated.closing'],
      'terminated.closed': ['NOT_ALLOWED', 'terminated.closed'],
    },
  ],
  [
    'RESUME',
    { type: 'RESUME' },
    {
      active: ['unchanged', 'active'],
      paused: ['apply', 'active'],
      draining: ['apply', 'active'],
      'terminated.closing': ['NOT_ALLOWED', 'terminated.closing'],
      'terminated.closed': ['NOT_ALLOWED', 'terminated.closed'],
    },
  ],
  [
    'TERMINATE',
    { type: 'TERMINATE' },
    {
      active: ['apply', 'terminated.closing'],
      paused: ['apply', 'terminated.closing'],
      draining: ['apply', 'terminated.closing'],
      'terminated.closing': ['unchanged', 'terminated.closing'],
      'terminated.closed': ['unchanged', 'terminated.closed'],
    },
  ],
  [
    'UPDATE',
    { type: 'UPDATE', maxConcurrentRuns: 5 },
    {
      active: ['apply', 'active'],
      paused: ['apply', 'paused'],
      draining: ['apply', 'paused'],
      'terminated.closing': ['NOT_ALLOWED', 'terminated.closing'],
      'terminated.closed': ['NOT_ALLOWED', 'terminated.closed'],
    },
  ],
  ...['SPREAD.AGAIN', SPREAD_AGAIN].map((type): [string, Ev, Record<string, [string, string]>] => [
    type,
    { type },
    {
      active: ['ignored', 'active'],
      paused: ['ignored', 'paused'],
      draining: ['ignored', 'paused'],
      'terminated.closing': ['apply', 'terminated.closing'],
      'terminated.closed': ['ignored', 'terminated.closed'],
    },
  ]),
  [
    'SPREAD.DONE',
    { type: 'SPREAD.DONE' },
    {
      active: ['ignored', 'active'],
      paused: ['ignored', 'paused'],
      draining: ['ignored', 'paused'],
      'terminated.closing': ['apply', 'terminated.closed'],
      'terminated.closed': ['ignored', 'terminated.closed'],
    },
  ],
];

describe('an agent', () => {
  it('is a kind that may be served', () => {
    expect(() => assertKind(kind as never)).not.toThrow();
  });

  for (const [name, event, cells] of ROWS) {
    it.each(Object.entries(cells))(`${name} in %s: %j`, (from, [answer, to]) => {
      const result = (IN[from] as () => Born)().send(
        event,
        event.type.startsWith('SPREAD') ? SYSTEM : OPERATOR,
      );
      expect([result.is, result.state]).toEqual([answer, to]);
      expect(result.handled).toBe(answer === 'apply');
    });
  }

  it('paused tells the runs it is executing, and only those; draining tells nobody', () => {
    expect(born().send({ type: 'PAUSE' }).out).toContainEqual({
      out: 'tell',
      pool: ID,
      event: { type: 'AGENT.PAUSED', agentId: ID },
    });
    expect(
      born()
        .send({ type: 'PAUSE', drain: true })
        .out.map((o) => o.out),
    ).toEqual(['effect']);
    const draining = IN.draining?.() as Born;
    expect(draining.view().draining).toBe(true);
    expect(draining.send({ type: 'PAUSE' }).out.map((o) => o.out)).toContain('tell');
    expect(draining.view().draining).toBe(false);
  });

  it('terminated spreads over what wants, holds or waits for it, and again until that is done', () => {
    const agent = born();
    const terminated = agent.send({ type: 'TERMINATE' });
    const spread = {
      out: 'spread',
      id: ID,
      states: ['running', 'scheduled-retry'],
      event: { type: 'AGENT.TERMINATED', agentId: ID },
      done: { type: 'SPREAD.DONE' },
    };
    expect(terminated.out).toContainEqual(spread);
    expect(terminated.timers).toMatchObject([{ is: 'arm', ms: 60_000 }]);
    const again = agent.send({ type: SPREAD_AGAIN }, SYSTEM);
    expect(again.out).toContainEqual(spread);
    expect(again.timers.at(-1)).toMatchObject({ is: 'arm', ms: 60_000 });
    expect(agent.send({ type: 'SPREAD.DONE' }, SYSTEM).timers).toMatchObject([{ is: 'disarm' }]);
  });

  it('is an operator’s to change', () => {
    const agent = born();
    const itself: Actor = { kind: 'agent', id: ID };
    for (const event of [
      { type: 'PAUSE' },
      { type: 'RESUME' },
      { type: 'TERMINATE' },
      { type: 'UPDATE', name: 'x' },
    ]) {
      expect(agent.send(event, itself).is).toBe('FORBIDDEN');
    }
    const event = kind.born({ name: 'x' }, { id: ID, prefix: 'ACME', ordinal: 1 });
    const stamp = { at: T0, u: 0, ids: [], facts: {} };
    expect(kind.judgeBirth({ ...event, stamp, by: itself } as never)).toMatchObject({ code: 'FORBIDDEN' });
    expect(kind.judgeBirth({ ...event, stamp, by: OPERATOR } as never)).toBeNull();
  });

  it('updated with nothing different stays as it is', () => {
    const agent = born({ retry: { delaysMs: [1, 2], jitter: 0 } });
    expect(agent.send({ type: 'UPDATE', name: 'Ada', wakeOnDemand: true }).is).toBe('unchanged');
    expect(agent.send({ type: 'UPDATE', retry: { jitter: 0, delaysMs: [1, 2] } }).is).toBe('unchanged');
    expect(agent.send({ type: 'UPDATE', retry: null }).is).toBe('apply');
    expect(agent.send({ type: 'UPDATE' }).is).toBe('unchanged');
  });

  it('offers its slots while it is active', () => {
    expect(kind.capacity?.(born({ maxConcurrentRuns: 4 }).s)).toEqual({
      pool: ID,
      max: 4,
      open: true,
      closed: null,
    });
    expect(kind.capacity?.((IN.paused as () => Born)().s)).toMatchObject({ open: false, closed: 'paused' });
    expect(kind.capacity?.((IN['terminated.closed'] as () => Born)().s)).toMatchObject({
      closed: 'terminated',
    });
  });

  it('states as facts the policy that applies: its own over the server’s', () => {
    const agent = born({ adapterType: 'codex_local', retry: { leaseMs: 5_000 } });
    expect(kind.facts(agent.s)).toEqual({
      ...DEFAULT_POLICY,
      status: 'active',
      wakeOnDemand: true,
      adapterType: 'codex_local',
      maxConcurrentRuns: 1,
      leaseMs: 5_000,
    });
  });

  it('is shown with its queue', () => {
    const pool = {
      ...{ max: 1, held: 1, wanting: 3, open: true, closed: null, online: true },
      ...{ asking: false, seenAt: null },
    };
    expect(born().view({ pool })).toEqual({
      id: ID,
      companyId: RUNTIME.companyId,
      identifier: 'ACME-A3',
      name: 'Ada',
      adapterType: 'process',
      status: 'active',
      draining: false,
      maxConcurrentRuns: 1,
      wakeOnDemand: true,
      retry: DEFAULT_POLICY,
      slots: { held: 1, wanting: 3, max: 1, online: true },
      version: 1,
      createdAt: T0,
      updatedAt: T0,
    });
    expect(kind.columns(born().s)).toEqual({ state: 'active', substate: null, assignee: ID, priority: 0 });
    expect(kind.columns((IN['terminated.closing'] as () => Born)().s)).toMatchObject({ substate: 'closing' });
  });
});
