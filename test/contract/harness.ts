/** A store under test, with what a test may do behind its back. Two of them: in memory, and on real PostgreSQL. */
import pg from 'pg';
import type { Catalog } from '../../src/persistence/catalog.ts';
import { MemoryCatalog } from '../../src/persistence/memory-catalog.ts';
import { type Dump, MemoryStore } from '../../src/persistence/memory-store.ts';
import { migrate } from '../../src/persistence/migrate.ts';
import { connection } from '../../src/persistence/pool.ts';
import { PostgresCatalog } from '../../src/persistence/postgres-catalog.ts';
import { PostgresStore } from '../../src/persistence/postgres-store.ts';
import type { Store } from '../../src/persistence/store.ts';
import { freshDatabase } from '../support/postgres.ts';

export interface Harness {
  readonly catalog: Catalog;
  /** The store as this node has it: the same one for the same name, until it is gone. */
  node(name: string): Store;
  /** The node's process ends without a word. */
  gone(name: string): Promise<void>;
  /** As if the node had last beaten an hour ago. */
  silence(name: string): Promise<void>;
  dump(): Promise<Dump>;
  /** No lock of a call that was answered is held any more: PostgreSQL says that a commit failed before it lets go. */
  quiet(): Promise<void>;
  /** Empty again, with nobody owning anything. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

/** `partitions`: the only ones there are; default: all. */
export async function memoryHarness(partitions?: readonly number[]): Promise<Harness> {
  let now = 1_700_000_000_000;
  const create = () => {
    const catalog = new MemoryCatalog();
    return {
      catalog,
      store: new MemoryStore({ now: () => now, catalog, ...(partitions ? { partitions } : {}) }),
    };
  };
  let { catalog, store } = create();
  return {
    get catalog() {
      return catalog;
    },
    node: (name) => store.forNode(name),
    gone: async (name) => store.nodeGone(name),
    silence: async (name) => {
      now -= HOUR_MS;
      await store.beat(name);
      now += HOUR_MS;
    },
    dump: async () => store.dump(),
    quiet: async () => {},
    reset: async () => {
      ({ catalog, store } = create());
    },
    close: async () => {},
  };
}

export async function postgresHarness(partitions?: readonly number[]): Promise<Harness> {
  const database = await freshDatabase();
  const { url } = database;
  await migrate(url);
  const catalog = new PostgresCatalog({ url });
  const admin = new pg.Client(connection({ url }));
  await admin.connect();
  if (partitions) await admin.query('delete from partitions where partition <> all ($1)', [partitions]);
  const nodes = new Map<string, PostgresStore>();
  const close = async (name: string) => {
    await nodes.get(name)?.close();
    nodes.delete(name);
  };
  const rows = async <T extends object>(text: string) =>
    (await admin.query<T & pg.QueryResultRow>(text)).rows;
  return {
    catalog,
    node(name) {
      const store = nodes.get(name) ?? new PostgresStore({ url });
      nodes.set(name, store);
      return store;
    },
    gone: close,
    silence: async (name) => {
      await admin.query(
        `insert into nodes values ($1, clock_timestamp() - interval '1 hour', true) on conflict (id) do update
         set seen_at = excluded.seen_at`,
        [name],
      );
    },
    dump: async () => ({
      partitions: await rows('select partition, owner, epoch from partitions order by partition'),
      actors: await rows(
        `select partition, id, company_id as "companyId", kind, ordinal, state, substate, assignee, priority, pool, holds,
         rank, due_at as "dueAt", version, machine_version as "machineVersion", snapshot, head,
         updated_at as "updatedAt" from actors order by partition, id`,
      ),
      entries: await rows(
        `select partition, company_id as "companyId", seq, actor_id as "actorId", version, epoch, at, entry
         from journal order by partition, company_id, seq`,
      ),
      records: await rows(
        `select partition, company_id as "companyId", actor_id as "actorId", kind, id, at, record
         from records order by partition, actor_id, kind, id`,
      ),
    }),
    quiet: async () => {
      await admin.query('select from partitions where owner is not null for update');
    },
    reset: async () => {
      await admin.query(`truncate nodes, companies, api_keys, run_logs, actors, journal, records;
        update partitions set owner = null, epoch = 0 where owner is not null or epoch > 0`);
    },
    close: async () => {
      await Promise.all([...nodes.keys()].map(close));
      await Promise.all([catalog.close(), admin.end()]);
      await database.drop();
    },
  };
}
