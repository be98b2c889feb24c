/** The memory store's reads, one function a call of store.ts, over one partition's tables. Pure. */
import { listKey, type MemoryPartition, ordinalOf, position, seqOf, versionOf } from './memory-partition.ts';
import type { ActorRow, Counters, Counts, EntryRow, ListIndex, ListQuery, RecordRow } from './store.ts';

/** Actors with a pool, by (partition, id), after that key. `partitions` in order. */
export function live(
  partitions: readonly MemoryPartition[],
  after: { partition: number; id: string } | null,
  limit: number,
): ActorRow[] {
  const page: ActorRow[] = [];
  for (const partition of partitions) {
    if (partition.pooled.size === 0 || (after !== null && partition.partition < after.partition)) continue;
    for (const id of [...partition.pooled].sort()) {
      if (after !== null && partition.partition === after.partition && id <= after.id) continue;
      page.push(partition.actors.get(id)!);
      if (page.length === limit) return page;
    }
  }
  return page;
}

export function counters(partition: MemoryPartition, companyId: string, prefix: string): Counters {
  const ordinals: Record<string, number> = {};
  for (const [key, list] of [...partition.lists].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (key.startsWith(`${companyId}/`) && list.length > 0)
      ordinals[key.slice(companyId.length + 1)] = list.at(-1)!.ordinal;
  return { companyId, prefix, seq: lastSeq(partition, companyId), ordinals };
}

export function lastSeq(partition: MemoryPartition | undefined, companyId: string): number {
  return partition?.journal.get(companyId)?.at(-1)?.seq ?? 0;
}

export function due(
  partitions: readonly MemoryPartition[],
  before: number,
  limit: number,
  after?: { dueAt: number; id: string },
): { id: string; dueAt: number; version: number }[] {
  const found: { id: string; dueAt: number; version: number }[] = [];
  for (const partition of partitions)
    for (const id of partition.timed) {
      const { dueAt, version } = partition.actors.get(id)!;
      if (dueAt === null || dueAt >= before) continue;
      if (after !== undefined && (dueAt < after.dueAt || (dueAt === after.dueAt && id <= after.id))) continue;
      found.push({ id, dueAt, version });
    }
  found.sort((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1));
  return found.slice(0, limit);
}

export function snapshot(
  partition: MemoryPartition | undefined,
  query: ListQuery,
): { seq: number; rows: ActorRow[] } {
  const list = partition?.lists.get(listKey(query.companyId, query.kind)) ?? [];
  const rows: ActorRow[] = [];
  let n = position(list, (query.after ?? 0) + 1, ordinalOf);
  for (; n < list.length && rows.length < query.limit; n++) {
    const row = list[n]!;
    if (matches(row, query)) rows.push(row);
  }
  return { seq: lastSeq(partition, query.companyId), rows };
}

export function index(partition: MemoryPartition | undefined, query: ListQuery): ListIndex {
  const { seq, rows } = snapshot(partition, query);
  const array = (of: (row: ActorRow) => unknown) => JSON.stringify(rows.map(of));
  return {
    seq,
    count: rows.length,
    ordinals: array((row) => row.ordinal),
    ids: array((row) => row.id),
    dues: array((row) => row.dueAt),
  };
}

/** JSON that PostgreSQL's operators cannot read: see `readable` of list.ts. */
const UNREADABLE = /\\u(0000|[dD][89a-fA-F])/;

function matches(row: ActorRow, query: ListQuery): boolean {
  const { states, substates, assignee, priorities, atLeast, contains, about, ordinal } = query;
  if (
    (states !== undefined || substates !== undefined) &&
    !states?.includes(row.state) &&
    !(row.substate !== null && substates?.includes(`${row.state}.${row.substate}`))
  )
    return false;
  if (assignee !== undefined && row.assignee !== assignee) return false;
  if (priorities !== undefined && !priorities.includes(row.priority)) return false;
  if (ordinal !== undefined && row.ordinal !== ordinal) return false;
  if (
    about !== undefined &&
    row.pool !== about.id &&
    !(row.assignee === about.id && about.states.includes(row.state))
  )
    return false;
  if (atLeast !== undefined) {
    if (UNREADABLE.test(row.snapshot)) return false;
    const number = atLeast.path.reduce<unknown>(member, JSON.parse(row.snapshot));
    if (typeof number !== 'number' || number < atLeast.value) return false;
  }
  if (contains !== undefined) {
    if (row.head === null || UNREADABLE.test(row.head)) return false;
    const head: unknown = JSON.parse(row.head);
    const text = contains.text.toLowerCase();
    if (!contains.keys.some((key) => textOf(member(head, key)).toLowerCase().includes(text))) return false;
  }
  return true;
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export function counts(partition: MemoryPartition | undefined, companyId: string, dueBefore: number): Counts {
  const groups = new Map<string, { kind: string; state: string; substate: string | null; count: number }>();
  let due = 0;
  for (const row of partition?.actors.values() ?? []) {
    if (row.companyId !== companyId) continue;
    const { kind, state, substate } = row;
    const key = JSON.stringify([kind, state, substate ?? '\uffff']);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { kind, state, substate, count: 1 });
    else group.count++;
    if (row.dueAt !== null && row.dueAt < dueBefore) due++;
  }
  const rows = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  return { seq: lastSeq(partition, companyId), rows, due };
}

export function entries(
  partition: MemoryPartition | undefined,
  companyId: string,
  after: number,
  limit: number,
): { oldest: number; head: number; entries: EntryRow[] } {
  const journal = partition?.journal.get(companyId) ?? [];
  const from = position(journal, after + 1, seqOf);
  return {
    oldest: journal[0]?.seq ?? 1,
    head: journal.at(-1)?.seq ?? 0,
    entries: journal.slice(from, from + limit),
  };
}

export function history(
  partition: MemoryPartition | undefined,
  actorId: string,
  after: number,
  limit: number,
): EntryRow[] {
  const own = partition?.histories.get(actorId) ?? [];
  const from = position(own, after + 1, versionOf);
  return own.slice(from, from + limit);
}

export function records(
  partition: MemoryPartition | undefined,
  actorId: string,
  kind: string,
  limit: number,
  after?: { at: number; id: string },
): RecordRow[] {
  const later = (a: { at: number; id: string }, b: { at: number; id: string }) =>
    a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  return [...(partition?.records.get(actorId)?.values() ?? [])]
    .filter((record) => record.kind === kind && (after === undefined || later(record, after) > 0))
    .sort(later)
    .slice(0, limit);
}

export function companyRecords(
  partition: MemoryPartition | undefined,
  companyId: string,
  kind: string,
  limit: number,
  equals: { key: string; value: string } | null,
  after?: { actorId: string; id: string },
): RecordRow[] {
  const later = (a: { actorId: string; id: string }, b: { actorId: string; id: string }) =>
    a.actorId < b.actorId ? -1 : a.actorId > b.actorId ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  const wanted = (record: RecordRow) =>
    record.companyId === companyId &&
    record.kind === kind &&
    (after === undefined || later(record, after) > 0) &&
    (equals === null ||
      (!UNREADABLE.test(record.record) && member(JSON.parse(record.record), equals.key) === equals.value));
  return [...(partition?.records.values() ?? [])]
    .flatMap((own) => [...own.values()])
    .filter(wanted)
    .sort(later)
    .slice(0, limit);
}
