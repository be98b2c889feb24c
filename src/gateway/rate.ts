/**
 * The token bucket of one connection (protocol section 6, "Rate"). Three outcomes: there is a token; there is none, wait
 * so long; the client does not listen to that, close it with 4429. A short burst is never "persistent", however high.
 */

/** How long a client may go on asking over its rate before it is closed, ms. */
const PERSISTENT_MS = 10_000;
/** The same for one that asks for more than five times its rate. */
const FLOOD_MS = 2_000;
const FLOOD_FACTOR = 5;

export type Taken =
  | { readonly is: 'ok' }
  | { readonly is: 'wait'; readonly retryAfterMs: number }
  | { readonly is: 'persistent' };

const OK: Taken = { is: 'ok' };

export class Bucket {
  readonly #perMs: number;
  readonly #size: number;
  #tokens: number;
  #at: number;
  /** When the client began to be refused without a pause since; null while it keeps to its rate. */
  #overSince: number | null = null;
  #refusedSince = 0;

  /**
   * @param perSecond tokens per second; the bucket holds twice as many.
   * @param now a monotonic time in ms, as for `take`.
   */
  constructor(perSecond: number, now: number) {
    this.#perMs = perSecond / 1000;
    this.#size = Math.max(1, perSecond * 2);
    this.#tokens = this.#size;
    this.#at = now;
  }

  take(now: number): Taken {
    this.#tokens = Math.min(this.#size, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      // Half full again: it has slowed down.
      if (this.#overSince !== null && this.#tokens * 2 >= this.#size) this.#overSince = null;
      return OK;
    }
    if (this.#overSince === null) {
      this.#overSince = now;
      this.#refusedSince = 0;
    }
    this.#refusedSince += 1;
    const forMs = now - this.#overSince;
    const flood = forMs > FLOOD_MS && this.#refusedSince > FLOOD_FACTOR * this.#perMs * forMs;
    if (forMs > PERSISTENT_MS || flood) return { is: 'persistent' };
    return { is: 'wait', retryAfterMs: Math.max(1, Math.ceil((1 - this.#tokens) / this.#perMs)) };
  }
}
