#!/usr/bin/env node
/** The `baton` command. In a clone it first installs and builds what is missing; in a package there is nothing to do. */
import { ensured } from '../scripts/ensure.mjs';

await ensured();
await import('../dist/cli/main.js');
