/** A clock that moves when the test says so, and chance that always draws the same. */
import type { Chance, ClientClock } from '../../src/client/clock.ts';

export class ManualClock implements ClientClock {
  #now = 1_000_000;
  #timers: { due: number; f: () => void }[] = [];

  now(): number {
    return this.#now;
  }
  after(ms: number, f: () => void): () => void {
    const timer = { due: this.#now + ms, f };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }
  /** Fires what is due within the next `ms`, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((t) => t.due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      this.#now = Math.max(this.#now, next.due);
      next.f();
    }
    this.#now = end;
  }
}

/** Draws `u` for ever, but stays usable for keys: a counter makes its low digits differ. */
export function steadyChance(u: number): Chance {
  let n = 0;
  return { u: () => u + n++ * 1e-9 };
}
