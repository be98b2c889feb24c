/** `npm run record`: compiles the recorder, runs it on plain Node. */
import { fileURLToPath } from 'node:url';
import { compiled } from '../../scripts/compiled.mjs';

process.chdir(fileURLToPath(new URL('../../', import.meta.url)));
process.setSourceMapsEnabled(true);
const { main } = await import(new URL('command.js', compiled('test/upgrade')).href);
process.exitCode = await main((line) => console.log(line));
