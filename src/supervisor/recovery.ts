/**
 * Taking over partitions (architecture A7, flow 3): listen first, then numbering, then what is live – actors that want
 * or hold a slot –, then the owners of these slots, so that who waits can say why, then the timers of the next minute.
 * The table is never loaded.
 */
import { partitionOf } from '../ids.ts';
import type { ActorRow } from '../persistence/store.ts';
import { Company } from './company.ts';
import { HORIZON_MS, type Node } from './node.ts';
import type { Partition } from './partition.ts';

/** How often the timers of the next horizon are read, ms: a third of it, so that one that fails is made up in time. */
export const SWEEP_MS = 20_000;
/** Timers per statement. */
const DUE_PAGE = 5000;
/** Owners of pools per statement. */
const OWNERS = 1000;
/** Wait after a failed try, ms. */
const AGAIN_MS = 200;

/** Brings the partitions from `recovering` to `ready`. Tries until the database answers or they are lost. */
export async function recover(
  node: Node,
  partitions: readonly Partition[],
): Promise<{ live: number; timers: number }> {
  for (;;) {
    try {
      const own = new Map(partitions.filter((p) => p.state === 'recovering').map((p) => [p.number, p]));
      if (own.size === 0) return { live: 0, timers: 0 };
      const numbers = [...own.keys()];
      // What was read for a partition lost meanwhile is old, also when it has been taken again.
      const recovering = (number: number) => {
        const partition = own.get(number);
        return partition?.state === 'recovering' ? partition : null;
      };
      for (const counters of await node.store.counters(numbers)) {
        const partition = recovering(partitionOf(counters.companyId));
        if (partition && !partition.companies.has(counters.companyId)) {
          partition.companies.set(counters.companyId, new Company(counters, node.feedMemory));
        }
      }
      let live = 0;
      for await (const rows of node.store.live(numbers)) {
        live += rows.length;
        for (const row of rows) if (recovering(row.partition)) settleIn(node, row);
      }
      const owners = [...node.slots.all()].filter((pool) => pool.capacity === null).map((pool) => pool.id);
      for (let at = 0; at < owners.length; at += OWNERS) {
        for (const row of await node.store.load(owners.slice(at, at + OWNERS))) {
          if (recovering(row.partition)) node.arrived(row);
        }
      }
      const timers = await sweep(node, new Set(numbers));
      for (const partition of partitions) partition.becomeReady();
      return { live, timers };
    } catch (error) {
      node.log('warn', 'recovery could not read the database and tries again', { error: String(error) });
      await new Promise<void>((resolve) => node.clock.after(AGAIN_MS, resolve));
    }
  }
}

/** One that holds a slot stays in memory with its lease; one that waits for a slot needs only its place in the queue. */
function settleIn(node: Node, row: ActorRow): void {
  if (row.holds || row.pool === null || row.rank === null) {
    node.arrived(row);
    return;
  }
  if (node.residence.get(row.id) || node.slots.slotOf(row.id)) return;
  node.slots.place(row.id, { pool: row.pool, mode: 'wants', rank: row.rank, claim: null });
}

/**
 * Puts the timers due before the horizon into the heap. The horizon is moved first: what commits from then on arms its
 * own timer, what committed before is read. Answers how many were read.
 */
export async function sweep(node: Node, partitions: ReadonlySet<number>): Promise<number> {
  const horizon = node.clock.now() + HORIZON_MS;
  if (horizon > node.horizon) node.horizon = horizon;
  let count = 0;
  let after: { dueAt: number; id: string } | undefined;
  for (;;) {
    const page = await node.store.due(partitions, horizon, DUE_PAGE, after);
    for (const { id, dueAt } of page) {
      const actor = node.residence.get(id);
      if (actor) node.armTimers(actor);
      // It may have been set since the page was read, and earlier; one that is set too early finds nothing due.
      else if (dueAt < (node.timers.dueOf(id) ?? Number.POSITIVE_INFINITY)) node.timers.set(id, dueAt);
    }
    count += page.length;
    const last = page.at(-1);
    if (!last || page.length < DUE_PAGE) return count;
    after = { dueAt: last.dueAt, id: last.id };
  }
}
