/** One seed, one history, and what the checks say of it. */

import type { ActorRow } from '../../src/persistence/store.ts';
import { findings } from './checks/checks.ts';
import type { Evidence, Finding, Step } from './checks/evidence.ts';
import { replayAll } from './checks/evidence.ts';
import type { Mutant } from './mutants/mutant.ts';
import { overdue, quarantinedIn, stored, unarmed } from './world/inspection.ts';
import { draw, type Plan } from './world/plan.ts';
import { World } from './world/world.ts';

/** A call may take this much longer than it asked for before it counts as stuck, ms. */
const STUCK_MS = 15_000;
/** How often the calm looks whether all has come to rest, ms, and what it waits beyond that for news to arrive. */
const LOOK_MS = 2000;
const NEWS_MS = 3000;
/** So long after the faults and a TTL every node has recovered, and read the timers of the next minute, ms. */
const SETTLED_MS = 8000;

export interface History {
  readonly seed: number;
  readonly plan: Plan;
  /** The mutant's name, null: the code as it is. */
  readonly mutant: string | null;
  readonly findings: readonly Finding[];
  readonly hash: string;
  /** The last lines of the trace. */
  readonly trace: readonly string[];
  readonly simulatedMs: number;
  readonly steps: number;
  readonly versions: number;
  readonly faults: Readonly<Record<string, number>>;
}

/** What a seed's history left behind, before anybody judges it. */
export interface Lived {
  readonly world: World;
  readonly evidence: Evidence;
  readonly simulatedMs: number;
}

export async function runHistory(seed: number, mutant: Mutant | null = null): Promise<History> {
  const { world, evidence, simulatedMs } = await live(seed, mutant);
  return {
    seed,
    plan: world.plan,
    mutant: mutant?.name ?? null,
    findings: findings(evidence),
    hash: world.trace.hash,
    trace: world.trace.last,
    simulatedMs,
    steps: world.scheduler.steps,
    versions: evidence.entries.length,
    faults: { ...world.mischief.count, database: world.database.faulted },
  };
}

export async function live(seed: number, mutant: Mutant | null = null): Promise<Lived> {
  const drawn = draw(seed);
  const plan = mutant?.plan?.(drawn) ?? drawn;
  const world = new World(plan, mutant);
  const uncaught = (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.surprises.push(`nobody caught: ${text}`);
  };
  process.on('unhandledRejection', uncaught);
  const restore = mutant?.patch?.();
  try {
    const began = world.now;
    await world.begin();
    await world.run(world.now + plan.activeMs);
    const evidence = await comeToRest(world);
    world.over = true;
    // The evidence stays as it is: what ends now is no loss of a connection.
    for (const host of world.hosts) {
      host.endings = [];
      host.end();
    }
    await world.run(world.now);
    return { world, evidence, simulatedMs: world.now - began };
  } finally {
    restore?.();
    process.off('unhandledRejection', uncaught);
  }
}

/** The calm part: until all has come to rest, or has had the time for it. */
async function comeToRest(world: World): Promise<Evidence> {
  const calmFrom = world.now;
  world.becomeCalm();
  const latest = calmFrom + longestCalm(world);
  await world.run(calmFrom + 1.5 * world.plan.ttlMs + 4000);
  const looks = unarmed(world, false);
  const late = overdue(world);
  for (let seen = -1; world.now < latest; ) {
    if (atRest(world) && seen === world.witness.entries.length) break;
    seen = world.witness.entries.length;
    await world.run(world.now + LOOK_MS);
  }
  await world.run(world.now + NEWS_MS);
  looks.push(...unarmed(world, world.now > settledFrom(world, calmFrom)));
  return gather(world, calmFrom, looks, late);
}

/** By then everything must have come to rest: nothing fails any more, so one wait of each kind at most is left. */
function longestCalm(world: World): number {
  const { agents, ttlMs } = world.plan;
  const longest = (of: (agent: (typeof agents)[number]) => number) => Math.max(...agents.map(of));
  const ladder = longest((agent) => Math.max(...agent.delaysMs)) * 1.25;
  const { rows } = stored(world);
  const pending = Math.max(0, ...rows.map((row) => (row.dueAt ?? 0) - world.now));
  return 3 * ttlMs + ladder + pending + longest((a) => 5 * a.leaseMs + a.stopGraceMs) + 120_000;
}

function atRest(world: World): boolean {
  if (world.deeds > 0) return false;
  const { rows } = stored(world);
  const agents = new Map(rows.filter((row) => row.kind === 'agent').map((row) => [row.id, row]));
  return rows.every((row) => {
    if (row.kind === 'agent') return row.substate !== 'closing';
    if (row.holds || row.dueAt !== null) return false;
    return row.pool === null || agents.get(row.assignee ?? '')?.state === 'paused';
  });
}

/** Actors that are not stored any more though they were: only what ended longer ago than is kept, and has no slot. */
function prunedOf({ plan, now }: World, steps: readonly Step[], rows: readonly ActorRow[]): Set<string> {
  const pruned = new Set<string>();
  if (plan.retentionMs === 0) return pruned;
  for (const { seen, kind, after } of steps) {
    const { state } = kind.columns(after.state);
    const old = after.updatedAt < now - plan.retentionMs;
    if (old && kind.ended?.includes(state) && !kind.slot(after.state)) pruned.add(seen.row.actorId);
    else pruned.delete(seen.row.actorId);
  }
  for (const { id } of rows) pruned.delete(id);
  return pruned;
}

/** A partition waits for its old owner's TTL, a call drawn before the calm for its time-out, a sweep that failed its wait. */
function settledFrom(world: World, calmFrom: number): number {
  return calmFrom + world.plan.ttlMs + SETTLED_MS;
}

function gather(world: World, calmFrom: number, looks: readonly string[], late: readonly string[]): Evidence {
  const kinds = new Map(world.kinds.map((kind) => [kind.kind, kind]));
  const { entries, told, slips, listened } = world.witness;
  const { steps, unreplayable } = replayAll(entries, kinds);
  const stuck = world.hosts.flatMap((host) =>
    [...host.open.values()]
      .filter((call) => world.now - call.since > call.patience + STUCK_MS)
      .map((call) => `${call.what} by ${host.label} since ${Math.round(world.now - call.since)} ms`),
  );
  const { rows } = stored(world);
  return {
    entries,
    steps,
    unreplayable,
    rows,
    pruned: prunedOf(world, steps, rows),
    oldest: world.database.oldest(),
    kinds,
    told,
    slips,
    listened,
    quarantined: quarantinedIn(world),
    putAside: world.putAside,
    unarmed: looks,
    overdue: late,
    stuck,
    surprises: world.surprises,
    thrown: world.thrown,
    settledFrom: settledFrom(world, calmFrom),
    end: world.now,
    rested: true,
  };
}
