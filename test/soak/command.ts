/**
 * `npm run soak -- [--minutes N] [--seed N] [--only NAME,NAME] [--list]`: everything that can fail under load and faults,
 * in rotation, with a closing report. Exit code 0: nothing broke a promise.
 */
import { parseArgs } from 'node:util';
import type { SoakPart } from './part.ts';
import { rotate } from './rotation.ts';

const DEFAULT_MINUTES = 20;

/** Answers the exit code: 0 all is well, 1 a promise was broken, 2 a wrong argument. */
export async function main(
  args: readonly string[],
  parts: readonly SoakPart[],
  say: (line: string) => void,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  if (values.list) {
    for (const { name, about } of parts) say(`${name}: ${about}`);
    return 0;
  }
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
    say('--minutes takes a number above 0, --seed a whole number');
    return 2;
  }
  const names = values.only?.split(',') ?? parts.map(({ name }) => name);
  const unknown = names.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) {
    say(`there is no part ${unknown.join(', ')}; there are: ${parts.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const chosen = parts.filter(({ name }) => names.includes(name));
  const tally = await rotate({
    parts: chosen,
    ms: minutes * 60_000,
    seed,
    now: () => performance.now(),
    say,
  });
  for (const line of tally.report()) say(line);
  return tally.violations.length > 0 ? 1 : 0;
}
