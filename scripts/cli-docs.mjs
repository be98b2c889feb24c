/** Writes the generated part of docs/cli.md anew, after a change of a command or an option: `node scripts/cli-docs.mjs`. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensured } from './ensure.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `${ROOT}docs/cli.md`;
const RULE = '\n---\n\n';

await ensured();
const [head] = readFileSync(PAGE, 'utf8').split(RULE);
const generated = execFileSync(process.execPath, [`${ROOT}dist/cli/main.js`, 'help', '--markdown'], {
  encoding: 'utf8',
});
writeFileSync(PAGE, head + RULE + generated);
