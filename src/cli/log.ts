/**
 * The server's log, always on stderr, so that stdout is for results: pretty where a person reads both, NDJSON as soon as
 * either is piped, for then its first lines are NDJSON too, and one stream is of one format.
 */
import pino from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogLevel } from '../config.ts';
import type { Terminal } from './terminal.ts';

/** What the first lines of a server say already; on a terminal, where these stand. */
const SAID: ReadonlySet<unknown> = new Set(['listening', 'stopped']);

/** @param before called before each line, so that whoever owns the last line of the terminal can clear it */
export function logOf(level: LogLevel, terminal: Terminal, before: () => void = () => {}): pino.Logger {
  const isWatched = terminal.err.isTTY === true && !terminal.json;
  const format = prettyFactory({
    colorize: terminal.colour,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
  });
  const pretty = (line: string) => (isWatched ? format(disarmed(line)) : line);
  return pino(
    { level },
    {
      write(line: string) {
        if (isWatched && SAID.has((JSON.parse(line) as { msg?: unknown }).msg)) return;
        before();
        terminal.err.write(pretty(line));
      },
    },
  );
}

/**
 * A line of NDJSON whose texts repaint no terminal when they are printed: their control characters, which JSON holds as
 * escapes, become a visible `�`. Line breaks stay, for stacks.
 */
function disarmed(line: string): string {
  return line
    .replace(/(?<!\\)((?:\\\\)*)\\u00(?:[01][0-9a-f]|7f|[89][0-9a-f])/gi, '$1�')
    .replace(/[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '�');
}
