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

/** The longest delay that `setTimeout` honours; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Where a clock takes time from: the machine, or the world of the simulation (test/simulation). */
export interface TimeSource {
  /** Epoch ms by the wall clock, which may jump: read once, for a first guess. */
  wall(): number;
  /** As `Clock.monotonic`. */
  monotonic(): number;
  /** As `setTimeout`: calls `f` after about `ms`, at most `LONGEST_TIMEOUT_MS`. Returns the way to call it off. */
  timeout(f: () => void, ms: number): () => void;
}

/** The machine's own clock. */
export function systemClock(): Clock {
  return clockOver({
    wall: () => Date.now(),
    monotonic: () => performance.now(),
    timeout(f, ms) {
      const timer = setTimeout(f, ms);
      return () => clearTimeout(timer);
    },
  });
}

/** A clock over a source of time: the only code that anchors and that waits for a due time. */
export function clockOver(source: TimeSource): Clock {
  let base = source.wall() - source.monotonic();
  let last = 0;
  let anchored = false;
  const clock: Clock = {
    now() {
      const at = Math.floor(base + source.monotonic());
      if (at > last) last = at;
      return last;
    },
    monotonic: () => source.monotonic(),
    at(due, f) {
      let callOff: (() => void) | null = null;
      const arm = () => {
        const left = due - clock.now();
        if (left <= 0 && callOff !== null) return f();
        callOff = source.timeout(arm, Math.min(Math.max(left, 0), LONGEST_TIMEOUT_MS));
      };
      arm();
      return () => callOff?.();
    },
    after(ms, f) {
      return source.timeout(f, Math.min(ms, LONGEST_TIMEOUT_MS));
    },
    anchor(databaseNow, monotonicAt) {
      base = databaseNow - monotonicAt;
      // Until now it was the wall clock's word. One that was a day ahead must not hold `now()` a day ahead of the
      // database, where everything due within that day would fire at once.
      if (!anchored) last = 0;
      anchored = true;
    },
  };
  return clock;
}

/** Random bytes of an id: with its partition 84 bits, so that two never meet. */
const ID_BYTES = 9;
/** Bytes asked of the system at once: one call for each would cost more than the rest of a small event. */
const POOL_BYTES = 4096;

/** The machine's own chance. */
export function systemRandom(): Random {
  let pool = Buffer.alloc(0);
  let at = 0;
  /** The next bytes as text; none are given twice. */
  const draw = (bytes: number, encoding: 'hex' | 'base64url') => {
    if (at + bytes > pool.length) {
      pool = randomBytes(Math.max(bytes, POOL_BYTES));
      at = 0;
    }
    at += bytes;
    return pool.toString(encoding, at - bytes, at);
  };
  return {
    u: Math.random,
    id: (letter, partition) => idOf(letter, partition, draw(ID_BYTES, 'hex')),
    secret: (bytes) => draw(bytes, 'base64url'),
  };
}
