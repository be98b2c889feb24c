/** `npm run record`: records what this version stores, for later ones to replay. */
import { readFile } from 'node:fs/promises';
import { recordAll } from './fixtures.ts';

export async function main(print: (line: string) => void): Promise<number> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  await recordAll(version, print);
  return 0;
}
