/** The server's log: pretty on a terminal, NDJSON otherwise, always on stderr, so that stdout is for results. */
import pino from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogLevel } from '../config.ts';
import type { Terminal } from './terminal.ts';

/** @param before called before each line, so that whoever owns the last line of the terminal can clear it */
export function logOf(level: LogLevel, terminal: Terminal, before: () => void = () => {}): pino.Logger {
  const pretty =
    terminal.err.isTTY === true
      ? prettyFactory({ colorize: terminal.colour, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
      : (line: string) => line;
  return pino(
    { level },
    {
      write(line: string) {
        before();
        terminal.err.write(pretty(line));
      },
    },
  );
}
