/** Retention in memory. The rules are those of `prune.ts`, which says why. */
import { partitionOf } from '../ids.ts';
import type { MemoryCatalog } from './memory-catalog.ts';
import type { MemoryPartition } from './memory-partition.ts';

export function prune(
  partitions: readonly MemoryPartition[],
  catalog: MemoryCatalog,
  before: number,
  ended: readonly string[],
  keepEntries: number,
  limit: number,
): number {
  let left = limit;
  left -= pruneEntries(partitions, catalog, before, Math.max(keepEntries, 1), left);
  left -= pruneRecords(partitions, catalog, before, left);
  return limit - left + pruneActors(partitions, catalog, before, ended, left);
}

/** The old end of each company's journal only, so that seq stays without a gap, and never the last entry. */
function pruneEntries(
  partitions: readonly MemoryPartition[],
  catalog: MemoryCatalog,
  before: number,
  keep: number,
  limit: number,
): number {
  let gone = 0;
  for (const company of catalog.everyCompany()) {
    const partition = partitions.find((p) => p.partition === partitionOf(company.id));
    const journal = partition?.journal.get(company.id);
    if (partition === undefined || journal === undefined) continue;
    const last = journal.at(-1)?.seq ?? 0;
    let count = 0;
    while (gone + count < limit) {
      const entry = journal[count];
      if (entry === undefined || entry.at >= before || entry.seq > last - keep) break;
      count++;
    }
    partition.removeOldest(company.id, count);
    gone += count;
  }
  return gone;
}

function pruneRecords(
  partitions: readonly MemoryPartition[],
  catalog: MemoryCatalog,
  before: number,
  limit: number,
): number {
  let gone = 0;
  for (const partition of partitions)
    for (const actorId of [...partition.records.keys()].sort()) {
      const own = partition.records.get(actorId)!;
      const old = [...own].filter(([, record]) => record.at < before).sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [key, record] of old.slice(0, limit - gone)) {
        own.delete(key);
        catalog.removeLog(record.id);
        gone++;
      }
      if (own.size === 0) partition.records.delete(actorId);
    }
  return gone;
}

/** Not the newest of its company and kind: its ordinal would be given again. And nothing that lives. */
function pruneActors(
  partitions: readonly MemoryPartition[],
  catalog: MemoryCatalog,
  before: number,
  ended: readonly string[],
  limit: number,
): number {
  const newest = (partition: MemoryPartition) => new Set([...partition.lists.values()].map((l) => l.at(-1)));
  let actors = 0;
  let gone = 0;
  for (const partition of partitions) {
    const kept = newest(partition);
    const old = [...partition.actors.values()]
      .filter((row) => row.updatedAt < before && ended.includes(row.state))
      .filter((row) => !kept.has(row) && !partition.lives(row.id))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit - actors);
    for (const row of old) {
      actors++;
      gone += partition.removeActor(row);
      catalog.removeLogsOf(row.id);
    }
  }
  return gone;
}
