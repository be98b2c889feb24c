/** What a command is. The table of them (commands.ts) makes help, and whatever else lists commands. */
import type { Clock, Random } from '../clock.ts';
import { BatonError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

export interface Flag {
  /** Long name without dashes. */
  readonly name: string;
  /** What stands for its value in help; absent for a switch. */
  readonly value?: string;
  readonly meaning: string;
  /** A switch that may also be said as `--no-…`. */
  readonly negatable?: boolean;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** As in `ID TYPE [json|key=value…]`; empty: none are taken. */
  readonly usage: string;
  /** How many positional arguments, least and most. */
  readonly takes: readonly [number, number];
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** What does not fit the summary; shown by its own help. */
  readonly about?: string;
  /** True: whatever is wrong, also with the call itself, it exits 0 and says nothing. */
  readonly neverFails?: boolean;
  /** Answers the exit code. Throws a BatonError for an expected failure. */
  run(call: Call): Promise<number>;
}

/** One call of a command. */
export interface Call {
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Working directory: where baton.config.json is looked for. */
  readonly cwd: string;
  readonly terminal: Terminal;
  /** Standard input, read as it is asked for. */
  stdin(): AsyncIterable<Uint8Array | string>;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by the first SIGINT or SIGTERM; a second one ends the process with 130. The signal's name is its reason. */
  readonly signal: AbortSignal;
  /** What a process that is ended by a second signal still does, the newest first, for a second at most in all. */
  beforeExit(last: () => Promise<unknown>): void;
}

/** Every command takes these. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: 'json', meaning: 'one JSON object a line, as when piped' },
  { name: 'quiet', meaning: 'no output but results and errors' },
  { name: 'help', meaning: 'show this help' },
];

/** Commands that talk to a server take these. */
export const SERVER_FLAGS: readonly Flag[] = [
  {
    name: 'url',
    value: 'URL',
    meaning:
      'the server (BATON_URL, default the one running in the data directory, else http://127.0.0.1:4300)',
  },
  {
    name: 'token',
    value: 'TOKEN',
    meaning:
      'credential (BATON_TOKEN, default the token in the data directory, for the server running there)',
  },
  {
    name: 'data-dir',
    value: 'DIR',
    meaning: 'where a local server keeps its address and token (BATON_DATA_DIR, default ./.baton)',
  },
];

/** The value of a flag that takes one. */
export function textFlag(call: Call, name: string): string | undefined {
  const value = call.flags[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * The value of a flag that is a whole number.
 * @throws BatonError VALIDATION saying what it must be
 */
export function wholeFlag(
  call: Call,
  name: string,
  { least, most = Number.MAX_SAFE_INTEGER }: { least: number; most?: number },
): number | undefined {
  const text = textFlag(call, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw new BatonError(
    'VALIDATION',
    `--${name}: must be a whole number ${range}, not ${JSON.stringify(text)}.`,
  );
}

/**
 * The value of a flag that is one of a few words.
 * @throws BatonError VALIDATION naming them
 */
export function wordFlag<T extends string>(call: Call, name: string, words: readonly T[]): T | undefined {
  const text = textFlag(call, name);
  if (text === undefined) return undefined;
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new BatonError(
    'VALIDATION',
    `--${name}: must be ${words.join(' or ')}, not ${JSON.stringify(text)}.`,
  );
}

/**
 * The value of a flag that is one or more of a few words, with commas between them.
 * @throws BatonError VALIDATION naming them
 */
export function wordsFlag<T extends string>(
  call: Call,
  name: string,
  words: readonly T[],
): readonly T[] | undefined {
  const text = textFlag(call, name);
  if (text === undefined) return undefined;
  const asked = text.split(',').map((word) => word.trim());
  const wrong = asked.find((word) => !words.includes(word as T));
  if (wrong === undefined) return asked as T[];
  throw new BatonError(
    'VALIDATION',
    `--${name}: must be ${words.join(', ')}, or several of them with commas between, not ${JSON.stringify(wrong)}.`,
  );
}
