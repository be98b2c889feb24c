/**
 * Real PostgreSQL for tests: one throw-away cluster a vitest run, started by the first file that asks, a fresh database
 * a caller. A watcher process stops the cluster and removes it when the run is over, however it ends – also by
 * kill −9 – so nothing leaks. Without fsync: these clusters survive nothing and need not. Tests that kill a database
 * use `openDatabase` with a data dir of their own instead.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, chown, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { systemClock } from '../../src/clock.ts';
import { create, reachable, SUPERUSER } from '../../src/persistence/cluster.ts';
import { npmBinaries, systemBinaries } from '../../src/persistence/postgres-binaries.ts';
import { Postmaster } from '../../src/persistence/postmaster.ts';
import { unprivilegedUser } from '../../src/persistence/unprivileged.ts';
import { startedAt } from '../../src/process-identity.ts';

export interface FreshDatabase {
  /** An empty database, as a value for DATABASE_URL. */
  readonly url: string;
  /** Removes it, disconnecting whoever is still there. */
  drop(): Promise<void>;
}

/** The vitest run: the parent of its workers. Its start time is in the name, since process ids come again. */
const RUN = process.ppid;
const HOME = join(tmpdir(), `baton-test-${RUN}-${(startedAt(RUN) ?? '').replace(/\W/g, '')}`);
const START_WITHIN_MS = 60_000;

/** Creates an empty database in the run's cluster. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const socketDir = await testCluster();
  const name = `t${randomBytes(6).toString('hex')}`;
  await administer(socketDir, `create database ${name}`);
  return {
    url: urlOf(socketDir, name),
    drop: () => administer(socketDir, `drop database if exists ${name} with (force)`),
  };
}

/** A directory for one test's files, reachable by the unprivileged user of the embedded database. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'baton-'));
  // Else a server of root's keeps its database under /var/lib/baton, where nobody would remove it.
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

let cluster: Promise<string> | undefined;

/** The socket directory of the run's cluster, which is started where nobody has yet. */
function testCluster(): Promise<string> {
  cluster ??= mkdir(HOME).then(startCluster, waitForCluster);
  return cluster;
}

async function startCluster(): Promise<string> {
  try {
    const user = await unprivilegedUser();
    if (user !== null) await chown(HOME, user.uid, user.gid);
    const found = [...(await systemBinaries()), ...(await npmBinaries())][0];
    if (found === undefined) throw new Error('there is no PostgreSQL on this machine and none from npm');
    const binaries = await reachable(found, user);
    const place = join(HOME, 'data');
    await create(place, binaries, user);
    const postmaster = new Postmaster({
      cluster: place,
      socketDir: place,
      binaries,
      user,
      logFile: join(HOME, 'log'),
      log: () => {},
      clock: systemClock(),
      settings: ['fsync=off', 'full_page_writes=off', 'max_connections=200', 'shared_buffers=64MB'],
    });
    await postmaster.start();
    spawn(process.execPath, ['-e', WATCHER, String(RUN), String(postmaster.pid), HOME], {
      detached: true,
      stdio: 'ignore',
    }).unref();
    await writeFile(join(HOME, 'draft'), place);
    await rename(join(HOME, 'draft'), join(HOME, 'ready'));
    return place;
  } catch (error) {
    await writeFile(join(HOME, 'failed'), String(error));
    throw error;
  }
}

async function waitForCluster(): Promise<string> {
  for (let waited = 0; waited < START_WITHIN_MS; waited += 50) {
    const ready = await readFile(join(HOME, 'ready'), 'utf8').catch(() => null);
    if (ready !== null) return ready;
    const failed = await access(join(HOME, 'failed')).then(
      () => true,
      () => false,
    );
    if (failed) throw new Error(await readFile(join(HOME, 'failed'), 'utf8'));
    await sleep(50);
  }
  throw new Error(`the test cluster in ${HOME} did not start`);
}

/** Outlives the run by a moment: stops the postmaster (immediately: nothing is to be kept) and removes the files. */
const WATCHER = `
const [run, postmaster, home] = process.argv.slice(1);
const { rmSync } = require('node:fs');
const alive = (pid) => { try { process.kill(Number(pid), 0); return true; } catch { return false; } };
setInterval(() => {
  if (alive(run)) return;
  if (alive(postmaster)) return process.kill(Number(postmaster), 'SIGQUIT');
  rmSync(home, { recursive: true, force: true });
  process.exit(0);
}, 200);
`;

async function administer(socketDir: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(socketDir, 'postgres') });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function urlOf(socketDir: string, database: string): string {
  return `postgresql:///${database}?host=${encodeURIComponent(socketDir)}&user=${SUPERUSER}`;
}
