/**
 * Time and chance. The only file that may call `Date.now`, `performance.now`, `setTimeout`, `Math.random` or
 * `randomUUID` (architecture A6, A10); everything else is handed a `Clock` and a `Random`, so that the simulation can
 * run the whole node under one virtual clock and one seed. `test/rooms.test.ts` holds the rest of the code to it.
 */
import { randomBytes } from 'node:crypto';
import { idOf } from './ids.ts';

export interface Clock {
  /** Milliseconds since the epoch, whole: the monotonic clock, anchored to the database's clock by `anchor`. */
  now(): number;
  /** Milliseconds of a clock that never goes back; fractions allowed. For durations and for the node's own lease. */
  monotonic(): number;
  /** Calls `f` once `now() >= due` (epoch ms), never earlier; any distance is allowed. Returns the way to call it off. */
  at(due: number, f: () => void): () => void;
  /** Calls `f` after `ms` of the monotonic clock. Returns the way to call it off. */
  after(ms: number, f: () => void): () => void;
  /** Tells the clock what the database's clock said (epoch ms) at `monotonicAt`; `now()` follows it and never goes back. */
  anchor(databaseNow: number, monotonicAt: number): void;
}

export interface Random {
  /** Uniform in [0, 1). */
  u(): number;
  /** A fresh id of `kind`'s letter in `partition`: see ids.ts. */
  id(letter: string, partition: number): string;
  /** Unpredictable text of at least `bytes` random bytes, base64url: secrets. */
  secret(bytes: number): string;
}

/** The longest delay that `setTimeout` honours; a longer one would fire at once (xstate-notes, Timers). */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's own clock. */
export function systemClock(): Clock {
  let base = Date.now() - performance.now();
  let last = 0;
  const clock: Clock = {
    now() {
      const at = Math.floor(base + performance.now());
      if (at > last) last = at;
      return last;
    },
    monotonic: () => performance.now(),
    at(due, f) {
      let timer: NodeJS.Timeout;
      const arm = () => {
        const left = due - clock.now();
        if (left <= 0 && timer !== undefined) return f();
        timer = setTimeout(arm, Math.min(Math.max(left, 0), LONGEST_TIMEOUT_MS));
      };
      arm();
      return () => clearTimeout(timer);
    },
    after(ms, f) {
      const timer = setTimeout(f, Math.min(ms, LONGEST_TIMEOUT_MS));
      return () => clearTimeout(timer);
    },
    anchor(databaseNow, monotonicAt) {
      base = databaseNow - monotonicAt;
    },
  };
  return clock;
}

/** The machine's own chance. */
export function systemRandom(): Random {
  return {
    u: Math.random,
    id: (letter, partition) => idOf(letter, partition, randomBytes(9).toString('hex')),
    secret: (bytes) => randomBytes(bytes).toString('base64url'),
  };
}
