/** `npm run sim`: compiles the simulation and what it runs (about two seconds), then runs it on plain Node. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(dirname(HERE));
const OUT = join(ROOT, 'node_modules', '.cache', 'baton-sim');

const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
spawnSync(process.execPath, [tsc, '-p', join(HERE, 'tsconfig.json'), '--outDir', OUT], { stdio: 'ignore' });
const command = join(OUT, 'test', 'simulation', 'command.js');
const ran = spawnSync(process.execPath, ['--enable-source-maps', command, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = ran.status ?? 1;
