/** How much work has begun and ended: told by the thread that works, read by the one that hands it in. */

const BEGUN = 0;
const ENDED = 1;
const POLL_MS = 1;

export class Board {
  /** What the other thread makes its own board of. */
  readonly shared: SharedArrayBuffer;
  readonly #counts: Int32Array;
  readonly #lastBegun: BigInt64Array;

  constructor(shared = new SharedArrayBuffer(16)) {
    this.shared = shared;
    this.#counts = new Int32Array(shared, 0, 2);
    this.#lastBegun = new BigInt64Array(shared, 8, 1);
  }

  /** A worker's function was called. */
  begun(): void {
    Atomics.store(this.#lastBegun, 0, process.hrtime.bigint());
    Atomics.add(this.#counts, BEGUN, 1);
  }

  /** The end of so many is committed. */
  ended(count = 1): void {
    Atomics.add(this.#counts, ENDED, count);
  }

  get begunCount(): number {
    return Atomics.load(this.#counts, BEGUN);
  }

  get endedCount(): number {
    return Atomics.load(this.#counts, ENDED);
  }

  /** When the last one began, ns of the machine's monotonic clock, which all threads share. */
  get lastBegunAt(): bigint {
    return Atomics.load(this.#lastBegun, 0);
  }

  /** @throws Error when it does not come true within `withinMs` */
  async until(is: () => boolean, withinMs: number): Promise<void> {
    const since = performance.now();
    while (!is()) {
      if (performance.now() - since > withinMs) {
        throw new Error(
          `${this.begunCount} begun and ${this.endedCount} ended, and no more within ${withinMs} ms`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}
