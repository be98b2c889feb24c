/** `npm run fuzz`: builds what is missing, compiles the fuzzer, runs it on plain Node. */
import { fileURLToPath } from 'node:url';
import { compiled } from '../../scripts/compiled.mjs';
import { ensured } from '../../scripts/ensure.mjs';

process.chdir(fileURLToPath(new URL('../../', import.meta.url)));
await ensured();
process.setSourceMapsEnabled(true);
const { main } = await import(new URL('command.js', compiled('test/fuzz')).href);
process.exitCode = await main(process.argv.slice(2), (line) => console.log(line));
