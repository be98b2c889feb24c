/**
 * What a history is like, drawn from its seed – swarm style: which faults are on and how hard, how many nodes, which
 * work is done. A history with few faults finds what one with all of them would hide, and the other way round.
 */
import { Chance } from './chance.ts';

export interface AgentPlan {
  /** Which of the plan's companies it belongs to. */
  readonly company: number;
  readonly maxConcurrentRuns: number;
  readonly wakeOnDemand: boolean;
  readonly adapterType: string;
  readonly delaysMs: readonly number[];
  readonly leaseMs: number;
  readonly stopGraceMs: number;
  readonly workers: number;
}

/** Probabilities per call, mean times between in ms (0: never), lengths in ms. */
export interface FaultPlan {
  readonly latencyMs: number;
  readonly lost: number;
  readonly unanswered: number;
  readonly late: number;
  readonly lateMs: number;
  readonly timeoutMs: number;
  /** Heartbeats that are heard and whose answer comes 0.2 to 1 TTL later. */
  readonly beatLate: number;
  readonly crashEvery: number;
  readonly stopEvery: number;
  readonly pauseEvery: number;
  readonly cutEvery: number;
  readonly downEvery: number;
  readonly jumpEvery: number;
  /** Requests and answers between clients and nodes. */
  readonly netLost: number;
  /** Data that the database refuses to store. */
  readonly poison: number;
}

export interface Plan {
  readonly seed: number;
  readonly shape: 'busy' | 'quiet' | 'long';
  readonly nodes: number;
  readonly partitions: readonly number[];
  readonly ttlMs: number;
  readonly residentBytes: number;
  readonly activeMs: number;
  readonly companies: number;
  readonly agents: readonly AgentPlan[];
  /** Of each company. */
  readonly issues: number;
  readonly operators: number;
  readonly opEvery: number;
  readonly subscribers: number;
  /** How many workers come over the gateway's session, the rest ask the router. */
  readonly bySocket: number;
  /** Somebody tries what must not work. */
  readonly intruder: boolean;
  /** Things older than this go, ms; 0: nothing does. And entries of a company that stay all the same. */
  readonly retentionMs: number;
  readonly keptEntries: number;
  readonly runMs: number;
  /** How workers behave: weights. */
  readonly work: Readonly<Record<Behaviour, number>>;
  readonly faults: FaultPlan;
}

export type Behaviour = 'succeed' | 'open' | 'complete' | 'transient' | 'permanent' | 'vanish' | 'zombie';

const EPOCH_MS = 1_800_000_000_000;
export const worldBegins = (seed: number) => EPOCH_MS + (seed % 1000) * 86_413.25;

/** Mostly off: `on` is the chance that this fault is in the history at all. */
function some(chance: Chance, on: number, values: readonly number[]): number {
  return chance.is(on) ? chance.pick(values) : 0;
}

export function draw(seed: number): Plan {
  const c = new Chance(`plan ${seed}`);
  const shape = c.weighed({ busy: 62, quiet: 30, long: 8 });
  const nodes = shape === 'long' ? 1 : c.pick([1, 2, 2, 2, 3]);
  const ttlMs = shape === 'long' ? 60_000 : c.pick([2000, 5000, 10_000]);
  const step = shape === 'busy' ? 1 : shape === 'quiet' ? 3 : 60;
  const companies = c.pick([1, 1, 1, 2, 3]);
  const agents = Array.from({ length: c.whole(companies, 3) }, (_, n): AgentPlan => {
    const rungs = c.whole(1, 4);
    return {
      company: n % companies,
      maxConcurrentRuns: c.pick([1, 1, 1, 2, 3]),
      wakeOnDemand: c.is(0.85),
      adapterType: c.pick(['codex_local', 'claude_local', 'process']),
      delaysMs: [500, 2000, 6000, 15_000].slice(0, rungs).map((ms) => ms * step),
      leaseMs: c.pick([1000, 3000, 8000]) * Math.min(step, 10),
      stopGraceMs: c.pick([0, 500, 2000, 6000]),
      workers: c.pick([1, 1, 2]),
    };
  });
  const faulty = c.is(0.9);
  const on = (p: number) => (faulty ? p : 0);
  const activeMs = { busy: c.between(10_000, 40_000), quiet: c.between(40_000, 120_000), long: 2_400_000 }[
    shape
  ];
  return {
    seed,
    shape,
    nodes,
    partitions: c.is(0.7) ? [c.whole(0, 4095)] : [c.whole(0, 2000), c.whole(2001, 4095)],
    ttlMs,
    residentBytes: c.pick([4000, 4000, 20_000, 10_000_000]),
    activeMs,
    companies,
    agents,
    issues: c.whole(1, companies === 1 ? 6 : 3),
    operators: c.whole(1, 3),
    opEvery: shape === 'busy' ? c.pick([150, 500, 1500]) : activeMs / c.whole(8, 30),
    subscribers: c.whole(0, 3),
    bySocket: c.pick([0, 0.5, 1]),
    intruder: c.is(0.3),
    retentionMs: shape === 'busy' ? 0 : some(c, 0.4, [shape === 'long' ? 300_000 : 30_000]),
    keptEntries: c.pick([1, 10, 50]),
    runMs: shape === 'busy' ? c.pick([300, 1500]) : c.pick([1000, 6000]),
    work: {
      succeed: c.whole(0, 3),
      open: c.whole(0, 4),
      complete: c.whole(0, 1),
      transient: c.whole(1, 6),
      permanent: c.whole(0, 1),
      vanish: c.whole(0, 2),
      zombie: c.whole(0, 2),
    },
    faults: {
      latencyMs: c.pick([0.5, 0.5, 3, 30, 120]),
      lost: some(c, on(0.3), [0.005, 0.03, 0.15]),
      unanswered: some(c, on(0.4), [0.005, 0.03, 0.15]),
      late: some(c, on(0.35), [0.005, 0.03, 0.1]),
      lateMs: c.pick([500, 5000, 30_000]),
      timeoutMs: c.pick([200, 1000, 4000]),
      beatLate: some(new Chance(`late beats ${seed}`), on(0.15), [0.05, 0.3, 0.8]),
      crashEvery: some(c, on(0.5), [activeMs, activeMs / 3, activeMs / 8]),
      stopEvery: some(c, on(0.2), [activeMs, activeMs / 3]),
      pauseEvery: some(c, on(0.5), [activeMs, activeMs / 3, activeMs / 8]),
      cutEvery: some(c, on(0.25), [activeMs, activeMs / 3]),
      downEvery: some(c, on(0.25), [activeMs, activeMs / 3, activeMs / 6]),
      jumpEvery: some(c, on(0.3), [activeMs, activeMs / 6]),
      netLost: some(c, on(0.4), [0.01, 0.05, 0.2]),
      poison: some(c, on(0.1), [0.3, 0.7]),
    },
  };
}
