/** Builders for the store's tests: a small company in partition 0x00a unless the case says otherwise. */
import { idOf, partitionOf } from '../../src/ids.ts';
import type { ActorRow, Batch, EntryRow, RecordRow, Store } from '../../src/persistence/store.ts';

export const HOME = 0x00a;

export const id = (letter: string, n: number, partition = HOME): string =>
  idOf(letter, partition, n.toString(16).padStart(8, '0'));

export const company = (n: number, partition = HOME) => ({
  id: id('c', n, partition),
  name: `Company ${n}`,
  prefix: `P${partition}X${n}`,
  createdAt: 1_000 + n,
});

/** The n-th issue of company 1. */
export function row(n: number, some: Partial<ActorRow> = {}): ActorRow {
  const actor = some.id ?? id('i', n);
  return {
    partition: partitionOf(actor),
    id: actor,
    companyId: id('c', 1, partitionOf(actor)),
    kind: 'issue',
    ordinal: n,
    state: 'idle',
    substate: null,
    assignee: null,
    priority: 2,
    pool: null,
    holds: false,
    rank: null,
    dueAt: null,
    version: 1,
    machineVersion: 1,
    snapshot: `{"value":"idle","context":{"n":${n}}}`,
    head: `{"title":"Issue ${n}"}`,
    updatedAt: 5_000,
    ...some,
  };
}

/** The entry of an actor's version; `epoch` is put right by `batch`. */
export function entry(
  seq: number,
  actorId = id('i', 1),
  version = seq,
  some: Partial<EntryRow> = {},
): EntryRow {
  const partition = partitionOf(actorId);
  const text = `{"seq":${seq}}`;
  return {
    partition,
    companyId: id('c', 1, partition),
    seq,
    actorId,
    version,
    epoch: 0,
    at: 5_000 + seq,
    entry: text,
    ...some,
  };
}

export function record(n: number, some: Partial<RecordRow> = {}): RecordRow {
  const actorId = some.actorId ?? id('i', 1);
  return {
    partition: partitionOf(actorId),
    companyId: id('c', 1, partitionOf(actorId)),
    actorId,
    kind: 'run',
    id: `${actorId}.${n}`,
    at: 5_000 + n,
    record: `{"agentId":"a${n % 2}","n":${n}}`,
    ...some,
  };
}

export type Writes = Partial<Pick<Batch, 'rows' | 'entries' | 'records'>>;

/** A batch of `owner` at these epochs; entries get the epoch of their partition. */
export function batch(owner: string, epochs: ReadonlyMap<number, number>, writes: Writes): Batch {
  const { rows = [], entries = [], records = [] } = writes;
  const dated = entries.map((e) => ({ ...e, epoch: epochs.get(e.partition) ?? e.epoch }));
  return { owner, epochs, rows, entries: dated, records };
}

/** Takes every partition that `node` can get. Answers partition → epoch. */
export async function own(store: Store, node: string, want = 4096, ttlMs = 60_000) {
  await store.beat(node);
  const owned = await store.acquire(node, ttlMs, want, new Set());
  return new Map(owned.map(({ partition, epoch }) => [partition, epoch]));
}

/** Those entries of `epochs` that a batch on `partitions` needs. */
export function only(epochs: ReadonlyMap<number, number>, ...partitions: number[]): Map<number, number> {
  return new Map(partitions.map((p) => [p, epochs.get(p)!]));
}

export async function all<T>(pages: AsyncIterable<T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}
