/** `npm run record`: compiles the recorder (about two seconds), runs it on plain Node. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(dirname(HERE));
/** Its own for each run: two at a time must not compile over each other. */
const OUT = join(ROOT, 'node_modules', '.cache', `baton-record-${process.pid}`);

process.chdir(ROOT);
process.on('exit', () => rmSync(OUT, { recursive: true, force: true }));
mkdirSync(OUT, { recursive: true });
// What is compiled reads its version there.
copyFileSync(join(ROOT, 'package.json'), join(OUT, 'package.json'));
// A type error elsewhere is not this command's business: what can be compiled is.
const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
spawnSync(process.execPath, [tsc, '-p', join(HERE, 'tsconfig.json'), '--outDir', OUT], { stdio: 'ignore' });

process.setSourceMapsEnabled(true);
const { main } = await import(pathToFileURL(join(OUT, 'test', 'upgrade', 'command.js')).href);
process.exitCode = await main((line) => console.log(line));
