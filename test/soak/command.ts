/**
 * `npm run soak`: everything that can fail under load and faults, in rotation, with a closing report. Exit code 0: nothing
 * broke a promise.
 */
import { optionsOf } from '../support/options.ts';
import type { SoakPart } from './part.ts';
import { rotate } from './rotation.ts';

const DEFAULT_MINUTES = 20;

const ABOUT =
  'Everything that can fail under load and faults, in rotation, with a closing report. Exit code 1: a promise was broken.';
const OPTIONS = {
  minutes: {
    value: 'N',
    default: String(DEFAULT_MINUTES),
    meaning: 'how long; every part has a turn, and one under way is finished',
  },
  seed: { value: 'N', default: '1', meaning: 'what every turn draws from' },
  only: { value: 'NAME,…', meaning: 'these parts alone' },
  list: { meaning: 'say which parts there are, and end' },
} as const;

/** Answers the exit code: 0 all is well, 1 a promise was broken, 2 a wrong argument. */
export async function main(
  args: readonly string[],
  parts: readonly SoakPart[],
  say: (line: string) => void,
): Promise<number> {
  const asked = optionsOf('npm run soak', ABOUT, OPTIONS, args, say);
  if ('code' in asked) return asked.code;
  const { values } = asked;
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
