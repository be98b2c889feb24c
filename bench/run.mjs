#!/usr/bin/env node
/**
 * `npm run bench [-- NAME… --profile]`: installs and builds what is missing, compiles the benches, runs them. What is
 * measured is `dist`, as it is shipped.
 */
import { fileURLToPath } from 'node:url';
import { compiled } from '../scripts/compiled.mjs';
import { ensured } from '../scripts/ensure.mjs';

process.env.NODE_ENV = 'production';
process.chdir(fileURLToPath(new URL('../', import.meta.url)));
await ensured();
process.setSourceMapsEnabled(true);
await import(new URL('main.js', compiled('bench', { isStrict: true })).href);
