/** A progress bar on stderr: only on a terminal, only for what takes longer than a second, redrawn ten times a second. */
import type { Clock } from '../clock.ts';
import type { Terminal } from './terminal.ts';

const SILENT_MS = 1000;
const REDRAW_MS = 100;
const BAR = 24;

export interface Progress {
  /** How many are done, and a word about it. */
  at(done: number, note?: string): void;
  /** Clears the line. */
  end(): void;
}

/** `work` with a bar that is gone however it ends, so that what is said of that has a line of its own. */
export async function progressing<T>(
  { terminal, clock }: { terminal: Terminal; clock: Clock },
  what: string,
  total: number,
  work: (bar: Progress) => Promise<T>,
): Promise<T> {
  const bar = progress(terminal, clock, what, total);
  try {
    return await work(bar);
  } finally {
    bar.end();
  }
}

export function progress(terminal: Terminal, clock: Clock, what: string, total: number): Progress {
  const shows = terminal.err.isTTY === true && !terminal.quiet;
  const begunAt = clock.monotonic();
  let drawnAt = begunAt + SILENT_MS - REDRAW_MS;
  let isDrawn = false;
  return {
    at(done, note = '') {
      const now = clock.monotonic();
      if (!shows || now - drawnAt < REDRAW_MS) return;
      drawnAt = now;
      isDrawn = true;
      const share = total === 0 ? 1 : Math.min(1, done / total);
      const full = Math.round(share * BAR);
      const bar = '█'.repeat(full) + '░'.repeat(BAR - full);
      const left = done === 0 ? '' : ` ${Math.ceil(((now - begunAt) / 1000) * (1 / share - 1))} s left`;
      terminal.err.write(`\r\x1b[K${what} ${bar} ${Math.floor(share * 100)} %${left}  ${note}`);
    },
    end() {
      if (isDrawn) terminal.err.write('\r\x1b[K');
      isDrawn = false;
    },
  };
}
