/**
 * A company's committed entries on their way to subscribers: the last ones in memory, and who listens to what.
 *
 * F1 `publish` is called once per committed entry, in order of seq, never before its commit (A3).
 * F2 `since(n)` gives all entries after `n` or null when memory does not reach back that far (then the journal does).
 */
import type { Published } from './router.ts';

/** Entries kept in memory per company: a reconnecting subscriber rarely missed more. The journal has the rest. */
const KEPT_ENTRIES = 1024;
/**
 * Entries are kept while somebody listens and for this long after, ms: a subscriber whose connection broke comes back
 * within it. Where nobody listens none are kept – under load what is kept outlives the young generation, and collecting
 * it was a tenth of the server's time.
 */
const KEPT_FOR_MS = 60_000;
/** Entries kept over all companies: at about 1.5 kB each some 45 MB at the most. */
const MOST_ENTRIES = 30_000;

/** What the feeds of a node keep together; when it is too much, each gives up the older half of its own. */
export class FeedMemory {
  private readonly feeds = new Set<Feed>();
  private entries = 0;

  join(feed: Feed): void {
    this.feeds.add(feed);
  }

  leave(feed: Feed): void {
    if (this.feeds.delete(feed)) this.entries -= feed.kept;
  }

  /** One entry more is kept. */
  added(): void {
    if (++this.entries > MOST_ENTRIES) for (const feed of this.feeds) feed.halve();
  }

  /** So many entries fewer are kept. */
  dropped(count: number): void {
    this.entries -= count;
  }
}

/** Somebody who takes published entries, in order. */
export interface Listener {
  take(p: Published): void;
  /** The partition is lost: nothing more comes. */
  over(): void;
}

export class Feed {
  /** Last published seq. */
  head: number;
  private ring: Published[] = [];
  /** Time of the last entry that somebody listened to, epoch ms. */
  private heardAt = 0;
  private readonly everything = new Set<Listener>();
  private readonly byActor = new Map<string, Set<Listener>>();
  private readonly byPool = new Map<string, Set<Listener>>();

  private readonly memory: FeedMemory;

  constructor(head: number, memory: FeedMemory) {
    this.head = head;
    this.memory = memory;
    memory.join(this);
  }

  /** Entries in memory. */
  get kept(): number {
    return this.ring.length;
  }

  /** Gives up the older half of what is kept. */
  halve(): void {
    const gone = Math.ceil(this.ring.length / 2);
    this.ring = this.ring.slice(gone);
    this.memory.dropped(gone);
  }

  get listeners(): number {
    let count = this.everything.size;
    for (const set of this.byActor.values()) count += set.size;
    for (const set of this.byPool.values()) count += set.size;
    return count;
  }

  publish(p: Published): void {
    this.head = p.seq;
    this.keep(p);
    for (const listener of this.everything) give(listener, p);
    const actor = this.byActor.get(p.actorId);
    if (actor) for (const listener of actor) give(listener, p);
    if (this.byPool.size > 0) {
      for (const pool of p.watchers) {
        const set = this.byPool.get(pool);
        if (set) for (const listener of set) give(listener, p);
      }
    }
  }

  /** What is kept has no gap: the first entry not kept ends what was. */
  private keep(p: Published): void {
    if (this.everything.size > 0 || this.byActor.size > 0 || this.byPool.size > 0) this.heardAt = p.at;
    if (p.at - this.heardAt < KEPT_FOR_MS) {
      this.ring.push(p);
      this.memory.added();
      if (this.ring.length > 2 * KEPT_ENTRIES) this.halve();
    } else if (this.ring.length > 0) {
      this.memory.dropped(this.ring.length);
      this.ring = [];
    }
  }

  /** The entries after `seq` up to the head, or null when some of them are no longer in memory. */
  since(seq: number): readonly Published[] | null {
    const missing = this.head - seq;
    if (missing <= 0) return [];
    if (missing > this.ring.length) return null;
    return this.ring.slice(-missing);
  }

  listen(to: { all: true } | { actor: string } | { pool: string }, listener: Listener): () => void {
    if ('all' in to) {
      this.everything.add(listener);
      return () => this.everything.delete(listener);
    }
    const [index, key] = 'actor' in to ? [this.byActor, to.actor] : [this.byPool, to.pool];
    let set = index.get(key);
    if (!set) {
      set = new Set();
      index.set(key, set);
    }
    set.add(listener);
    return () => {
      set.delete(listener);
      if (set.size === 0 && index.get(key) === set) index.delete(key);
    };
  }

  /** The partition is lost: everybody who listens is told, and nobody listens any more. */
  close(): void {
    this.memory.leave(this);
    const all = new Set(this.everything);
    for (const set of [...this.byActor.values(), ...this.byPool.values()]) for (const l of set) all.add(l);
    this.everything.clear();
    this.byActor.clear();
    this.byPool.clear();
    for (const listener of all) listener.over();
  }
}

/** A listener that fails is told that it is over, and costs nobody else anything: a commit has landed, it must go on. */
function give(listener: Listener, p: Published): void {
  try {
    listener.take(p);
  } catch {
    listener.over();
  }
}
