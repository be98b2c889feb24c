/**
 * Schema migrations: `migrations/NNNN_name.sql`, applied in order, each in a transaction of its own together with its
 * line in `baton_migrations`, all under one advisory lock, so that nodes starting together do not race. A file that
 * was applied is never edited: its checksum is compared.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { LOCK_CLASS } from './node-lock.ts';
import { connection } from './pool.ts';

const FOLDER = new URL('./migrations/', import.meta.url);
const FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/** Second key of the lock; nodes' locks use a hash there, so a collision only makes one wait. */
const MIGRATION_LOCK = 1;
/** Patience with another process that migrates the same database, ms: whoever starts should listen and say so. */
const LOCK_PATIENCE_MS = 5_000;
/** Patience with one migration, ms: building an index on a large table takes its time. */
const PATIENCE_MS = 600_000;

/** SQLSTATE of a lock that was waited for long enough. */
const LOCK_NOT_AVAILABLE = '55P03';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly sql: string;
}

/** The database and this code do not fit together; the message says what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/**
 * Brings the schema up to date. Answers what was applied now, in order.
 * @throws MigrationError when the database is newer than the code or an applied file was edited; Error when another
 * process has been migrating it for `lockPatienceMs`: to be tried again.
 */
export async function migrate(url: string, lockPatienceMs = LOCK_PATIENCE_MS): Promise<Migration[]> {
  return withClient(url, async (client) => {
    await client.query(`set lock_timeout = ${Math.ceil(lockPatienceMs)}`);
    await client.query('select pg_advisory_lock($1, $2)', [LOCK_CLASS, MIGRATION_LOCK]).catch(beingMigrated);
    await client.query('set lock_timeout = 0');
    await client.query(`create table if not exists baton_migrations (
      number int primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`);
    const todo = compare(await known(), await applied(client));
    for (const migration of todo) await apply(client, migration);
    return todo;
  });
}

function beingMigrated(thrown: unknown): never {
  if ((thrown as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw thrown;
  throw new Error('Another process is bringing the schema of this database up to date; wait for it to end.');
}

/** What `migrate` would apply; changes nothing. */
export async function pending(url: string): Promise<Migration[]> {
  return withClient(url, async (client) => {
    const there = await client.query<{ there: boolean }>(
      "select to_regclass('baton_migrations') is not null as there",
    );
    return compare(await known(), there.rows[0]!.there ? await applied(client) : []);
  });
}

interface Applied {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

/** Those of `known` that are still to be applied. Pure. */
export function compare(known: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const newest = known.at(-1)!;
  for (const line of applied) {
    const file = known.find((migration) => migration.number === line.number);
    if (file === undefined)
      throw new MigrationError(
        `The database has migration ${title(line)}, this version of Baton knows up to ${title(newest)}. ` +
          'Start the newer version of Baton, or give this one another database (DATABASE_URL, --data-dir).',
      );
    if (file.checksum !== line.checksum)
      throw new MigrationError(
        `Migration ${title(line)} was applied to this database from another text than this version of Baton has. ` +
          'Start the version that made the database, or give this one another database (DATABASE_URL, --data-dir).',
      );
  }
  const done = new Set(applied.map((line) => line.number));
  return known.filter((migration) => !done.has(migration.number));
}

const title = ({ number, name }: { number: number; name: string }) =>
  `${String(number).padStart(4, '0')}_${name}`;

/** How many migrations this version has. */
export async function migrationCount(): Promise<number> {
  return (await known()).length;
}

async function known(): Promise<Migration[]> {
  const names = (await readdir(FOLDER)).filter((name) => FILE.test(name)).sort();
  return Promise.all(
    names.map(async (file) => {
      const [, number, name] = FILE.exec(file)!;
      const sql = await readFile(new URL(file, FOLDER), 'utf8');
      return {
        number: Number(number),
        name: name!,
        sql,
        checksum: createHash('sha256').update(sql).digest('hex'),
      };
    }),
  );
}

async function applied(client: pg.Client): Promise<Applied[]> {
  const answer = await client.query<Applied>(
    'select number, name, checksum from baton_migrations order by number',
  );
  return answer.rows;
}

async function apply(client: pg.Client, { number, name, checksum, sql }: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query('insert into baton_migrations (number, name, checksum) values ($1, $2, $3)', [
      number,
      name,
      checksum,
    ]);
    await client.query('commit');
  } catch (cause) {
    await client.query('rollback').catch(() => {});
    throw new MigrationError(`Migration ${title({ number, name })} failed and was undone`, { cause });
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(connection({ url, queryTimeoutMs: PATIENCE_MS }));
  client.on('error', () => {}); // whatever is under way rejects as well
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
