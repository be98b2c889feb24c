/**
 * Retention (protocol section 1, BATON_RETENTION_DAYS): deletes what is old, in chunks small enough that no commit
 * waits for them, from the old end of each company's journal. The last entries of a company are always kept, so that a
 * subscriber can resume and numbering goes on.
 *
 * Memory holds nothing that a statement under way may delete, however late the database carries it out: what it names
 * leaves memory first, is not read back from then on, and is not named while a turn builds on it.
 */
import type { ActorRow } from '../persistence/store.ts';
import type { Node } from './node.ts';
import type { Resident, Version } from './resident.ts';

/** Entries of a company that stay however old they are: what a subscriber may have missed (protocol section 6). */
const KEEP_ENTRIES = 10_000;
/** Rows per statement: about 5 ms of the database's time. */
const CHUNK = 500;
/** Pause between chunks, and between rounds when nothing was left to do, ms. */
const PAUSE_MS = 100;
const ROUND_MS = 60_000;
/** Between looks of a node that owns nothing yet, ms: one that takes over goes on where another ended. */
const IDLE_MS = 1_000;

/** What has ended and to which nothing is still to come: what the statement takes once it is old (store.ts, `prune`). */
function over(node: Node, actor: Resident, { state, timers }: Version, ended: ReadonlySet<string>): boolean {
  return ended.has(actor.kind.columns(state).state) && !node.slots.slotOf(actor.id) && timers.length === 0;
}

/**
 * Takes out of memory what the database is about to lose; before, because an actor in memory would be written back as
 * if it had never been stored, and be rejected. Answers how far the database may go, epoch ms: not beyond what a turn
 * that is not committed yet builds on.
 */
function forget(node: Node, before: number, ended: ReadonlySet<string>): number {
  const old: Resident[] = [];
  let until = before;
  for (const actor of node.residence.all()) {
    const version = actor.committed;
    if (!version || version.updatedAt >= before) continue;
    if (actor.pending) {
      // Its slot and its timers are the turn's already; the row is not.
      if (ended.has(actor.kind.columns(version.state).state)) until = Math.min(until, version.updatedAt);
    } else if (!actor.quarantine && over(node, actor, version, ended)) {
      old.push(actor);
    }
  }
  for (const actor of old) if (actor.committed!.updatedAt < until) node.residence.remove(actor.id);
  return until;
}

/** The newest of its company and kind is not deleted: its ordinal would be given again. */
function isNewest(node: Node, row: ActorRow): boolean {
  const company = node.partitions.get(row.partition)?.companies.get(row.companyId);
  return row.ordinal >= (company?.ordinals.get(row.kind) ?? 0);
}

/** Starts pruning; answers the way to stop it. `retentionMs` > 0. */
export function prune(node: Node, retentionMs: number): () => void {
  let callOff = () => {};
  let stopped = false;
  let asked = 0;
  const ended = new Set<string>();
  for (const kind of node.kinds.values()) for (const state of kind.ended ?? []) ended.add(state);
  node.condemned = (row) =>
    row.updatedAt < asked &&
    ended.has(row.state) &&
    row.pool === null &&
    row.dueAt === null &&
    !isNewest(node, row);
  const round = async () => {
    let wait = ROUND_MS;
    if (node.partitions.size === 0) {
      callOff = node.clock.after(IDLE_MS, () => void round());
      return;
    }
    try {
      const before = forget(node, node.clock.now() - retentionMs, ended);
      asked = Math.max(asked, before);
      const gone = await node.store.prune(node.held, before, [...ended], KEEP_ENTRIES, CHUNK);
      if (gone > 0) wait = PAUSE_MS;
    } catch (error) {
      node.log('warn', 'retention failed and tries again later', { error: String(error) });
    }
    if (!stopped) callOff = node.clock.after(wait, () => void round());
  };
  callOff = node.clock.after(PAUSE_MS, () => void round());
  return () => {
    stopped = true;
    callOff();
  };
}
