/** Defects of the fence, the version check and the acknowledgement in the database. */
import { MemoryPartition } from '../../../src/persistence/memory-partition.ts';
import type { MemoryStore } from '../../../src/persistence/memory-store.ts';
import type { ActorRow, Batch, Store } from '../../../src/persistence/store.ts';
import { harder, type Mutant, replaced } from './mutant.ts';

/** The batch as whoever owns its partitions would send it, asked when the database looks: the fence lets it through. */
function unfenced(database: MemoryStore, batch: Batch): Batch {
  const of = (partition: number) => database.dump().partitions.find((p) => p.partition === partition);
  const numbers = [...batch.epochs.keys()];
  return {
    ...batch,
    get owner() {
      return of(numbers[0]!)?.owner ?? batch.owner;
    },
    get epochs() {
      return new Map(numbers.map((n) => [n, of(n)?.epoch ?? 0]));
    },
  };
}

function rowsChanged(row: ActorRow, change: (stored: Record<string, unknown>) => void): ActorRow {
  const stored = JSON.parse(row.snapshot) as Record<string, unknown>;
  change(stored);
  return { ...row, snapshot: JSON.stringify(stored) };
}

const loadsWithout =
  (field: 'timers' | 'keys') =>
  (store: Store): Store => ({
    ...store,
    load: async (ids) =>
      (await store.load(ids)).map((row) =>
        rowsChanged(row, (stored) => {
          delete stored[field];
        }),
      ),
  });

/** Runs that go on, whatever becomes of their issue. */
const KEEPING = { succeed: 1, open: 0, complete: 0, transient: 1, permanent: 0, vanish: 0, zombie: 0 };

/** Two nodes that lose their partitions to each other all the time, with commits that arrive late. */
const CONTESTED = harder(
  { pauseEvery: 3000, late: 0.1, lateMs: 5000, unanswered: 0.03, timeoutMs: 1000 },
  { nodes: 2, ttlMs: 2000 },
);

export const STORE_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-epoch',
    breaks: 'a commit does not prove its epoch: it takes the one in the partition row',
    killedBy: 'P2',
    seeds: [56],
    plan: CONTESTED,
    store: (store, database) => ({ ...store, commit: (batch) => store.commit(unfenced(database, batch)) }),
  },
  {
    name: 'epoch-checked-without-lock',
    breaks: 'the epoch is looked at before the commit, not with it: a takeover fits in between',
    killedBy: 'P2',
    seeds: [70],
    plan: CONTESTED,
    store: (store, database) => ({
      ...store,
      commit: (batch) => {
        const owned = new Map(database.dump().partitions.map((p) => [p.partition, p]));
        const proved = [...batch.epochs].every(([n, epoch]) => {
          const at = owned.get(n);
          return at?.owner === batch.owner && at.epoch === epoch;
        });
        return store.commit(proved ? unfenced(database, batch) : batch);
      },
    }),
  },
  {
    name: 'retention-takes-what-lives',
    breaks: 'retention deletes old issues whatever their state',
    killedBy: 'P3',
    seeds: [125, 206],
    store: (store) => ({
      ...store,
      prune: (held, before, ended, kept, limit) =>
        store.prune(held, before, [...ended, 'idle', 'scheduled-retry'], kept, limit),
    }),
  },
  {
    name: 'retention-takes-what-holds',
    breaks: 'retention deletes an ended issue whose run is still alive: its slot is given to another',
    killedBy: 'P3',
    seeds: [20],
    // Short memory, long runs, and nodes that come and go: a node that boots deletes first.
    plan: harder(
      { crashEvery: 6000 },
      { retentionMs: 1500, runMs: 12_000, opEvery: 400, nodes: 1, work: KEEPING },
    ),
    patch: () => replaced(MemoryPartition.prototype, 'lives', () => () => false),
  },
  {
    name: 'retention-read-back',
    breaks: 'what the database was asked to delete is read into memory again before it has done so',
    killedBy: 'P14',
    seeds: [158],
    plan: harder(
      { crashEvery: 6000, latencyMs: 120, late: 0.1, lateMs: 500 },
      { retentionMs: 1000, opEvery: 400, subscribers: 3 },
    ),
    node: ({ node }) => {
      node.condemned = () => false;
    },
  },
  {
    name: 'no-version-check',
    breaks: 'a row is overwritten by an older version of itself',
    killedBy: 'P9',
    seeds: [17],
    plan: CONTESTED,
    patch: () =>
      replaced(
        MemoryPartition.prototype,
        'putRow',
        (put) =>
          function (this: MemoryPartition, row) {
            const old = this.actors.get(row.id);
            if (old && old.version > row.version)
              this.actors.set(row.id, { ...old, version: row.version - 1 });
            put.call(this, row);
          },
      ),
  },
  {
    name: 'ack-before-flush',
    breaks: 'the database answers a commit before it has it (synchronous_commit off)',
    killedBy: 'P3',
    seeds: [1, 2],
    store: (store) => ({
      ...store,
      commit: async (batch) => {
        void store.commit(batch);
        return { is: 'committed', proved: new Set(batch.epochs.keys()) };
      },
    }),
  },
  {
    name: 'timers-lost-on-load',
    breaks: 'an actor read back has no timers',
    killedBy: 'P4',
    seeds: [17],
    store: loadsWithout('timers'),
  },
  {
    name: 'keys-lost-on-load',
    breaks: 'an actor read back has forgotten the keys it accepted',
    killedBy: 'P3',
    seeds: [6, 17],
    store: loadsWithout('keys'),
  },
  {
    name: 'queue-lost-on-takeover',
    breaks: 'recovery reads nothing of what waits for a slot or holds one',
    killedBy: 'P6',
    seeds: [11, 37],
    store: (store) => ({ ...store, live: async function* () {} }),
  },
];
