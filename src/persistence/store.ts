/**
 * THE contract of durable state (ARCHITECTURE A1, A4, A5). Two implementations, `postgres-store.ts` and
 * `memory-store.ts`, are held equal by one suite (`test/contract/`). A store knows partitions, owners and epochs, and
 * rows of JSON text; it knows no domain word.
 *
 * Invariants the suite checks:
 * S1 A commit writes, and `prune` deletes, only for partitions whose row says `owner` and `epoch`, proved in the same
 *    statement (A1).
 * S2 The same batch again is a no-op: rows by version, entries by (partition, company, seq), records by key.
 * S3 A batch is atomic: all of a proved partition's rows, entries and records, or none.
 * S4 Epochs only grow; a partition has at most one owner.
 */

/** One actor's latest state. Text columns are stored as given; `snapshot` and `head` are JSON text. */
export interface ActorRow {
  readonly partition: number;
  readonly id: string;
  readonly companyId: string;
  readonly kind: string;
  /** The actor's number among its kind in its company, from 1, gap-free: lists are in this order. Never changes. */
  readonly ordinal: number;
  readonly state: string;
  readonly substate: string | null;
  readonly assignee: string | null;
  readonly priority: number;
  /** The pool it wants or holds a slot of; null: neither, and recovery need not know it. */
  readonly pool: string | null;
  readonly holds: boolean;
  readonly rank: number | null;
  /** Epoch ms of its earliest timer. */
  readonly dueAt: number | null;
  readonly version: number;
  readonly machineVersion: number;
  readonly snapshot: string;
  /** Null in a batch: unchanged. Never null when read. */
  readonly head: string | null;
  readonly updatedAt: number;
}

/** One journal row. `entry` is JSON text. */
export interface EntryRow {
  readonly partition: number;
  readonly companyId: string;
  readonly seq: number;
  readonly actorId: string;
  readonly version: number;
  readonly epoch: number;
  readonly at: number;
  readonly entry: string;
}

/** Something finished, inserted once. `record` is JSON text. */
export interface RecordRow {
  readonly partition: number;
  readonly companyId: string;
  readonly actorId: string;
  readonly kind: string;
  readonly id: string;
  readonly at: number;
  readonly record: string;
}

/** What a node says that it holds, for the database to prove. */
export interface Held {
  readonly owner: string;
  /** Partition → epoch. */
  readonly epochs: ReadonlyMap<number, number>;
}

/** What one commit writes: at most one row per actor; whole turns. `epochs`: of every partition that it touches. */
export interface Batch extends Held {
  readonly rows: readonly ActorRow[];
  readonly entries: readonly EntryRow[];
  readonly records: readonly RecordRow[];
}

export type Committed =
  /** A partition of the batch that is not in `proved` wrote nothing: it has another owner, drop it. */
  | { readonly is: 'committed'; readonly proved: ReadonlySet<number> }
  /** May or may not have landed: send the same batch again. */
  | { readonly is: 'unknown'; readonly error: Error }
  /**
   * The data cannot be stored: nothing was written. `journalled`: because the journal has one of these versions of an
   * actor already, at another seq.
   */
  | { readonly is: 'rejected'; readonly error: Error; readonly journalled: boolean };

export interface Owned {
  readonly partition: number;
  readonly epoch: number;
}

/** Which actors of a company; all conditions are joined by AND, in order of `ordinal`. */
export interface ListQuery {
  readonly companyId: string;
  readonly kind: string;
  readonly states?: readonly string[];
  /** States with their substate, `running.queued`; given together with `states`, one of either is enough. */
  readonly substates?: readonly string[];
  readonly assignee?: string;
  readonly priorities?: readonly number[];
  /** The number at this path of the snapshot is at least `value` (`['context','attempt']`). */
  readonly atLeast?: { readonly path: readonly string[]; readonly value: number };
  /** One of the texts at these top-level keys of the head contains `text`, case ignored. */
  readonly contains?: { readonly keys: readonly string[]; readonly text: string };
  /** Wants or holds a slot of pool `id`, or is assigned to `id` while in one of `states`. */
  readonly about?: { readonly id: string; readonly states: readonly string[] };
  readonly ordinal?: number;
  /** Only ordinals above this one. */
  readonly after?: number;
  readonly limit: number;
}

/**
 * Which actors a list holds, in its order. JSON arrays as text, element by element of the same actor: a hundred thousand
 * numbers are not worth parsing to be written again.
 */
export interface ListIndex {
  /** The company's last seq as of this index. */
  readonly seq: number;
  readonly count: number;
  readonly ordinals: string;
  readonly ids: string;
  /** Epoch ms of each one's earliest timer, or null. */
  readonly dues: string;
}

/** Where a company's numbering stands, read once when its partition is taken (A8). */
export interface Counters {
  readonly companyId: string;
  readonly prefix: string;
  /** Last seq given, 0 before the first. */
  readonly seq: number;
  /** Kind → last ordinal given. */
  readonly ordinals: Readonly<Record<string, number>>;
}

export interface Counts {
  /** The company's last seq as of this count. */
  readonly seq: number;
  readonly rows: readonly {
    readonly kind: string;
    readonly state: string;
    readonly substate: string | null;
    readonly count: number;
  }[];
  /** Actors with a timer due before the given time. */
  readonly due: number;
}

export interface Store {
  /** Never throws for what the contract names; a programming error may. */
  commit(batch: Batch): Promise<Committed>;

  // -- ownership, all by the database's clock ------------------------------------------------
  /** Says that `node` lives. Answers the database's clock, epoch ms, and how many partitions the node owns. */
  beat(node: string): Promise<{ databaseNow: number; owned: number }>;
  /**
   * Tells `listener` when the sign of life by which `node` would not provably be gone was lost: until its next beat
   * another node may take its partitions, however short its silence.
   */
  onDoubt(node: string, listener: () => void): void;
  /**
   * Takes up to `want` partitions whose owner is nobody, has not beaten for `ttlMs`, has provably gone, or is `node`
   * itself (a lost reply: those in `holding` are left alone). Each gets a higher epoch.
   */
  acquire(node: string, ttlMs: number, want: number, holding: ReadonlySet<number>): Promise<Owned[]>;
  /**
   * Says that the way to the database was broken and is not any more: whoever still waits for an answer from before hears
   * at once that it will not come, and connections from before are not used again. Heartbeats are left alone.
   */
  renew(): void;
  /** Gives partitions up, so that another node may take them at once. */
  release(node: string, partitions: readonly number[]): Promise<void>;
  /** Current owner and epoch of partitions, for answering who owns what. */
  owners(
    partitions: readonly number[],
  ): Promise<{ partition: number; owner: string | null; epoch: number }[]>;

  // -- reads ---------------------------------------------------------------------------------
  load(ids: readonly string[]): Promise<ActorRow[]>;
  /** All of the partitions' actors whose `pool` is not null, in pages. */
  live(partitions: readonly number[]): AsyncIterable<ActorRow[]>;
  /** Numbering of every company that lives in the partitions. */
  counters(partitions: readonly number[]): Promise<Counters[]>;
  /** Earliest timers first, due before `before` (epoch ms), at most `limit`. */
  due(
    partitions: ReadonlySet<number>,
    before: number,
    limit: number,
    after?: { dueAt: number; id: string },
  ): Promise<{ id: string; dueAt: number; version: number }[]>;
  /** The company's last seq and the rows as of it: one statement, so a subscription can join there. */
  snapshot(query: ListQuery): Promise<{ seq: number; rows: ActorRow[] }>;
  /** The same choice of rows as `snapshot`, of each only what places it in a list. */
  index(query: ListQuery): Promise<ListIndex>;
  counts(companyId: string, dueBefore: number): Promise<Counts>;
  /** A company's entries with seq > `after`, in order. The first seq still kept is `oldest` (1 before any retention). */
  entries(
    companyId: string,
    after: number,
    limit: number,
  ): Promise<{ oldest: number; head: number; entries: EntryRow[] }>;
  /** One actor's entries with version > `after`, in order. */
  history(actorId: string, after: number, limit: number): Promise<EntryRow[]>;
  /** Records of one actor, by (at, id), after that key. */
  records(
    actorId: string,
    kind: string,
    limit: number,
    after?: { at: number; id: string },
  ): Promise<RecordRow[]>;
  /** Records of a company, by (actorId, id), after that key; `equals` compares one top-level text of the record. */
  companyRecords(
    companyId: string,
    kind: string,
    limit: number,
    equals: { key: string; value: string } | null,
    after?: { actorId: string; id: string },
  ): Promise<RecordRow[]>;
  record(actorId: string, kind: string, id: string): Promise<RecordRow | null>;

  /**
   * Deletes up to `limit` old things of the partitions: journal entries with `at` < `before` that are below the last
   * `keepEntries` of their company, records with `at` < `before`, and actors in one of `ended` not updated since that
   * neither want nor hold a slot nor have a timer, with all that is theirs. Of a partition that is not `held` nothing
   * goes (S1). Answers how many rows went; 0: nothing left to do.
   */
  prune(
    held: Held,
    before: number,
    ended: readonly string[],
    keepEntries: number,
    limit: number,
  ): Promise<number>;

  /** What the database is, for the first lines a person sees; throws when it does not answer. */
  check(): Promise<{ product: string; version: string }>;
  close(): Promise<void>;
}
