/** The server's log: pretty on a terminal, NDJSON otherwise, always on stderr, so that stdout is for results. */
import pino from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from '../config.ts';
import type { Terminal } from './terminal.ts';

/** @param before called before each line, so that whoever owns the last line of the terminal can clear it */
export function logOf(level: LogLevel, terminal: Terminal, before: () => void = () => {}): pino.Logger {
  const destination = {
    write(line: string) {
      before();
      terminal.err.write(line);
    },
  };
  if (terminal.err.isTTY !== true) return pino({ level }, destination);
  const stream = pretty({
    colorize: terminal.colour,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
    sync: true,
    destination: destination as never,
  });
  return pino({ level }, stream);
}
