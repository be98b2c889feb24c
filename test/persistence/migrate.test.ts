import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compare, type Migration, MigrationError, migrate, pending } from '../../src/persistence/migrate.ts';
import { LOCK_CLASS } from '../../src/persistence/node-lock.ts';
import { PostgresCatalog } from '../../src/persistence/postgres-catalog.ts';
import { PostgresStore } from '../../src/persistence/postgres-store.ts';
import { batch, company, HOME, id, only, own, record, row } from '../contract/rows.ts';
import { type FreshDatabase, freshDatabase } from '../support/postgres.ts';

let database: FreshDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.drop());

async function query<T extends pg.QueryResultRow>(text: string): Promise<T[]> {
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

const numbers = (migrations: readonly { number: number }[]) => migrations.map((m) => m.number);

describe('migrate', () => {
  it('applies everything once, in order; a dry run tells what it would do', async () => {
    const todo = numbers(await pending(database.url));
    expect(todo).toEqual(todo.map((_, n) => n + 1));
    expect(await query("select to_regclass('actors') as t")).toEqual([{ t: null }]);
    expect(numbers(await migrate(database.url))).toEqual(todo);
    expect(await migrate(database.url)).toEqual([]);
    expect(await pending(database.url)).toEqual([]);
    expect(await query('select count(*)::int as n from partitions')).toEqual([{ n: 4096 }]);
  });

  it('lets nodes that start together apply it once', async () => {
    const all = await Promise.all([1, 2, 3].map(() => migrate(database.url)));
    expect(all.filter((applied) => applied.length > 0).length).toBe(1);
  });

  it('does not wait for ever for a process that stands still while it migrates', async () => {
    const still = new pg.Client(database.url);
    await still.connect();
    try {
      await still.query('select pg_advisory_lock($1, 1)', [LOCK_CLASS]);
      await expect(migrate(database.url, 100)).rejects.toThrow(/Another process .* wait for it to end/);
    } finally {
      await still.end();
    }
    expect((await migrate(database.url)).length).toBeGreaterThan(0);
  });

  it('refuses a database of a newer Baton and says what to do', async () => {
    await migrate(database.url);
    await query("insert into baton_migrations values (999, 'future', 'x')");
    await expect(migrate(database.url)).rejects.toThrow(
      /has migration 0999_future, this version of Baton knows up to 00/,
    );
    await expect(pending(database.url)).rejects.toThrow(MigrationError);
  });

  it('refuses an applied migration whose text has changed', () => {
    const file: Migration = { number: 1, name: 'core', checksum: 'a', sql: '' };
    expect(() => compare([file], [{ number: 1, name: 'core', checksum: 'b' }])).toThrow(
      /0001_core .* another text/,
    );
    expect(compare([file], [])).toEqual([file]);
  });
});

it('shows people issues, agents, runs and comments', async () => {
  await migrate(database.url);
  const store = new PostgresStore({ url: database.url });
  const catalog = new PostgresCatalog({ url: database.url });
  try {
    await catalog.createCompany(company(1));
    const epochs = await own(store, 'n1');
    const by = { kind: 'agent', id: 'a1' };
    await store.commit(
      batch('n1', only(epochs, HOME), {
        rows: [
          row(1, {
            head: '{"identifier":"X-1","title":"T"}',
            snapshot: '{"value":"idle","context":{"attempt":2,"fence":3}}',
          }),
          row(1, { id: id('a', 1), kind: 'agent', state: 'active', snapshot: '{"context":{"name":"Ada"}}' }),
        ],
        records: [
          record(1, {
            record: '{"agentId":"a1","status":"failed","attempt":1,"startedAt":null,"finishedAt":1500}',
          }),
          record(2, { kind: 'comment', record: JSON.stringify({ body: 'hello', by }) }),
        ],
      }),
    );
  } finally {
    await Promise.all([store.close(), catalog.close()]);
  }
  expect(await query('select identifier, title, state, priority, attempt, due_at from issues')).toEqual([
    { identifier: 'X-1', title: 'T', state: 'idle', priority: 'medium', attempt: 2, due_at: null },
  ]);
  expect(await query('select name, status from agents')).toEqual([{ name: 'Ada', status: 'active' }]);
  expect(await query('select issue_id, status, finished_at from runs')).toEqual([
    { issue_id: id('i', 1), status: 'failed', finished_at: new Date(1_500) },
  ]);
  expect(await query('select body, by_id from comments')).toEqual([{ body: 'hello', by_id: 'a1' }]);
});
