/**
 * Time and chance of the client. Not src/clock.ts, which draws secrets from `node:crypto`: this half must load in a
 * browser. Both `Clock` and `Random` of src/clock.ts satisfy these two, so a simulation can hand in its own.
 */

export interface ClientClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `f` after `ms`. Returns the way to call it off. */
  after(ms: number, f: () => void): () => void;
}

export interface Chance {
  /** Uniform in [0, 1). */
  u(): number;
}

/** The longest delay that `setTimeout` honours; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const browserSafeClock: ClientClock = {
  now: () => Date.now(),
  after(ms, f) {
    const timer = setTimeout(f, Math.min(ms, LONGEST_TIMEOUT_MS));
    return () => clearTimeout(timer);
  },
};

export const browserSafeChance: Chance = { u: () => Math.random() };

/** Resolves after `ms`, or as soon as `signal` aborts. */
export function pause(clock: ClientClock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const cancel = clock.after(ms, done);
    function done() {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done);
  });
}

/** Text that is unlikely to be drawn twice: idempotency keys and claim ids. Not a secret. */
export function unlikelyTwice(chance: Chance): string {
  const part = () =>
    Math.floor(chance.u() * 36 ** 8)
      .toString(36)
      .padStart(8, '0');
  return part() + part();
}
