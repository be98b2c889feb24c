/** What `npm test` builds before it begins, for whoever runs one test file: nothing to do where nothing has changed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from './source.ts';

/** Builds dist when it is older than its sources; two at once wait for each other. */
export async function ensureBuilt(): Promise<void> {
  await promisify(execFile)(process.execPath, ['scripts/ensure.mjs'], { cwd: ROOT });
}
