/** One `baton` command line, from its words to its exit code. Everything it touches is handed in. */
import type { Clock, Random } from '../clock.ts';
import { BatonError } from '../errors.ts';
import { VERSION } from '../version.ts';
import type { Command } from './command.ts';
import { fail, INTERRUPTED } from './failure.ts';
import { helpMarkdown, helpOf, helpOfAll } from './help.ts';
import { parse } from './parse.ts';
import { withSilence } from './silence.ts';
import { type Sink, terminalOf } from './terminal.ts';

export interface World {
  out: Sink;
  err: Sink;
  stdin(): AsyncIterable<Uint8Array | string>;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  beforeExit(last: () => Promise<unknown>): void;
}

/** Answers the exit code; never throws. */
export async function run(
  argv: readonly string[],
  commands: readonly Command[],
  world: World,
): Promise<number> {
  // What follows `--` is somebody else's command line.
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const asJson = own.includes('--json');
  const flags = { json: asJson, quiet: own.includes('--quiet') };
  const terminal = terminalOf(world.out, world.err, world.env, flags);
  const [name, ...rest] = argv;
  try {
    if (name === '--version' || name === '-v' || name === 'version') {
      world.out.write(`${VERSION}\n`);
      return 0;
    }
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
      if (rest[0] === '--markdown') {
        world.out.write(helpMarkdown(commands));
        return 0;
      }
      const about = rest[0] === undefined ? null : find(commands, rest[0]);
      world.out.write(about === null ? helpOfAll(VERSION, commands) : helpOf(about));
      return 0;
    }
    const command = find(commands, name);
    const { args, flags: given } = parse(command, rest);
    if (given.help === true) {
      world.out.write(helpOf(command));
      return 0;
    }
    const { stdin, env, cwd, clock, random, signal, beforeExit } = world;
    const call = { args, flags: given, env, cwd, terminal, stdin, clock, random, signal, beforeExit };
    return await command.run(call).catch((error: unknown) => {
      throw withSilence(call, error);
    });
  } catch (error) {
    if (commands.find((c) => c.name === name)?.neverFails === true) return 0;
    if (world.signal.aborted) return INTERRUPTED;
    const code = fail(terminal, error, asJson);
    if ((world.env.BATON_DEBUG ?? '') !== '' && error instanceof Error) world.err.write(`${error.stack}\n`);
    return code;
  }
}

function find(commands: readonly Command[], name: string): Command {
  const found = commands.find((c) => c.name === name);
  if (found !== undefined) return found;
  if (name.startsWith('-')) {
    // What follows the name of an option may be a secret.
    const option = name.split('=')[0] ?? name;
    throw new BatonError('VALIDATION', `The command comes before its options, and so before ${option}.`, {
      hint: 'For instance: baton issues --json; baton help lists the commands, baton help COMMAND the options.',
    });
  }
  const near = commands.filter((c) => name !== '' && c.name.startsWith(name.slice(0, 2))).map((c) => c.name);
  throw new BatonError('VALIDATION', `There is no command ${JSON.stringify(name)}.`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'baton help lists what there is.',
  });
}
