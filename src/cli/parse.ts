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
      args: [...argv],
      options,
      allowPositionals: true,
      strict: true,
    });
    parsed = { args: positionals, flags: values as Parsed['flags'] };
  } catch (error) {
    throw usageError(command, (error as Error).message.split('. ')[0] ?? 'unknown arguments');
  }
  const [least, most] = command.takes;
  if (parsed.flags.help !== true) {
    if (parsed.args.length < least) throw usageError(command, 'Something is missing');
    if (parsed.args.length > most) {
      throw usageError(command, `Unexpected argument ${JSON.stringify(parsed.args[most])}`);
    }
  }
  return parsed;
}

function usageError(command: Command, what: string): BatonError {
  const usage = `baton ${command.name}${command.usage === '' ? '' : ` ${command.usage}`}`;
  return new BatonError('VALIDATION', `${what}.`, {
    hint: `Usage: ${usage}; for instance: ${command.examples[0]}. All of it: baton help ${command.name}`,
  });
}
