/**
 * The directed race on real PostgreSQL (guarantees.md, P2): a commit whose statement has begun when the partition is
 * taken from it. Without the row lock in the same statement its write would land after the new owner has read.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { migrate } from '../../src/persistence/migrate.ts';
import { connection } from '../../src/persistence/pool.ts';
import { PostgresStore } from '../../src/persistence/postgres-store.ts';
import { batch, entry, HOME, id, only, own, record, row } from '../contract/rows.ts';
import { type FreshDatabase, freshDatabase } from '../support/postgres.ts';

let database: FreshDatabase;
let store: PostgresStore;
let other: pg.Client;
let epochs: Map<number, number>;

beforeAll(async () => {
  database = await freshDatabase();
  await migrate(database.url);
  store = new PostgresStore({ url: database.url });
  other = new pg.Client(connection({ url: database.url }));
  await other.connect();
});
beforeEach(async () => {
  await other.query(
    'truncate actors, journal, records; update partitions set owner = null where owner is not null',
  );
  epochs = await own(store, 'n1');
});
afterAll(async () => {
  await Promise.all([store.close(), other.end()]);
  await database.drop();
});

const writes = { rows: [row(1)], entries: [entry(1)], records: [record(1)] };

async function waiting(fragment: string): Promise<void> {
  const watch = new pg.Client(connection({ url: database.url }));
  await watch.connect();
  try {
    for (let n = 0; n < 500; n++) {
      const found = await watch.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and query like $1 and pid <> pg_backend_pid()
         and datname = current_database()`,
        [`%${fragment}%`],
      );
      if (found.rowCount !== 0) return;
      await sleep(10);
    }
    throw new Error(`nothing waits in ${fragment}`);
  } finally {
    await watch.end();
  }
}

it('a commit that began before the takeover and ends after it lands nowhere', async () => {
  await other.query('begin');
  await other.query(`update partitions set owner = 'n2', epoch = epoch + 1 where partition = ${HOME}`);
  const late = store.commit(
    batch('n1', only(epochs, HOME, HOME + 1), {
      rows: [...writes.rows, row(1, { id: id('i', 1, HOME + 1) })],
      entries: writes.entries,
      records: writes.records,
    }),
  );
  await waiting('with fence');
  await other.query('commit');
  expect(await late).toEqual({ is: 'committed', proved: new Set([HOME + 1]) });
  expect((await store.load([id('i', 1), id('i', 1, HOME + 1)])).map((r) => r.partition)).toEqual([HOME + 1]);
  expect((await store.history(id('i', 1), 0, 9)).length).toBe(0);
  expect(await store.records(id('i', 1), 'run', 9)).toEqual([]);
});

it('retention that began before the takeover and ends after it deletes nothing of the new owner', async () => {
  const both = [HOME, HOME + 1];
  const rows = both.flatMap((p) => [
    row(1, { id: id('i', 1, p), state: 'done' }),
    row(2, { id: id('i', 2, p) }),
  ]);
  const held = { owner: 'n1', epochs: only(epochs, ...both) };
  await store.commit(batch('n1', held.epochs, { rows }));
  await other.query('begin');
  await other.query(`update partitions set owner = 'n2', epoch = epoch + 1 where partition = ${HOME}`);
  const late = store.prune(held, 6_000, ['done'], 0, 9);
  await waiting('with held');
  await other.query('commit');
  expect(await late).toBe(1);
  expect((await store.load(both.map((p) => id('i', 1, p)))).map((r) => r.partition)).toEqual([HOME]);
});

it('a takeover waits for the commit in flight, so that the new owner reads what it wrote', async () => {
  await other.query('begin');
  await other.query(`select from partitions where partition = ${HOME} for share`);
  await other.query(`insert into actors (partition, id, company_id, kind, ordinal, state, priority, holds, version,
    machine_version, snapshot, head, updated_at) values (${HOME}, '${id('i', 7)}', 'c', 'issue', 7, 's', 0, false, 1, 1,
    '{}', '{}', 1)`);
  await store.release('n1', [HOME + 1]);
  const second = new PostgresStore({ url: database.url });
  try {
    await second.beat('n2');
    const skipping = await second.acquire('n2', -3_600_000, 4096, new Set());
    expect(skipping.length).toBe(4095);
    expect(skipping.some((o) => o.partition === HOME)).toBe(false);
    await other.query('commit');
    const then = await second.acquire('n2', -3_600_000, 4096, new Set(skipping.map((o) => o.partition)));
    expect(then.map((o) => o.partition)).toEqual([HOME]);
    expect((await second.load([id('i', 7)])).length).toBe(1);
  } finally {
    await second.close();
  }
});

it('commits of one partition run side by side without waiting for each other', async () => {
  const outcomes = await Promise.all(
    [1, 2, 3, 4, 5, 6].map((n) => store.commit(batch('n1', only(epochs, HOME), { rows: [row(n)] }))),
  );
  expect(outcomes.every((outcome) => outcome.is === 'committed')).toBe(true);
});
