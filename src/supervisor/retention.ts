/**
 * Retention (protocol section 1, BATON_RETENTION_DAYS): deletes what is old, in chunks small enough that no commit
 * waits for them, from the old end of each company's journal. The last entries of a company are always kept, so that a
 * subscriber can resume and numbering goes on.
 */
import type { Node } from './node.ts';

/** Entries of a company that stay however old they are: what a subscriber may have missed (protocol section 6). */
const KEEP_ENTRIES = 10_000;
/** Rows per statement: about 5 ms of the database's time. */
const CHUNK = 500;
/** Pause between chunks, and between rounds when nothing was left to do, ms. */
const PAUSE_MS = 100;
const ROUND_MS = 60_000;
/** Between looks of a node that owns nothing yet, ms: one that takes over goes on where another ended. */
const IDLE_MS = 1_000;

/**
 * Takes out of memory what the database is about to lose; before, because an actor in memory would be written back as
 * if it had never been stored, and be rejected.
 */
function forget(node: Node, before: number, ended: ReadonlySet<string>): void {
  for (const actor of node.residence.all()) {
    const version = actor.committed;
    if (!version || actor.pending || actor.quarantine || version.updatedAt >= before) continue;
    if (!ended.has(actor.kind.columns(version.state).state)) continue;
    if (node.slots.slotOf(actor.id) || version.timers.length > 0) continue;
    node.residence.remove(actor.id);
  }
}

/** Starts pruning; answers the way to stop it. `retentionMs` > 0. */
export function prune(node: Node, retentionMs: number): () => void {
  let callOff = () => {};
  let stopped = false;
  const ended = new Set<string>();
  for (const kind of node.kinds.values()) for (const state of kind.ended ?? []) ended.add(state);
  const round = async () => {
    let wait = ROUND_MS;
    if (node.partitions.size === 0) {
      callOff = node.clock.after(IDLE_MS, () => void round());
      return;
    }
    try {
      const before = node.clock.now() - retentionMs;
      forget(node, before, ended);
      const gone = await node.store.prune([...node.owned], before, [...ended], KEEP_ENTRIES, CHUNK);
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
