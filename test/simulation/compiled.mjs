/**
 * The simulation and what it runs as plain JavaScript, for threads and processes of their own, which Node 20 cannot start
 * with TypeScript; about a second.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(dirname(HERE));
const MIGRATIONS = join('src', 'persistence', 'migrations');

/**
 * Compiles into a folder of this process's own – two at a time must not compile over each other – that goes when it ends.
 * @returns the URL of the compiled test/simulation/.
 */
export function compiledSimulation() {
  const out = join(ROOT, 'node_modules', '.cache', `baton-sim-${process.pid}`);
  process.on('exit', () => rmSync(out, { recursive: true, force: true }));
  mkdirSync(out, { recursive: true });
  // Below node_modules no package.json of ours is in force.
  writeFileSync(join(out, 'package.json'), '{"type":"module"}');
  cpSync(join(ROOT, MIGRATIONS), join(out, MIGRATIONS), { recursive: true });
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  // A type error elsewhere is not this command's business: what can be compiled is.
  spawnSync(process.execPath, [tsc, '-p', join(HERE, 'tsconfig.json'), '--outDir', out], { stdio: 'ignore' });
  return new URL('test/simulation/', `${pathToFileURL(out).href}/`);
}
