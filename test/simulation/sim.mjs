/** `npm run sim` and `npm run mutants`: compiles the simulation and what it runs, then runs it on plain Node. */
import { compiledSimulation } from './compiled.mjs';

process.setSourceMapsEnabled(true);
const { main } = await import(new URL('command.js', compiledSimulation()).href);
process.exitCode = await main(process.argv.slice(2), (line) => console.log(line));
