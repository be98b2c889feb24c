/**
 * TypeScript that is not shipped – benches, simulation, fuzzer, fault campaigns – as plain JavaScript, which Node 20 runs and
 * can start threads and processes with; one to two seconds.
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MIGRATIONS = join('src', 'persistence', 'migrations');

/**
 * Compiles into a folder of this process's own – two at a time must not compile over each other – that goes when it ends.
 * @param {string} folder the one, from the root, whose tsconfig.json says what is compiled
 * @param {{ isStrict?: boolean }} options strict: a type error is told and ends this process; else it is not this command's
 *   business, and what can be compiled is
 * @returns {URL} of what became of that folder
 */
export function compiled(folder, { isStrict = false } = {}) {
  const out = join(ROOT, 'node_modules', '.cache', `baton-${folder.replaceAll('/', '-')}-${process.pid}`);
  process.on('exit', () => rmSync(out, { recursive: true, force: true }));
  mkdirSync(out, { recursive: true });
  // Below node_modules no package.json of ours is in force, and the version is read there.
  copyFileSync(join(ROOT, 'package.json'), join(out, 'package.json'));
  cpSync(join(ROOT, MIGRATIONS), join(out, MIGRATIONS), { recursive: true });
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', join(ROOT, folder, 'tsconfig.json'), '--outDir', out];
  const { status } = spawnSync(process.execPath, args, { stdio: isStrict ? ['ignore', 2, 2] : 'ignore' });
  if (isStrict && status !== 0) process.exit(1);
  return new URL(`${folder}/`, `${pathToFileURL(out).href}/`);
}

/**
 * Runs a compiled file with this process's arguments in a process of its own, so that what belongs to the run (a throw-away
 * PostgreSQL) ends with it; this one ends as that one does.
 * @param {URL} main
 */
export function runApart(main) {
  const args = ['--enable-source-maps', fileURLToPath(main), ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('close', (code) => process.exit(code ?? 1));
}
