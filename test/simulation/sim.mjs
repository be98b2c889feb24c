/** `npm run sim`: compiles the simulation and what it runs (about two seconds), then runs it on plain Node. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(dirname(HERE));
const OUT = join(ROOT, 'node_modules', '.cache', 'baton-sim');

// A type error elsewhere is not this command's business: what can be compiled is.
const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
spawnSync(process.execPath, [tsc, '-p', join(HERE, 'tsconfig.json'), '--outDir', OUT], { stdio: 'ignore' });

process.setSourceMapsEnabled(true);
const { main } = await import(pathToFileURL(join(OUT, 'test', 'simulation', 'command.js')).href);
process.exitCode = await main(process.argv.slice(2), (line) => console.log(line));
