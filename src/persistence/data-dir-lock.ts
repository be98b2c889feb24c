/**
 * One Baton server a data dir: a file that names its holder by process id and start time, so that a lock left by a
 * killed process – its id perhaps somebody else's by now – refuses nobody.
 */
import { readFileSync, unlinkSync } from 'node:fs';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startedAt } from '../process-identity.ts';

interface Holder {
  readonly pid: number;
  /** Whatever the system says of when the process started; compared only. */
  readonly started: string;
}

/** Attempts at a lock whose stale predecessors keep being replaced by others who start at the same time. */
const ATTEMPTS = 5;

/**
 * Takes the lock of a data dir that exists. Answers how to give it back, which never throws.
 * @param path of the lock file; another one where not the directory alone is to be had
 * @throws Error naming the holder, when a living process has it.
 */
export async function lockDataDir(dataDir: string, path = pathOf(dataDir)): Promise<() => void> {
  const own: Holder = { pid: process.pid, started: startedAt(process.pid) ?? '' };
  const draft = `${path}.${process.pid}`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await writeFile(draft, JSON.stringify(own), { mode: 0o600 });
    const taken = await link(draft, path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    await unlink(draft);
    if (taken) return () => unlock(path, own);
    const holder = await read(path);
    if (isAlive(holder)) throw inUse(dataDir, holder);
    await setAside(path, holder);
  }
  throw new Error(`The lock of ${dataDir} is being fought over: start one server at a time.`);
}

/** The process that has a data dir, which need not exist; null: nobody does. */
export async function dataDirHolder(dataDir: string): Promise<number | null> {
  const holder = await read(pathOf(dataDir));
  return isAlive(holder) ? holder.pid : null;
}

function pathOf(dataDir: string): string {
  return join(dataDir, 'lock');
}

function isAlive(holder: Holder | null): holder is Holder {
  return holder !== null && startedAt(holder.pid) === holder.started;
}

function inUse(dataDir: string, { pid }: Holder): Error {
  return new Error(
    `Another Baton server (process ${pid}) uses the data dir ${dataDir}. Stop it, or choose another with --data-dir.`,
  );
}

/** Removes a stale lock; by renaming, so that somebody's fresh one taken by mistake can be put back. */
async function setAside(path: string, stale: Holder | null): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  await rename(path, aside).catch(() => {});
  const moved = await read(aside);
  if (moved !== null && (moved.pid !== stale?.pid || moved.started !== stale.started))
    await link(aside, path).catch(() => {});
  await unlink(aside).catch(() => {});
}

async function read(path: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function unlock(path: string, own: Holder): void {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as Holder;
    if (holder.pid === own.pid) unlinkSync(path);
  } catch {
    // gone already, or the whole data dir is
  }
}
