/** A command line run in this process: what it wrote, and its exit code. */
import type { Command } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { run } from '../../src/cli/run.ts';
import { systemClock, systemRandom } from '../../src/clock.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
  /** The lines of `out`, parsed. */
  lines(): Record<string, unknown>[];
}

export interface Given {
  /** True: as on a terminal of 100 columns. Default false: piped. */
  terminal?: boolean;
  env?: Record<string, string>;
  cwd?: string;
  /** What is on standard input; null: it stays open and says nothing. */
  stdin?: string | null;
  commands?: readonly Command[];
  signal?: AbortSignal;
  /** Told whenever something is written. */
  wrote?: (all: string) => void;
}

export async function baton(argv: string[], given: Given = {}): Promise<Ran> {
  const texts = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    isTTY: given.terminal ?? false,
    columns: 100,
    write(text: string) {
      texts[name] += text;
      given.wrote?.(texts[name]);
    },
  });
  const code = await run(argv, given.commands ?? COMMANDS, {
    out: sink('out'),
    err: sink('err'),
    stdin: async function* () {
      if (given.stdin === null) await new Promise(() => {});
      yield given.stdin ?? '';
    },
    env: given.env ?? {},
    cwd: given.cwd ?? '/nowhere',
    clock: systemClock(),
    random: systemRandom(),
    signal: given.signal ?? new AbortController().signal,
    beforeExit: () => {},
  });
  return {
    code,
    ...texts,
    lines: () =>
      texts.out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** Command lines that are told the address of a server. */
export function commandLines(server: () => { readonly url: string }) {
  const at = (argv: string[], given: Given = {}) => baton([...argv, '--url', server().url], given);
  /** What people see, without colours. */
  const shown = async (...argv: string[]) => (await at(argv, { terminal: true, env: { NO_COLOR: '1' } })).out;
  return { at, shown };
}
