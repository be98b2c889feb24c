/** `npm run fuzz`: builds what is missing, compiles the fuzzer (about two seconds), runs it on plain Node. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensured } from '../../scripts/ensure.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(dirname(HERE));
/** Its own for each run: two at a time must not compile over each other. */
const OUT = join(ROOT, 'node_modules', '.cache', `baton-fuzz-${process.pid}`);

process.chdir(ROOT);
await ensured();
process.on('exit', () => rmSync(OUT, { recursive: true, force: true }));
mkdirSync(OUT, { recursive: true });
// What is compiled reads its version there.
copyFileSync(join(ROOT, 'package.json'), join(OUT, 'package.json'));
// A type error elsewhere is not this command's business: what can be compiled is.
const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
spawnSync(process.execPath, [tsc, '-p', join(HERE, 'tsconfig.json'), '--outDir', OUT], { stdio: 'ignore' });

process.setSourceMapsEnabled(true);
const { main } = await import(pathToFileURL(join(OUT, 'test', 'fuzz', 'command.js')).href);
process.exitCode = await main(process.argv.slice(2), (line) => console.log(line));
