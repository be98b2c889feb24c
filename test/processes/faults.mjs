/**
 * `npm run faults`: installs and builds what is missing, compiles the campaign and what it runs, runs it on plain Node in a
 * process of its own, so that what belongs to the run (a throw-away PostgreSQL) ends with it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensured } from '../../scripts/ensure.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(dirname(HERE));
/** Its own for each run: two at a time must not compile over each other. */
const OUT = join(ROOT, 'node_modules', '.cache', `baton-faults-${process.pid}`);
const MIGRATIONS = join('src', 'persistence', 'migrations');

process.chdir(ROOT);
await ensured();
process.on('exit', () => rmSync(OUT, { recursive: true, force: true }));
mkdirSync(OUT, { recursive: true });
// Below node_modules no package.json of ours is in force; the server reads its version there.
copyFileSync(join(ROOT, 'package.json'), join(OUT, 'package.json'));
cpSync(join(ROOT, MIGRATIONS), join(OUT, MIGRATIONS), { recursive: true });
const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const compiled = spawnSync(process.execPath, [tsc, '-p', join(HERE, 'tsconfig.json'), '--outDir', OUT], {
  stdio: ['ignore', 2, 2],
});
if (compiled.status !== 0) process.exit(1);

const main = join(OUT, 'test', 'processes', 'main.js');
const child = spawn(process.execPath, ['--enable-source-maps', main, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => process.exit(code ?? 1));
