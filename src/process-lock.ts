/**
 * A lock that one living process holds: a file that names it by process id and start time, so that a lock left by a
 * killed process – its id perhaps somebody else's by now – refuses nobody.
 */
import { readFileSync, unlinkSync } from 'node:fs';
import { link, rename, unlink, writeFile } from 'node:fs/promises';
import { startedAt } from './process-identity.ts';

interface Holder {
  readonly pid: number;
  /** Whatever the system says of when the process started; compared only. */
  readonly started: string;
}

export type ProcessLock =
  /** `giveBack` never throws. */
  | { readonly is: 'taken'; giveBack(): void }
  /** `pid`: of the living process that has it, which may be ours. */
  | { readonly is: 'held'; readonly pid: number };

/** Attempts at a lock whose stale predecessors keep being replaced by others who start at the same time. */
const ATTEMPTS = 5;

/**
 * Takes the lock unless a living process has it.
 * @param path of a file in a directory that exists
 * @throws Error when several fight over it, or the directory cannot be written to
 */
export async function takeLock(path: string): Promise<ProcessLock> {
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
    if (taken) return { is: 'taken', giveBack: () => unlock(path, own) };
    const holder = read(path);
    if (isAlive(holder)) return { is: 'held', pid: holder.pid };
    await setAside(path, holder);
  }
  throw new Error(`The lock ${path} is being fought over: start one server at a time.`);
}

/** The living process that has a lock, which need not exist; null: nobody does. */
export function holderOf(path: string): number | null {
  const holder = read(path);
  return isAlive(holder) ? holder.pid : null;
}

function isAlive(holder: Holder | null): holder is Holder {
  return holder !== null && startedAt(holder.pid) === holder.started;
}

/** Removes a stale lock; by renaming, so that somebody's fresh one taken by mistake can be put back. */
async function setAside(path: string, stale: Holder | null): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  await rename(path, aside).catch(() => {});
  const moved = read(aside);
  if (moved !== null && (moved.pid !== stale?.pid || moved.started !== stale.started))
    await link(aside, path).catch(() => {});
  await unlink(aside).catch(() => {});
}

function read(path: string): Holder | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function unlock(path: string, own: Holder): void {
  try {
    if (read(path)?.pid === own.pid) unlinkSync(path);
  } catch {
    // gone already, or the whole directory is
  }
}
