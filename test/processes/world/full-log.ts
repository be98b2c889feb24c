/**
 * A disk that is full under the write-ahead log: PostgreSQL cannot go on then and ends all its processes (PANIC), and cannot
 * recover before there is room. Whoever may mount (root) gets a small file system for the log, which really runs full;
 * elsewhere its directory is closed to writing, which ends PostgreSQL at the same place in its code – a segment that cannot
 * be made – with another error of the operating system.
 */
import { execFile } from 'node:child_process';
import { appendFile, chmod, cp, mkdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { CampaignPostgres } from './postgres.ts';

const run = promisify(execFile);
const SEGMENT_BYTES = 16 * 2 ** 20;
/** Room for what it makes until it is filled. */
const SPARE_SEGMENTS = 3;
/** Segments that are there are used up within this, ms. */
const USED_UP_WITHIN_MS = 20_000;
const LOOK_MS = 50;

export interface FullLog {
  /** How it is made: for the report. */
  readonly by: 'small file system' | 'closed directory';
  /** Keeps it full for `ms`, and sees to it that there is something to write; how often PostgreSQL ended for it. */
  full(ms: number): Promise<number>;
  /** There is room again. */
  free(): Promise<void>;
  /** The log is where it was; the database is restarted for it. */
  remove(): Promise<void>;
}

/** The database is restarted for it where a file system can be mounted. */
export async function fullLog(postgres: CampaignPostgres): Promise<FullLog> {
  return (await smallFileSystem(postgres)) ?? closedDirectory(postgres);
}

async function smallFileSystem(postgres: CampaignPostgres): Promise<FullLog | null> {
  const log = join(postgres.cluster, 'pg_wal');
  const aside = join(postgres.cluster, 'pg_wal.aside');
  await postgres.query('checkpoint');
  const isMounted = await postgres.restarted(async () => {
    const { stdout } = await run('du', ['-sb', log]);
    const size = Number.parseInt(stdout, 10) + SPARE_SEGMENTS * SEGMENT_BYTES;
    await rename(log, aside);
    await mkdir(log, { mode: 0o700 });
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', log]);
    } catch {
      await rm(log, { recursive: true });
      await rename(aside, log);
      return false;
    }
    await handed(aside, log, postgres);
    await rm(aside, { recursive: true });
    return true;
  });
  if (!isMounted) return null;
  const filler = join(log, 'filler');
  return {
    by: 'small file system',
    full: (ms) =>
      ended(postgres, ms, async () => {
        const { bavail, bsize } = await statfs(log);
        if (bavail > 0) await appendFile(filler, Buffer.alloc(bavail * bsize)).catch(enospc);
      }),
    free: () => rm(filler, { force: true }),
    remove: () =>
      postgres.restarted(async () => {
        await handed(log, aside, postgres);
        await run('umount', [log]);
        await rm(log, { recursive: true });
        await rename(aside, log);
      }),
  };
}

async function closedDirectory(postgres: CampaignPostgres): Promise<FullLog> {
  const log = join(postgres.cluster, 'pg_wal');
  return {
    by: 'closed directory',
    full: (ms) => ended(postgres, ms, () => chmod(log, 0o500)),
    free: () => chmod(log, 0o700),
    remove: async () => {},
  };
}

/** Copies a log that nobody writes, for the database's user. */
async function handed(from: string, to: string, { user }: CampaignPostgres): Promise<void> {
  await cp(from, to, { recursive: true, preserveTimestamps: true });
  if (user !== null) await run('chown', ['-R', `${user.uid}:${user.gid}`, to]);
}

/**
 * Keeps the log full for `ms` from when PostgreSQL first ended for it: segments that are there already are used up first,
 * one after another.
 */
async function ended(postgres: CampaignPostgres, ms: number, fill: () => Promise<void>): Promise<number> {
  const panics = async () => (await readFile(postgres.logFile, 'utf8')).match(/^.*PANIC:.*/gm)?.length ?? 0;
  const before = await panics();
  const latest = performance.now() + USED_UP_WITHIN_MS;
  let until = latest;
  while (performance.now() < Math.min(until, latest)) {
    await fill();
    await postgres.query('select pg_switch_wal()').catch(() => {});
    if (until === latest && (await panics()) > before) until = performance.now() + ms;
    await sleep(LOOK_MS);
  }
  return (await panics()) - before;
}

function enospc(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOSPC') throw error;
}
