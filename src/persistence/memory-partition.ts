/**
 * One partition of the memory store: its owner and epoch, and its tables with the unique keys of
 * `migrations/0001_core.sql`. Rows are kept as given, never copied without need. `violation` decides before anything
 * is written, so that applying cannot fail half-way (S3).
 */
import type { ActorRow, Batch, EntryRow, RecordRow } from './store.ts';

interface Violation {
  readonly error: Error;
  /** As in `Committed`. */
  readonly journalled: boolean;
}

export class MemoryPartition {
  readonly partition: number;
  owner: string | null = null;
  epoch = 0;

  readonly actors = new Map<string, ActorRow>();
  /** Ids of the actors with a timer, and of those that want or hold a slot. */
  readonly timed = new Set<string>();
  readonly pooled = new Set<string>();
  /** Company and kind → rows in order of ordinal. */
  readonly lists = new Map<string, ActorRow[]>();
  /** Company → entries in order of seq. */
  readonly journal = new Map<string, EntryRow[]>();
  /** Actor → entries in order of version. */
  readonly histories = new Map<string, EntryRow[]>();
  /** Actor → `kind/id` → record. */
  readonly records = new Map<string, Map<string, RecordRow>>();

  constructor(partition: number) {
    this.partition = partition;
  }

  /** Why these rows and entries of a batch cannot be stored, or null: unique keys, and a birth without a head. */
  violation(batch: Batch): Violation | null {
    const claimed = new Set<string>();
    for (const row of batch.rows) {
      if (row.partition !== this.partition) continue;
      if (claimed.has(row.id)) return of(`two rows of actor ${row.id} in one batch`);
      claimed.add(row.id);
      if (this.actors.has(row.id)) continue;
      if (row.head === null) return of(`actor ${row.id} is new and has no head`);
      const place = `${listKey(row.companyId, row.kind)}/${row.ordinal}`;
      const list = this.lists.get(listKey(row.companyId, row.kind));
      if (claimed.has(place) || (list !== undefined && found(list, row.ordinal, ordinalOf)))
        return of(`ordinal ${row.ordinal} of ${row.companyId} ${row.kind} is taken`);
      claimed.add(place);
    }
    for (const entry of batch.entries) {
      if (entry.partition !== this.partition) continue;
      const seq = `${entry.companyId}#${entry.seq}`;
      const kept = this.journal.get(entry.companyId);
      if (claimed.has(seq) || (kept !== undefined && found(kept, entry.seq, seqOf))) continue;
      claimed.add(seq);
      const version = `${entry.actorId}@${entry.version}`;
      const history = this.histories.get(entry.actorId);
      if (claimed.has(version) || (history !== undefined && found(history, entry.version, versionOf)))
        return of(`version ${entry.version} of actor ${entry.actorId} is journalled already`, true);
      claimed.add(version);
    }
    return null;
  }

  /** Rows only forwards, entries and records once: a repeat writes nothing (S2). */
  putRow(row: ActorRow): void {
    const old = this.actors.get(row.id);
    if (old !== undefined && old.version >= row.version) return;
    const next = old === undefined ? row : successor(old, row);
    this.actors.set(next.id, next);
    if (next.dueAt === null) this.timed.delete(next.id);
    else this.timed.add(next.id);
    if (next.pool === null) this.pooled.delete(next.id);
    else this.pooled.add(next.id);
    const list = bucket(this.lists, listKey(next.companyId, next.kind));
    const at = position(list, next.ordinal, ordinalOf);
    list.splice(at, old === undefined ? 0 : 1, next);
  }

  putEntry(entry: EntryRow): void {
    const journal = bucket(this.journal, entry.companyId);
    const at = position(journal, entry.seq, seqOf);
    if (journal[at]?.seq === entry.seq) return;
    journal.splice(at, 0, entry);
    const history = bucket(this.histories, entry.actorId);
    history.splice(position(history, entry.version, versionOf), 0, entry);
  }

  putRecord(record: RecordRow): void {
    const key = `${record.kind}/${record.id}`;
    let own = this.records.get(record.actorId);
    if (own === undefined) {
      own = new Map();
      this.records.set(record.actorId, own);
    }
    if (!own.has(key)) own.set(key, record);
  }

  /** It wants or holds a slot, or has a timer: whatever its state, something is still to come of it. */
  lives(actorId: string): boolean {
    return this.pooled.has(actorId) || this.timed.has(actorId);
  }

  /** The actor and its records go; its entries go with the old end of the journal. Answers how many rows went. */
  removeActor(row: ActorRow): number {
    this.actors.delete(row.id);
    this.timed.delete(row.id);
    this.pooled.delete(row.id);
    const list = bucket(this.lists, listKey(row.companyId, row.kind));
    list.splice(position(list, row.ordinal, ordinalOf), 1);
    const records = this.records.get(row.id)?.size ?? 0;
    this.records.delete(row.id);
    return 1 + records;
  }

  /** Drops a company's `count` oldest entries. */
  removeOldest(companyId: string, count: number): void {
    for (const entry of bucket(this.journal, companyId).splice(0, count)) {
      const history = bucket(this.histories, entry.actorId);
      history.splice(position(history, entry.version, versionOf), 1);
      if (history.length === 0) this.histories.delete(entry.actorId);
    }
  }
}

function of(what: string, journalled = false): Violation {
  return { error: new Error(what), journalled };
}

export const listKey = (companyId: string, kind: string): string => `${companyId}/${kind}`;
export const ordinalOf = (row: ActorRow): number => row.ordinal;
export const seqOf = (entry: EntryRow): number => entry.seq;
export const versionOf = (entry: EntryRow): number => entry.version;

/** Index of the first element whose key is at least `key`, in a list ordered by it; the usual case, the end, first. */
export function position<T>(list: readonly T[], key: number, keyOf: (item: T) => number): number {
  let low = 0;
  let high = list.length;
  if (high === 0 || keyOf(list[high - 1]!) < key) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyOf(list[middle]!) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function found<T>(list: readonly T[], key: number, keyOf: (item: T) => number): boolean {
  const item = list[position(list, key, keyOf)];
  return item !== undefined && keyOf(item) === key;
}

function bucket<T>(map: Map<string, T[]>, key: string): T[] {
  let list = map.get(key);
  if (list === undefined) {
    list = [];
    map.set(key, list);
  }
  return list;
}

/** What the update of the commit statement leaves of the old row: its place, and its head where none came. */
function successor(old: ActorRow, row: ActorRow): ActorRow {
  if (
    row.head !== null &&
    row.ordinal === old.ordinal &&
    row.companyId === old.companyId &&
    row.kind === old.kind
  )
    return row;
  return {
    ...row,
    head: row.head ?? old.head,
    ordinal: old.ordinal,
    companyId: old.companyId,
    kind: old.kind,
  };
}
