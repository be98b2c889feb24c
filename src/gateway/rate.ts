/**
 * The token bucket of one connection (protocol section 6, "Rate"). Three outcomes: there is a token; there is none, wait
 * so long; the client does not listen to that, close it with 4429. A short burst is never "persistent", however high.
 *
 * Each key has a bucket too, over all of its connections on this node, so that a stolen one cannot multiply its rate by
 * opening more. That one only refuses: the connection that happens to find it empty need not be the one that is too fast.
 */

/** Keys remembered; the oldest go, and begin with a full bucket when they come again. */
const REMEMBERED_KEYS = 10_000;
/** How many connections' worth one key may send over all of its connections together. */
export const CONNECTIONS_A_KEY = 4;

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

/** The buckets of keys. */
export class KeyRates {
  readonly #perSecond: number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param perSecond what one connection may send; a key may send `CONNECTIONS_A_KEY` times that. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond * CONNECTIONS_A_KEY;
  }

  /** How long to wait, ms; null: not at all. `keyId` null: no key, no limit but the connection's. */
  wait(keyId: string | null, now: number): number | null {
    if (keyId === null) return null;
    let bucket = this.#buckets.get(keyId);
    if (bucket === undefined) {
      if (this.#buckets.size >= REMEMBERED_KEYS) {
        const [oldest] = this.#buckets.keys();
        if (oldest !== undefined) this.#buckets.delete(oldest);
      }
      bucket = new Bucket(this.#perSecond, now);
      this.#buckets.set(keyId, bucket);
    }
    const taken = bucket.take(now);
    return taken.is === 'ok' ? null : taken.is === 'wait' ? taken.retryAfterMs : 1000;
  }
}
