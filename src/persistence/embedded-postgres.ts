/**
 * The database a server uses: the one it is told (`DATABASE_URL`), else a PostgreSQL of its own in the data dir, with
 * the machine's programs or npm's. Real PostgreSQL, durable, reachable only by a Unix socket in a directory of mode
 * 0700.
 */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Clock, systemClock } from '../clock.ts';
import { create, locate, majorOf, makeDataDir, noteElsewhere, reachable, SUPERUSER } from './cluster.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { connection } from './pool.ts';
import { type Binaries, npmBinaries, OLDEST_MAJOR, systemBinaries } from './postgres-binaries.ts';
import { Postmaster } from './postmaster.ts';
import { type User, unprivilegedUser } from './unprivileged.ts';

export interface OpenOptions {
  /** Used as it is when given; nothing is started then. */
  readonly databaseUrl?: string | undefined;
  /** Where the embedded database lives. Made when it is not there. */
  readonly dataDir: string;
  /** Hears one-line messages for people. */
  readonly log: (line: string) => void;
  readonly clock?: Clock;
}

export interface Database {
  /** For `PostgresStore`, `migrate` and, as it is a DATABASE_URL, for psql. */
  readonly url: string;
  /** `PostgreSQL 15.13`. */
  readonly product: string;
  readonly how: 'DATABASE_URL' | 'system' | 'npm';
  /** Where its files are; null: not ours to know. */
  readonly place: string | null;
  /** True: `place` is not in the data dir, so a copy of that has no database. */
  readonly isElsewhere: boolean;
  /** The user it runs as, where that is not our own. */
  readonly user: string | null;
  /** Stops what `openDatabase` started and gives the data dir up. Safe to repeat. */
  stop(): Promise<void>;
}

/** Of a database that somebody else runs. */
export const NOT_OURS = { place: null, isElsewhere: false, user: null } as const;

/** The name of our database in the embedded cluster. */
const DATABASE = 'baton';
/** A Unix socket's path may have 107 bytes on Linux and 103 on macOS. */
const LONGEST_SOCKET = 100;
const SOCKET = '.s.PGSQL.5432';

/**
 * Opens the database. First start about 1–2 s, later ones 0.3 s.
 * @throws Error saying what to do, when the database does not answer, there is no PostgreSQL, another Baton uses the
 * data dir, or the data dir is of a PostgreSQL version whose programs are not here.
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  const { databaseUrl } = options;
  if (databaseUrl !== undefined && databaseUrl !== '') return external(databaseUrl);
  return openEmbedded(options, async () => {
    const system = await systemBinaries();
    return [...system, ...(await npmBinaries())];
  });
}

async function external(url: string): Promise<Database> {
  const client = new pg.Client(connection({ url }));
  client.on('error', () => {});
  try {
    await client.connect();
    const answer = await client.query<{ server_version: string }>('show server_version');
    const product = `PostgreSQL ${answer.rows[0]!.server_version}`;
    return { url, product, how: 'DATABASE_URL', ...NOT_OURS, stop: async () => {} };
  } catch (cause) {
    throw new Error(`DATABASE_URL does not answer: ${(cause as Error).message}`, { cause });
  } finally {
    await client.end().catch(() => {});
  }
}

/** As `openDatabase` without a URL; `candidates` are the programs to choose from, preferred first. */
export async function openEmbedded(
  options: OpenOptions,
  candidates: () => Promise<Binaries[]>,
): Promise<Database> {
  const { dataDir, log, clock = systemClock() } = options;
  const user = await unprivilegedUser();
  await makeDataDir(dataDir, user);
  const unlockDataDir = await lockDataDir(dataDir);
  let unlock = unlockDataDir;
  try {
    const place = await locate(dataDir, user);
    const cluster = place.path;
    if (place.note !== null && user !== null) {
      // A copy of the data dir names the same cluster, which only one server may use.
      const unlockCluster = await lockDataDir(dataDir, `${cluster}.lock`);
      unlock = () => {
        unlockCluster();
        unlockDataDir();
      };
    }
    const major = await majorOf(cluster);
    if (major === null && place.note !== null) refuseIfLost(place.note, cluster);
    const binaries = await reachable(choose(await candidates(), major, cluster), user);
    if (major === null) await create(cluster, binaries, user);
    await noteElsewhere(place, dataDir, user, log);
    const socketDir = await socketDirectory(cluster, user);
    const logFile = join(dataDir, 'postgres.log');
    const postmaster = new Postmaster({ cluster, socketDir, binaries, user, logFile, log, clock });
    const how = await postmaster.start();
    if (how === 'adopted') log('The database of a Baton that was killed is still running; it is used on.');
    const onExit = () => interrupt(postmaster);
    process.once('exit', onExit);
    let stopping: Promise<void> | null = null;
    const stop = () => {
      stopping ??= postmaster.stop().then(() => {
        process.removeListener('exit', onExit);
        if (socketDir !== cluster) rmSync(socketDir, { recursive: true, force: true });
        unlock();
      });
      return stopping;
    };
    try {
      await createDatabase(socketDir);
    } catch (error) {
      await stop();
      throw error;
    }
    return {
      url: urlOf(socketDir, DATABASE),
      product: `PostgreSQL ${binaries.version}`,
      how: binaries.how,
      place: cluster,
      isElsewhere: place.note !== null,
      user: user?.name ?? null,
      stop,
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** A data dir that was copied without its database must not begin with an empty one as if nothing had been. */
function refuseIfLost(note: string, cluster: string): void {
  if (!existsSync(note)) return;
  throw new Error(
    `The database of this data dir is in ${cluster}, says ${note}, and there it is not (or may not be read). ` +
      `Copy it back from the backup, with its owner; or remove ${note} to begin with an empty one.`,
  );
}

/** The first of the programs that can serve the cluster. */
function choose(found: readonly Binaries[], major: number | null, cluster: string): Binaries {
  const fitting = found.find((binaries) => major === null || binaries.major === major);
  if (fitting !== undefined) return fitting;
  if (major === null)
    throw new Error(
      `There is no PostgreSQL (${OLDEST_MAJOR} or later) on this machine and none from npm for ` +
        `${process.platform}-${process.arch}. Install PostgreSQL, or set DATABASE_URL.`,
    );
  const here = found.map((binaries) => `${binaries.version} in ${binaries.bin}`).join(', ') || 'none';
  throw new Error(
    `The database in ${cluster} was made by PostgreSQL ${major}; found: ${here}. ` +
      `Install PostgreSQL ${major}, or choose another data dir with --data-dir.`,
  );
}

/** The cluster's own directory, or a short one of mode 0700 where its path is too long for a socket. */
async function socketDirectory(cluster: string, user: User | null): Promise<string> {
  if (Buffer.byteLength(join(cluster, SOCKET)) <= LONGEST_SOCKET) return cluster;
  const hash = createHash('sha256').update(cluster).digest('hex').slice(0, 16);
  const dir = join(tmpdir(), `baton-${hash}`);
  await mkdir(dir, { mode: 0o700 }).catch(() => {});
  const owner = user?.uid ?? process.getuid?.();
  const { uid } = await lstat(dir);
  if (!(await lstat(dir)).isDirectory() || (uid !== owner && uid !== process.getuid?.()))
    throw new Error(`${dir} belongs to somebody else. Choose a data dir with a shorter path (--data-dir).`);
  if (user !== null) await chown(dir, user.uid, user.gid);
  await chmod(dir, 0o700);
  return dir;
}

async function createDatabase(socketDir: string): Promise<void> {
  const client = new pg.Client(connection({ url: urlOf(socketDir, 'postgres'), queryTimeoutMs: 60_000 }));
  client.on('error', () => {});
  await client.connect();
  try {
    const there = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (there.rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end().catch(() => {});
  }
}

function urlOf(socketDir: string, database: string): string {
  return `postgresql:///${database}?host=${encodeURIComponent(socketDir)}&user=${SUPERUSER}`;
}

/** The process ends without `stop`: the database is asked to end as well; nobody can wait for it. */
function interrupt(postmaster: Postmaster): void {
  if (postmaster.pid === null) return;
  try {
    process.kill(postmaster.pid, 'SIGINT');
  } catch {
    // gone already
  }
}
