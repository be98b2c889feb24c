/** A command line, parsed against the flags its command takes. */
import { parseArgs } from 'node:util';
import { BatonError } from '../errors.ts';
import { COMMON_FLAGS, type Command } from './command.ts';

export interface Parsed {
  args: string[];
  flags: Record<string, string | boolean | undefined>;
}

/** @throws BatonError VALIDATION (exit code 2) naming the flag or the argument, with the command's usage */
export function parse(command: Command, argv: readonly string[]): Parsed {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const flag of [...command.flags, ...COMMON_FLAGS]) {
    options[flag.name] = { type: flag.value === undefined ? 'boolean' : 'string' };
    if (flag.negatable === true) options[`no-${flag.name}`] = { type: 'boolean' };
  }
  options.help = { type: 'boolean', short: 'h' };
  let parsed: Parsed;
  try {
    const { values, positionals } = parseArgs({
      args: joined(command, argv),
      options,
      allowPositionals: true,
      strict: true,
    });
    parsed = { args: positionals, flags: values as Parsed['flags'] };
  } catch (error) {
    throw usageError(command, (error as Error).message.split(/\.\s/)[0] ?? 'unknown arguments');
  }
  const [least, most] = command.takes;
  if (parsed.flags.help !== true) {
    if (parsed.args.length < least) throw usageError(command, 'Something is missing');
    if (parsed.args.length > most) {
      const word = parsed.args[most] ?? '';
      throw most === 0
        ? usageError(command, `Unexpected argument ${JSON.stringify(word)}`)
        : unexpected(word, usageOf(command));
    }
  }
  return parsed;
}

/** `--limit -1` as `--limit=-1`: the value is wrong, and the command says so better than the parser. */
function joined(command: Command, argv: readonly string[]): string[] {
  const takesValue = new Set(command.flags.filter((f) => f.value !== undefined).map((f) => `--${f.name}`));
  const end = argv.indexOf('--');
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const [word, next] = [argv[i] ?? '', argv[i + 1]];
    const isValue = (end < 0 || i < end) && takesValue.has(word) && next !== undefined && /^-\d/.test(next);
    out.push(isValue ? `${word}=${next}` : word);
    if (isValue) i++;
  }
  return out;
}

function usageError(command: Command, what: string): BatonError {
  return new BatonError('VALIDATION', `${what}.`, { hint: usageOf(command) });
}

function usageOf({ name, usage, examples }: Command): string {
  const all = `baton ${name}${usage === '' ? '' : ` ${usage}`}`;
  return `Usage: ${all}; for instance: ${examples[0]}. All of it: baton help ${name}`;
}

/** A word too many: most often the second of a text that has no quotes. @param then what else to say */
export function unexpected(word: string, then: string): BatonError {
  return new BatonError('VALIDATION', `Unexpected argument ${JSON.stringify(word)}.`, {
    hint: `Text of several words goes in quotes. ${then}`,
  });
}
