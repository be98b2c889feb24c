/** What `faults.mjs` runs, compiled. */
import { main } from './command.ts';

const code = await main(process.argv.slice(2), (line) => console.log(line));
process.exit(code);
