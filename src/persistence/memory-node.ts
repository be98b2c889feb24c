import type { MemoryStore } from './memory-store.ts';
import type { Store } from './store.ts';

/** One node's way to the memory store that it shares with others: its reads fail under its own name. Closing it closes nothing. */
export class MemoryNode implements Store {
  readonly #store: MemoryStore;
  readonly #node: string;

  constructor(store: MemoryStore, node: string) {
    this.#store = store;
    this.#node = node;
  }

  commit: Store['commit'] = (batch) => this.#store.commit(batch);
  beat: Store['beat'] = (node) => this.#store.beat(node);
  onDoubt: Store['onDoubt'] = (node, listener) => this.#store.onDoubt(node, listener);
  acquire: Store['acquire'] = (node, ttlMs, want, holding) => this.#store.acquire(node, ttlMs, want, holding);
  release: Store['release'] = (node, partitions) => this.#store.release(node, partitions);
  owners: Store['owners'] = (partitions) => this.#store.owners(partitions, this.#node);
  load: Store['load'] = (ids) => this.#store.load(ids, this.#node);
  live: Store['live'] = (partitions) => this.#store.live(partitions, this.#node);
  counters: Store['counters'] = (partitions) => this.#store.counters(partitions, this.#node);
  due: Store['due'] = (partitions, before, limit, after) =>
    this.#store.due(partitions, before, limit, after, this.#node);
  snapshot: Store['snapshot'] = (query) => this.#store.snapshot(query, this.#node);
  index: Store['index'] = (query) => this.#store.index(query, this.#node);
  counts: Store['counts'] = (companyId, dueBefore) => this.#store.counts(companyId, dueBefore, this.#node);
  entries: Store['entries'] = (companyId, after, limit) =>
    this.#store.entries(companyId, after, limit, this.#node);
  history: Store['history'] = (actorId, after, limit) =>
    this.#store.history(actorId, after, limit, this.#node);
  records: Store['records'] = (actorId, kind, limit, after) =>
    this.#store.records(actorId, kind, limit, after, this.#node);
  companyRecords: Store['companyRecords'] = (companyId, kind, limit, equals, after) =>
    this.#store.companyRecords(companyId, kind, limit, equals, after, this.#node);
  record: Store['record'] = (actorId, kind, id) => this.#store.record(actorId, kind, id, this.#node);
  prune: Store['prune'] = (held, before, ended, keepEntries, limit) =>
    this.#store.prune(held, before, ended, keepEntries, limit, this.#node);
  check: Store['check'] = () => this.#store.check(this.#node);
  renew: Store['renew'] = () => {};
  close: Store['close'] = async () => {};
}
