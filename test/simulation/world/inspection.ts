/** Looks into running nodes: what an owner must wait for, and whether it does (P6, P4). */
import { earliest } from '../../../src/supervisor/resident.ts';
import { leaseKey } from '../../../src/supervisor/run-leases.ts';
import type { World } from './world.ts';

/** A due time this close is being dealt with: its timer has fired, its turn or its load is under way. */
const UNDER_WAY_MS = 2500;

export function quarantinedIn(world: World): Set<string> {
  const found = new Set<string>();
  for (const { running } of world.hosts) {
    for (const actor of running?.node.residence.all() ?? []) if (actor.quarantine) found.add(actor.id);
  }
  return found;
}

/** Timers that came due some time ago, on a node that owns their actor and has nothing under way for it. */
export function overdue(world: World): string[] {
  const found: string[] = [];
  for (const { running, label } of world.hosts) {
    for (const row of running ? stored(world).rows : []) {
      const { node } = running!;
      if (row.dueAt === null || row.dueAt > world.now - UNDER_WAY_MS) continue;
      if (node.partitions.get(row.partition)?.state !== 'ready') continue;
      const actor = node.residence.get(row.id);
      if (actor?.pending || actor?.quarantine || node.timers.dueOf(row.id) !== undefined) continue;
      if (node.loader.loading(row.id)) continue;
      found.push(
        `${label} owns ${row.id}, overdue for ${Math.round(world.now - row.dueAt)} ms, and waits for nothing`,
      );
    }
  }
  return found;
}

/**
 * Leases and timers that should be set on the node that owns an actor and are not. Only asked when all is calm.
 * `swept`: calm for so long that timers are too – a sweep that failed is made up by the next.
 */
export function unarmed(world: World, swept: boolean): string[] {
  const found: string[] = [];
  const { rows } = stored(world);
  for (const { running, label } of world.hosts) {
    if (!running) continue;
    const { node } = running;
    for (const row of rows) {
      if (node.partitions.get(row.partition)?.state !== 'ready') continue;
      const actor = node.residence.get(row.id);
      if (row.holds && !actor)
        found.push(`${label} owns ${row.id}, which holds a slot, and does not keep it`);
      if (actor && (actor.pending || actor.quarantine)) continue;
      const lease = actor?.committed && actor.kind.lease?.(actor.committed.state);
      if (lease) {
        const armed = node.leases.of(row.id);
        const set = node.timers.dueOf(leaseKey(row.id)) !== undefined;
        if (armed?.runId !== lease.runId || (!set && armed.until > world.now)) {
          found.push(`${label} owns ${row.id} whose run ${lease.runId} has no lease`);
        }
      }
      if (!swept) continue;
      const due = actor?.newest ? earliest(actor.newest.timers) : row.dueAt;
      if (due === null || due >= node.horizon || due < world.now + UNDER_WAY_MS) continue;
      if (node.timers.dueOf(row.id) !== due) {
        found.push(
          `${label} owns ${row.id}, due in ${Math.round(due - world.now)} ms, and has no timer for it`,
        );
      }
    }
  }
  return found;
}

export function stored(world: World) {
  const { actors, partitions } = world.database.store.dump();
  return { rows: actors, partitions };
}
