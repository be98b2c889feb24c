/** The queues' own packages: not installed with Baton, for nobody needs them to use or to test it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const FOLDER = resolve('bench/queues');

/** @throws Error when they cannot be installed */
export function installQueues(): void {
  if (existsSync(resolve(FOLDER, 'node_modules/.package-lock.json'))) return;
  const args = ['ci', '--prefix', FOLDER, '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`the queues of bench/queues could not be installed (npm ci: ${status})`);
}

/** @param T what is used of it */
export function installed<T>(name: string): T {
  return createRequire(resolve(FOLDER, 'package.json'))(name) as T;
}
