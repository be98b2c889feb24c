/**
 * How long this machine had no processor for somebody who could have run: what a takeover takes on a busy machine is no
 * fault of the nodes. Linux counts it (/proc/pressure/cpu); elsewhere it is how late our own timers were.
 */
import { readFileSync } from 'node:fs';

const TICK_MS = 20;
/** Both nodes, the database and we ourselves are kept waiting, one after another. */
const SHARERS = 4;

export class Starvation {
  #late = 0;
  #last = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#late += Math.max(0, now - this.#last - TICK_MS);
      this.#last = now;
    }, TICK_MS);
  }

  /** So far, ms; grows. */
  get ms(): number {
    return pressure() ?? SHARERS * this.#late;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function pressure(): number | null {
  try {
    const total = /^some .*total=(\d+)/m.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1];
    return total === undefined ? null : Number(total) / 1000;
  } catch {
    return null;
  }
}
