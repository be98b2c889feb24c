/** `npm run faults`: installs and builds what is missing, compiles what it runs, runs it in a process of its own. */
import { compiled, runApart } from '../../scripts/compiled.mjs';
import { ensured } from '../../scripts/ensure.mjs';

await ensured();
runApart(new URL('main.js', compiled('test/processes', { isStrict: true })));
