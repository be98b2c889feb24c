/** A clock that stands still until it is told to go on: unit tests of what has to do with time. */
import type { Clock } from '../../src/clock.ts';

interface Pending {
  readonly due: number;
  readonly n: number;
  readonly f: () => void;
}

export class ManualClock implements Clock {
  private time: number;
  private count = 0;
  private readonly pending = new Set<Pending>();

  constructor(start = 1_700_000_000_000) {
    this.time = start;
  }

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  at(due: number, f: () => void): () => void {
    const entry = { due, n: ++this.count, f };
    this.pending.add(entry);
    return () => this.pending.delete(entry);
  }

  after(ms: number, f: () => void): () => void {
    return this.at(this.time + ms, f);
  }

  anchor(): void {}

  /** Timers of the operating system that are set right now. */
  get set(): number {
    return this.pending.size;
  }

  /** Time that running code takes, ms: what comes due in it fires at the next `pass`. */
  spend(ms: number): void {
    this.time += ms;
  }

  /** Lets `ms` pass, firing what comes due in order, each followed by a turn of the microtasks. */
  async pass(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      await settle();
      let next: Pending | null = null;
      for (const p of this.pending) {
        if (p.due > until) continue;
        if (!next || p.due < next.due || (p.due === next.due && p.n < next.n)) next = p;
      }
      if (!next) break;
      this.pending.delete(next);
      this.time = Math.max(this.time, next.due);
      next.f();
    }
    this.time = until;
    await settle();
  }
}

/** Lets everything that waits for microtasks only run to its end. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
