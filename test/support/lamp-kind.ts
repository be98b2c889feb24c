/**
 * A third kind of actor: lamps that want current from sockets. It has nothing to do with issues and shows that the
 * runtime names no kind (architecture, rooms): slots, capacity, timers, leases, tells, spreads and records are all it
 * speaks. A lamp burns for `burnMs`, then is off; one that is dimmed has ended and glows on, in its socket, for as long as
 * it is heated; `broken` lamps throw.
 */
import { assign, setup } from 'xstate';
import { z } from 'zod';
import type { ActorKind, Out, Persisted, Slot, Stamp, Verdict } from '../../src/machines/kind.ts';

interface LampState {
  socket: string | null;
  claim: string | null;
  wantedAt: number | null;
  flickers: number;
  out?: Out[];
}
export type LampEvent =
  | { type: 'CREATED'; socket: string | null }
  | { type: 'PLUG'; socket: string }
  | { type: 'CURRENT'; claim: string }
  | { type: 'FLICKER' }
  | { type: 'BURST' }
  | { type: 'CHAIN'; to: string }
  | { type: 'UNPLUG' }
  | { type: 'DIM' }
  | { type: 'HEAT' }
  | { type: 'COLD' }
  | { type: 'FUSE' };

type At = LampEvent & { stamp: Stamp };
const out = (type: string, data: Record<string, unknown> = {}): Out => ({
  out: 'effect',
  phase: 1,
  type,
  data,
});

const lampMachine = setup({
  types: {} as { context: LampState; events: LampEvent },
  actions: {
    plug: assign(({ context, event }) => {
      const { socket } = event as Extract<LampEvent, { type: 'PLUG' | 'CREATED' }>;
      return { ...context, socket, wantedAt: (event as At).stamp.at, out: [out('plugged', { socket })] };
    }),
    light: assign(({ context, event }) => ({
      ...context,
      claim: (event as Extract<LampEvent, { type: 'CURRENT' }>).claim,
      out: [out('lit')],
    })),
    flicker: assign(({ context }) => ({ ...context, flickers: context.flickers + 1 })),
    breakDown: assign(() => {
      throw new Error('the filament broke');
    }),
    chain: assign(({ context, event }) => ({
      ...context,
      flickers: context.flickers + 1,
      out: [
        {
          out: 'tell',
          pool: (event as { to: string }).to,
          event: { type: 'CHAIN', to: (event as { to: string }).to },
        } as Out,
      ],
    })),
    unplug: assign(({ context }) => ({ ...context, socket: null, claim: null, wantedAt: null })),
  },
  guards: { hasSocket: ({ event }) => (event as { socket: string | null }).socket !== null },
  delays: { burn: 1000 },
}).createMachine({
  id: 'lamp',
  initial: 'off',
  context: { socket: null, claim: null, wantedAt: null, flickers: 0 },
  on: { FLICKER: { actions: 'flicker' }, BURST: { actions: 'breakDown' }, CHAIN: { actions: 'chain' } },
  states: {
    off: {
      on: {
        CREATED: [
          { guard: 'hasSocket', target: 'waiting', actions: 'plug' },
          { target: 'off', actions: 'flicker' },
        ],
        PLUG: { target: 'waiting', actions: 'plug' },
      },
    },
    waiting: {
      on: { CURRENT: { target: 'on', actions: 'light' }, UNPLUG: { target: 'off', actions: 'unplug' } },
    },
    on: {
      after: { burn: { target: 'off', actions: 'unplug' } },
      on: {
        UNPLUG: { target: 'off', actions: 'unplug' },
        COLD: { target: 'off', actions: 'unplug' },
        FUSE: { target: 'off', actions: 'unplug' },
        DIM: { target: 'dimmed' },
      },
    },
    dimmed: {
      on: {
        UNPLUG: { target: 'off', actions: 'unplug' },
        COLD: { target: 'off', actions: 'unplug' },
        FUSE: { target: 'off', actions: 'unplug' },
      },
    },
  },
});

const facts = { light: true };

/** Lamps draw current from sockets; `leaseMs` without HEAT and they go cold. */
export function lampKind(leaseMs = 500): ActorKind<LampState, LampEvent> {
  const lit = (s: Persisted<LampState>) => s.value === 'on' || s.value === 'dimmed';
  return {
    kind: 'lamp',
    letter: 'l',
    version: 1,
    machine: lampMachine,
    context: z.any(),
    head: z.any(),
    events: z.any(),
    internal: ['CREATED', 'CURRENT', 'COLD', 'FUSE'],
    names: { 'xstate.after.burn.lamp.on': 'BURNT.DOWN' },
    draws: (event) => (event.type === 'PLUG' ? 1 : 0),
    reads: (event) => ('socket' in event && event.socket !== null ? [event.socket] : []),
    facts: () => facts,
    judge(event, s): Verdict<LampEvent> {
      if (event.type === 'HEAT')
        return lit(s) ? { is: 'renew', runId: `${s.context.socket}` } : refused('FENCED', 'it is off');
      if (event.type === 'PLUG' && !event.stamp.facts[event.socket])
        return refused('NOT_FOUND', 'no such socket');
      if (event.type === 'PLUG' && s.value !== 'off') return { is: 'unchanged' };
      if ((event.type === 'COLD' || event.type === 'FUSE') && !lit(s)) return { is: 'ignored' };
      return { is: 'apply' };
    },
    born: (asked) => ({ type: 'CREATED', socket: (asked as { socket?: string }).socket ?? null }),
    judgeBirth: (event) =>
      event.type === 'CREATED' && event.socket !== null && !event.stamp.facts[event.socket]
        ? refused('NOT_FOUND', 'no such socket')
        : null,
    slot(s): Slot | null {
      const { socket, wantedAt, claim } = s.context;
      if (socket === null || wantedAt === null) return null;
      return { pool: socket, mode: lit(s) ? 'holds' : 'wants', rank: wantedAt, claim };
    },
    grant: (claim) => ({ type: 'CURRENT', claim }),
    lease: (s) => (lit(s) ? { runId: `${s.context.socket}`, ms: leaseMs, expired: { type: 'COLD' } } : null),
    concerns: ['waiting', 'on'],
    ended: ['off', 'dimmed'],
    watchers: (before, after) => [before?.context.socket, after.context.socket].filter((x) => x != null),
    columns: (s) => ({ state: String(s.value), substate: null, assignee: s.context.socket, priority: 0 }),
    view: (s, _head, r) => ({
      id: r.id,
      version: r.version,
      on: lit(s),
      leaseUntil: r.leaseUntil,
      pool: r.pool,
      why: r.quarantined,
    }),
    granted: (s, _head, r) => (lit(s) ? { lamp: r.id } : null),
    data: ({ type: _, ...data }) => data,
    migrate: (_from, s) => s as Persisted<LampState>,
  };
}

interface SocketState {
  id: string;
  max: number;
  live: boolean;
  out?: Out[];
}
export type SocketEvent =
  | { type: 'CREATED'; max: number }
  | { type: 'SET'; max: number }
  | { type: 'CUT' }
  | { type: 'DONE' };

const socketMachine = setup({
  types: {} as { context: SocketState; events: SocketEvent },
  actions: {
    set: assign(({ context, event }) => {
      const { id = context.id, max } = event as { id?: string; max: number };
      return { ...context, id, max, live: true };
    }),
    cut: assign(({ context }) => {
      const { id } = context;
      return {
        ...context,
        live: false,
        out: [
          { out: 'tell', pool: id, event: { type: 'FUSE' } } as Out,
          {
            out: 'spread',
            id,
            states: ['waiting'],
            event: { type: 'UNPLUG' },
            done: { type: 'DONE' },
          } as Out,
        ],
      };
    }),
    done: assign(({ context }) => ({ ...context })),
  },
}).createMachine({
  id: 'socket',
  initial: 'live',
  context: { id: '', max: 0, live: true },
  states: {
    live: {
      on: { CREATED: { actions: 'set' }, SET: { actions: 'set' }, CUT: { target: 'dead', actions: 'cut' } },
    },
    dead: { on: { DONE: { target: 'gone', actions: 'done' } } },
    gone: {},
  },
});

/** Sockets give current to `max` lamps at once. */
export function socketKind(): ActorKind<SocketState, SocketEvent> {
  return {
    kind: 'socket',
    letter: 's',
    version: 1,
    machine: socketMachine,
    context: z.any(),
    head: z.any(),
    events: z.any(),
    internal: ['CREATED', 'DONE'],
    names: {},
    draws: () => 0,
    reads: () => [],
    facts: (s) => ({ live: s.context.live }),
    judge: () => ({ is: 'apply' }),
    born: (asked, { id }) => ({ type: 'CREATED', id, ...(asked as { max: number }) }),
    judgeBirth: () => null,
    slot: () => null,
    capacity: (s) => ({
      pool: s.context.id,
      max: s.context.max,
      open: s.value === 'live',
      closed: s.value === 'live' ? null : 'cut',
    }),
    watchers: () => [],
    columns: (s) => ({ state: String(s.value), substate: null, assignee: null, priority: 0 }),
    view: (s, _head, r) => ({ id: r.id, version: r.version, state: s.value, max: s.context.max }),
    data: ({ type: _, ...data }) => data,
    migrate: (_from, s) => s as Persisted<SocketState>,
  };
}

function refused(code: 'FENCED' | 'NOT_FOUND', message: string) {
  return { is: 'refused' as const, code, message, detail: {} };
}
