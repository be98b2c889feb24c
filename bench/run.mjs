#!/usr/bin/env node
/**
 * `npm run bench [-- NAME… --profile]`: installs and builds what is missing, compiles the benches, runs them. Node 20
 * cannot run TypeScript, so they are compiled beside npm's other caches; what is measured is `dist`, as it is shipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensured } from '../scripts/ensure.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Its own for each run: two at a time must not compile over each other. */
const OUT = join(ROOT, 'node_modules', '.cache', `baton-bench-${process.pid}`);

process.env.NODE_ENV = 'production';
process.chdir(ROOT);
await ensured();
process.on('exit', () => rmSync(OUT, { recursive: true, force: true }));
mkdirSync(OUT, { recursive: true });
// Below node_modules no package.json of ours is in force.
writeFileSync(join(OUT, 'package.json'), '{"type":"module"}');
const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const compiled = spawnSync(
  process.execPath,
  [tsc, '-p', join(ROOT, 'bench', 'tsconfig.json'), '--outDir', OUT],
  {
    stdio: ['ignore', 2, 2],
  },
);
if (compiled.status !== 0) process.exit(1);
process.setSourceMapsEnabled(true);
await import(pathToFileURL(join(OUT, 'bench', 'main.js')).href);
