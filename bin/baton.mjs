#!/usr/bin/env -S node --max-semi-space-size=32
/**
 * The `baton` command. In a clone it first installs and builds what is missing; in a package there is nothing to do.
 * The young generation is enlarged: a server's garbage is short-lived, and collecting it was a fifth of its time
 * (docs/benchmarks.md).
 */
import { ensured } from '../scripts/ensure.mjs';

const { ppid } = process;
await ensured();
const { isOfNpx } = await import('../dist/cli/npx.js');
// npx was told to end meanwhile, and its shell did not say so.
if (process.ppid !== ppid && isOfNpx(process.env)) process.exit(130);
await import('../dist/cli/main.js');
