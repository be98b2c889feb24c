/**
 * A durable PostgreSQL that a campaign may crash: the product's own postmaster – which starts a dead one again –, on a
 * data directory of its own. It keeps when each transaction was committed, by its own clock.
 */
import { spawn } from 'node:child_process';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { systemClock } from '../../../src/clock.ts';
import { create, reachable, SUPERUSER } from '../../../src/persistence/cluster.ts';
import { npmBinaries, systemBinaries } from '../../../src/persistence/postgres-binaries.ts';
import { Postmaster, type PostmasterOptions } from '../../../src/persistence/postmaster.ts';
import { type User, unprivilegedUser } from '../../../src/persistence/unprivileged.ts';
import { temporaryDirectory } from '../../support/postgres.ts';

const DATABASE = 'baton';
const BACK_WITHIN_MS = 30_000;

/** Ends the postmaster when the process that started it is gone, however it ended. */
const WATCHER = `
const [owner, pidFile] = process.argv.slice(1);
const alive = (pid) => { try { process.kill(Number(pid), 0); return true; } catch { return false; } };
setInterval(() => {
  if (alive(owner)) return;
  try { process.kill(parseInt(require('node:fs').readFileSync(pidFile, 'utf8'), 10), 'SIGQUIT'); } catch {}
  process.exit(0);
}, 300);
`;

export class CampaignPostgres {
  readonly socketDir: string;
  /** Who it runs as; null: as we do. */
  readonly user: User | null;
  /** The directory of its files. */
  readonly cluster: string;
  /** What PostgreSQL itself has to say. */
  readonly logFile: string;
  readonly #options: PostmasterOptions;
  #postmaster: Postmaster;
  readonly #remove: () => Promise<void>;

  private constructor(options: PostmasterOptions, postmaster: Postmaster, remove: () => Promise<void>) {
    this.socketDir = options.socketDir;
    this.user = options.user;
    this.cluster = options.cluster;
    this.logFile = options.logFile;
    this.#options = options;
    this.#postmaster = postmaster;
    this.#remove = remove;
  }

  static async open(settings: readonly string[] = []): Promise<CampaignPostgres> {
    const directory = await temporaryDirectory();
    const user = await unprivilegedUser();
    if (user !== null) await chown(directory.path, user.uid, user.gid);
    const found = [...(await systemBinaries()), ...(await npmBinaries())][0];
    if (found === undefined) throw new Error('there is no PostgreSQL on this machine and none from npm');
    const binaries = await reachable(found, user);
    const cluster = join(directory.path, 'data');
    await create(cluster, binaries, user);
    const options: PostmasterOptions = {
      cluster,
      socketDir: directory.path,
      binaries,
      user,
      logFile: join(directory.path, 'log'),
      log: () => {},
      clock: systemClock(),
      settings: ['track_commit_timestamp=on', 'shared_buffers=32MB', 'max_connections=120', ...settings],
    };
    const postmaster = new Postmaster(options);
    await postmaster.start();
    spawn(process.execPath, ['-e', WATCHER, String(process.pid), join(cluster, 'postmaster.pid')], {
      detached: true,
      stdio: 'ignore',
    }).unref();
    const postgres = new CampaignPostgres(options, postmaster, directory.remove);
    await postgres.query(`create database ${DATABASE}`, [], 'postgres');
    return postgres;
  }

  /** The path of its socket, for a proxy. */
  get socket(): string {
    return join(this.socketDir, '.s.PGSQL.5432');
  }

  url(database = DATABASE): string {
    return `postgresql:///${database}?host=${encodeURIComponent(this.socketDir)}&user=${SUPERUSER}`;
  }

  /** The same database through a proxy on loopback. */
  urlOver(port: number, database = DATABASE): string {
    return `postgresql://${SUPERUSER}@127.0.0.1:${port}/${database}`;
  }

  /** A connection that goes round every proxy. */
  async connect(database = DATABASE): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url(database),
      application_name: 'campaign',
      connectionTimeoutMillis: 5000,
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async query<T extends pg.QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
    database = DATABASE,
  ): Promise<T[]> {
    const client = await this.connect(database);
    try {
      return (await client.query<T>(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends all its processes at once, as a power cut would; resolves when it has recovered and answers. */
  async crash(): Promise<void> {
    const { pid } = this.#postmaster;
    if (pid === null) throw new Error('the database is not running');
    process.kill(pid, 'SIGQUIT');
    for (let waited = 0; waited < BACK_WITHIN_MS; waited += 20) {
      const now = this.#postmaster.pid;
      if (now !== null && now !== pid) return;
      await sleep(20);
    }
    throw new Error('the database did not come back');
  }

  /** Stops it as an operator would, does what may only be done then, and starts it again. */
  async restarted<T>(meanwhile: () => Promise<T>): Promise<T> {
    await this.#postmaster.stop();
    try {
      return await meanwhile();
    } finally {
      this.#postmaster = new Postmaster(this.#options);
      await this.#postmaster.start();
    }
  }

  async close(): Promise<void> {
    await this.#postmaster.stop();
    await this.#remove();
  }
}
