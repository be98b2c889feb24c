/**
 * The store in memory: the fence, the versions, the unique keys and the leases of PostgreSQL, on a clock that is
 * handed in. Several nodes share one `MemoryStore`, as they would share a database; each calls through its own handle
 * (`forNode`), so that faults can be dealt per node. The contract suite holds it equal to `postgres-store.ts`.
 *
 * Invariants: S1–S4 of store.ts; every call is applied in one synchronous step; nothing here draws chance, reads a
 * clock of its own or sets a timer, so the same calls give the same answers.
 */
import { PARTITIONS, partitionOf } from '../ids.ts';
import { MemoryCatalog } from './memory-catalog.ts';
import { type Heard, type MemoryFaults, type StoreCall, under } from './memory-faults.ts';
import { MemoryNode } from './memory-node.ts';
import { MemoryPartition } from './memory-partition.ts';
import { prune } from './memory-prune.ts';
import * as reads from './memory-reads.ts';
import type {
  ActorRow,
  Batch,
  Committed,
  EntryRow,
  Held,
  ListQuery,
  Owned,
  RecordRow,
  Store,
} from './store.ts';

/** Actors in one page of `live`. */
const LIVE_PAGE = 1_000;

export interface MemoryOptions {
  /** The database's clock, epoch ms. */
  readonly now: () => number;
  readonly faults?: MemoryFaults;
  /** Where companies are: numbering and retention go by them. Default: a catalog of its own. */
  readonly catalog?: MemoryCatalog;
  /** The partitions there are; fewer make a simulation cheaper. Default: all 4,096. */
  readonly partitions?: readonly number[];
}

/** Everything that is stored, in key order: what two stores are compared by. */
export interface Dump {
  readonly partitions: { partition: number; owner: string | null; epoch: number }[];
  readonly actors: ActorRow[];
  readonly entries: EntryRow[];
  readonly records: RecordRow[];
}

export class MemoryStore implements Store {
  readonly catalog: MemoryCatalog;
  readonly #now: () => number;
  readonly #faults: MemoryFaults | undefined;
  readonly #partitions = new Map<number, MemoryPartition>();
  /** Owner → its partitions, so that looking for orphans costs the number of nodes, not of partitions. */
  readonly #held = new Map<string | null, Set<number>>();
  /** Node → when it last beat; and the nodes whose advisory lock is free. */
  readonly #seen = new Map<string, number>();
  readonly #gone = new Set<string>();
  readonly #doubted = new Map<string, () => void>();

  constructor(options: MemoryOptions) {
    this.#now = options.now;
    this.#faults = options.faults;
    this.catalog = options.catalog ?? new MemoryCatalog();
    const all = options.partitions ?? Array.from({ length: PARTITIONS }, (_, n) => n);
    for (const n of [...all].sort((a, b) => a - b)) this.#partitions.set(n, new MemoryPartition(n));
    this.#held.set(null, new Set(this.#partitions.keys()));
  }

  /** The same database as `node` sees it: faults of its reads are asked for under its name. */
  forNode(node: string): Store {
    return new MemoryNode(this, node);
  }

  /** The node's process is gone: its advisory lock is free, its partitions may be taken at once. A beat undoes it. */
  nodeGone(node: string): void {
    this.#gone.add(node);
  }

  /** The node lives and its advisory lock is free all the same: its connection broke. It is told. */
  nodeDoubted(node: string): void {
    this.nodeGone(node);
    this.#doubted.get(node)?.();
  }

  /** Nothing that waits here is without an answer for longer than its fate says. */
  renew(): void {}

  onDoubt(node: string, listener: () => void): void {
    this.#doubted.set(node, listener);
  }

  async commit(batch: Batch): Promise<Committed> {
    const heard = await this.#under('commit', batch.owner, () => this.#commit(batch));
    switch (heard.is) {
      case 'answered':
        return heard.value;
      case 'unheard':
        return { is: 'unknown', error: heard.error };
      case 'refused':
        return { is: 'rejected', error: heard.error, journalled: false };
    }
  }

  #commit(batch: Batch): Committed {
    const proved = this.#proved(batch);
    for (const partition of proved.values()) {
      const violation = partition.violation(batch);
      if (violation !== null) return { is: 'rejected', ...violation };
    }
    for (const row of batch.rows) proved.get(row.partition)?.putRow(row);
    for (const entry of batch.entries) proved.get(entry.partition)?.putEntry(entry);
    for (const record of batch.records) proved.get(record.partition)?.putRecord(record);
    return { is: 'committed', proved: new Set(proved.keys()) };
  }

  #proved({ owner, epochs }: Held): Map<number, MemoryPartition> {
    const proved = new Map<number, MemoryPartition>();
    for (const [n, epoch] of epochs) {
      const partition = this.#partitions.get(n);
      if (partition?.owner === owner && partition.epoch === epoch) proved.set(n, partition);
    }
    return proved;
  }

  async beat(node: string): Promise<{ databaseNow: number; owned: number }> {
    return this.call('beat', node, () => {
      const databaseNow = this.#now();
      this.#seen.set(node, databaseNow);
      this.#gone.delete(node);
      return { databaseNow, owned: this.#held.get(node)?.size ?? 0 };
    });
  }

  async acquire(node: string, ttlMs: number, want: number, holding: ReadonlySet<number>): Promise<Owned[]> {
    return this.call('acquire', node, () => {
      const orphans: number[] = [];
      for (const [owner, partitions] of this.#held) {
        if (owner === node) for (const n of partitions) holding.has(n) || orphans.push(n);
        else if (this.#orphaned(owner, ttlMs)) orphans.push(...partitions);
      }
      orphans.sort((a, b) => a - b);
      return orphans.slice(0, want).map((n) => {
        const partition = this.#partitions.get(n)!;
        partition.epoch = Math.max(partition.epoch + 1, Math.floor(this.#now()));
        this.#give(partition, node);
        return { partition: n, epoch: partition.epoch };
      });
    });
  }

  #orphaned(owner: string | null, ttlMs: number): boolean {
    if (owner === null || this.#gone.has(owner)) return true;
    const seen = this.#seen.get(owner);
    return seen === undefined || seen < this.#now() - ttlMs;
  }

  async release(node: string, partitions: readonly number[]): Promise<void> {
    return this.call('release', node, () => {
      for (const n of partitions) {
        const partition = this.#partitions.get(n);
        if (partition?.owner === node) this.#give(partition, null);
      }
    });
  }

  #give(partition: MemoryPartition, owner: string | null): void {
    this.#held.get(partition.owner)!.delete(partition.partition);
    let held = this.#held.get(owner);
    if (held === undefined) {
      held = new Set();
      this.#held.set(owner, held);
    }
    held.add(partition.partition);
    partition.owner = owner;
  }

  async owners(
    partitions: readonly number[],
    node: string | null = null,
  ): Promise<{ partition: number; owner: string | null; epoch: number }[]> {
    return this.call('owners', node, () =>
      this.#of(partitions).map(({ partition, owner, epoch }) => ({ partition, owner, epoch })),
    );
  }

  /** Those of `partitions` that there are, in order, each once. */
  #of(partitions: Iterable<number>): MemoryPartition[] {
    const sorted = [...new Set(partitions)].sort((a, b) => a - b);
    return sorted.flatMap((n) => this.#partitions.get(n) ?? []);
  }

  /** Everything stored, whatever the faults. */
  dump(): Dump {
    const all = [...this.#partitions.values()];
    return {
      partitions: all.map(({ partition, owner, epoch }) => ({ partition, owner, epoch })),
      actors: all.flatMap((p) => [...p.actors.values()].sort((a, b) => (a.id < b.id ? -1 : 1))),
      entries: all.flatMap((p) => [...p.journal.keys()].sort().flatMap((company) => p.journal.get(company)!)),
      records: all
        .flatMap((p) => [...p.records.values()].flatMap((own) => [...own.values()]))
        .sort(recordOrder),
    };
  }

  // -- reads: what they answer is in memory-reads.ts -------------------------------------------

  async load(ids: readonly string[], node: string | null = null): Promise<ActorRow[]> {
    return this.call('load', node, () =>
      [...new Set(ids)].flatMap((id) => this.#partitions.get(partitionOf(id))?.actors.get(id) ?? []),
    );
  }

  async *live(partitions: readonly number[], node: string | null = null): AsyncGenerator<ActorRow[]> {
    let after: { partition: number; id: string } | null = null;
    while (true) {
      const page: ActorRow[] = await this.call('live', node, () =>
        reads.live(this.#of(partitions), after, LIVE_PAGE),
      );
      if (page.length > 0) yield page;
      const last = page.at(-1);
      if (last === undefined || page.length < LIVE_PAGE) return;
      after = { partition: last.partition, id: last.id };
    }
  }

  async counters(partitions: readonly number[], node: string | null = null) {
    const wanted = new Set(partitions);
    return this.call('counters', node, () =>
      this.catalog
        .everyCompany()
        .filter((company) => wanted.has(partitionOf(company.id)))
        .flatMap((company) => {
          const partition = this.#partitions.get(partitionOf(company.id));
          return partition === undefined ? [] : [reads.counters(partition, company.id, company.prefix)];
        }),
    );
  }

  async due(
    partitions: ReadonlySet<number>,
    before: number,
    limit: number,
    after?: { dueAt: number; id: string },
    node: string | null = null,
  ) {
    return this.call('due', node, () => reads.due(this.#of(partitions), before, limit, after));
  }

  async snapshot(query: ListQuery, node: string | null = null) {
    return this.call('snapshot', node, () => reads.snapshot(this.#home(query.companyId), query));
  }

  async index(query: ListQuery, node: string | null = null) {
    return this.call('index', node, () => reads.index(this.#home(query.companyId), query));
  }

  async counts(companyId: string, dueBefore: number, node: string | null = null) {
    return this.call('counts', node, () => reads.counts(this.#home(companyId), companyId, dueBefore));
  }

  async entries(companyId: string, after: number, limit: number, node: string | null = null) {
    return this.call('entries', node, () => reads.entries(this.#home(companyId), companyId, after, limit));
  }

  async history(actorId: string, after: number, limit: number, node: string | null = null) {
    return this.call('history', node, () => reads.history(this.#home(actorId), actorId, after, limit));
  }

  async records(
    actorId: string,
    kind: string,
    limit: number,
    after?: { at: number; id: string },
    node: string | null = null,
  ) {
    return this.call('records', node, () => reads.records(this.#home(actorId), actorId, kind, limit, after));
  }

  async companyRecords(
    companyId: string,
    kind: string,
    limit: number,
    equals: { key: string; value: string } | null,
    after?: { actorId: string; id: string },
    node: string | null = null,
  ) {
    return this.call('companyRecords', node, () =>
      reads.companyRecords(this.#home(companyId), companyId, kind, limit, equals, after),
    );
  }

  async record(actorId: string, kind: string, id: string, node: string | null = null) {
    return this.call(
      'record',
      node,
      () => this.#home(actorId)?.records.get(actorId)?.get(`${kind}/${id}`) ?? null,
    );
  }

  #home(id: string): MemoryPartition | undefined {
    return this.#partitions.get(partitionOf(id));
  }

  async prune(
    held: Held,
    before: number,
    ended: readonly string[],
    keepEntries: number,
    limit: number,
    node: string | null = null,
  ): Promise<number> {
    return this.call('prune', node, () =>
      prune(this.#of(this.#proved(held).keys()), this.catalog, before, ended, keepEntries, limit),
    );
  }

  async check(node: string | null = null): Promise<{ product: string; version: string }> {
    return this.call('check', node, () => ({ product: 'memory', version: '1' }));
  }

  async close(): Promise<void> {}

  #under<T>(call: StoreCall, node: string | null, apply: () => T): Promise<Heard<T>> {
    return under(this.#faults?.fate(call, node), call, apply);
  }

  /** A call other than commit: whatever is not answered rejects. */
  private async call<T>(call: StoreCall, node: string | null, apply: () => T): Promise<T> {
    const heard = await this.#under(call, node, apply);
    if (heard.is === 'answered') return heard.value;
    throw heard.error;
  }
}

function recordOrder(a: RecordRow, b: RecordRow): number {
  const left = [a.actorId, a.kind, a.id];
  const right = [b.actorId, b.kind, b.id];
  const differs = left.findIndex((text, n) => text !== right[n]);
  return a.partition - b.partition || (differs < 0 ? 0 : left[differs]! < right[differs]! ? -1 : 1);
}
