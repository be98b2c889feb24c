/**
 * The PostgreSQL that is measured: the product's own embedded one, with its settings, in a temporary directory. The
 * servers under test are given its URL, so that they can be killed without it and the bare loops meet the same database.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type Database, openDatabase } from '../../src/persistence/embedded-postgres.ts';
import { connection } from '../../src/persistence/pool.ts';
import { childrenOf, cpuOf } from './process-usage.ts';

/** Without these an acknowledgement would promise nothing, and a figure would compare nothing. */
const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' } as const;

export class Cluster {
  readonly product: string;
  /** Names and values of the settings that were asserted. */
  readonly durability: Readonly<Record<string, string>>;
  readonly #database: Database;
  readonly #dataDir: string;
  #count = 0;

  private constructor(database: Database, dataDir: string, durability: Record<string, string>) {
    this.#database = database;
    this.#dataDir = dataDir;
    this.product = database.product;
    this.durability = durability;
  }

  /** @throws Error when a commit would not be durable. */
  static async open(dataDir: string): Promise<Cluster> {
    const database = await openDatabase({ dataDir, log: () => {} });
    const durability: Record<string, string> = {};
    await withClient(database.url, async (client) => {
      for (const [name, wanted] of Object.entries(DURABLE)) {
        const answer = await client.query<Record<string, string>>(`show ${name}`);
        const value = Object.values(answer.rows[0]!)[0]!;
        if (value !== wanted)
          throw new Error(`${name} is ${value}, not ${wanted}: this would measure nothing`);
        durability[name] = value;
      }
    });
    return new Cluster(database, dataDir, durability);
  }

  /** A fresh, empty database. */
  async database(): Promise<string> {
    const name = `bench${++this.#count}`;
    await withClient(this.#database.url, (client) => client.query(`create database ${name}`));
    return this.#database.url.replace('/baton?', `/${name}?`);
  }

  /** CPU seconds of all its processes so far. */
  async cpu(): Promise<number> {
    const text = await readFile(join(this.#dataDir, 'postgres', 'postmaster.pid'), 'utf8');
    const postmaster = Number.parseInt(text, 10);
    const pids = [postmaster, ...(await childrenOf(postmaster))];
    let seconds = 0;
    for (const pid of pids) {
      const cpu = await cpuOf(pid).catch(() => null);
      if (cpu) seconds += cpu.user + cpu.sys;
    }
    return seconds;
  }

  close(): Promise<void> {
    return this.#database.stop();
  }
}

/** Runs statements over a connection of its own; as long as they take. */
export async function withClient<T>(url: string, f: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(connection({ url, queryTimeoutMs: 600_000 }));
  client.on('error', () => {});
  await client.connect();
  try {
    return await f(client);
  } finally {
    await client.end();
  }
}
