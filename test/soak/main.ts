/** What `soak.mjs` runs, compiled. */
import { main } from './command.ts';
import { PARTS } from './parts.ts';

const code = await main(process.argv.slice(2), PARTS, (line) => console.log(line));
process.exit(code);
