/** One Baton server with a database of its own a data dir: its lock, and what is said when another has it. */
import { join } from 'node:path';
import { holderOf, takeLock } from '../process-lock.ts';

/**
 * Takes the lock of a data dir that exists. Answers how to give it back, which never throws.
 * @param path of the lock file; another one where not the directory alone is to be had
 * @throws Error naming the holder, when a living process has it.
 */
export async function lockDataDir(dataDir: string, path = pathOf(dataDir)): Promise<() => void> {
  const lock = await takeLock(path);
  if (lock.is === 'taken') return lock.giveBack;
  throw new Error(
    `Another Baton server (process ${lock.pid}) uses the data dir ${dataDir}. Stop it, or choose another with --data-dir.`,
  );
}

/** The process that has a data dir, which need not exist; null: nobody does. */
export function dataDirHolder(dataDir: string): number | null {
  return holderOf(pathOf(dataDir));
}

function pathOf(dataDir: string): string {
  return join(dataDir, 'lock');
}
