/**
 * What a reader has not taken yet, and what is done about it (protocol section 6, "Slow consumers").
 *
 * - O1 Below `SLOW_BYTES` buffered everything is sent. Past it subscriptions hold back (subscription.ts); answers are sent.
 * - O2 Past `BACKLOG_BYTES` for `BACKLOG_MS` the connection is closed, 4008.
 * - O3 No frame is handed to the wire that would bring what is buffered past `MOST_BYTES`: the connection is closed first.
 *
 * While something is held back the buffer is looked at when the wire says that it has drained, and every `POLL_MS`: a
 * backlog is timed, and a wire that never drains says nothing.
 */
import type { Clock } from '../clock.ts';
import type { SharedFrame } from './text-frame.ts';

/** A session's socket: a real one (ws-route.ts) or the simulation's. */
export interface Wire {
  send(frame: string | SharedFrame): void;
  /** Bytes handed to `send` that have not left yet. */
  buffered(): number;
  close(code: number, reason: string): void;
}

export const SLOW_BYTES = 256 * 1024;
export const BACKLOG_BYTES = 4 * 1024 * 1024;
export const BACKLOG_MS = 10_000;
export const MOST_BYTES = 8 * 1024 * 1024;
const POLL_MS = 50;
/** Held-back frames go on once the buffer is this small: with a gap to SLOW_BYTES, so that it does not flutter. */
const DRAINED_BYTES = SLOW_BYTES / 2;

/** Somebody who holds frames back. */
export interface Held {
  /** The buffer has drained: send what was held back. True when nothing is held any more. */
  drain(): boolean;
}

export class Outbox {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #tooSlow: () => void;
  readonly #held = new Set<Held>();
  #disarm: (() => void) | null = null;
  #backlogSince: number | null = null;
  #closed = false;

  /** @param tooSlow closes the connection with 4008. */
  constructor(wire: Wire, clock: Clock, tooSlow: () => void) {
    this.#wire = wire;
    this.#clock = clock;
    this.#tooSlow = tooSlow;
  }

  /** False: subscriptions must hold back (O1). */
  get roomy(): boolean {
    return this.#wire.buffered() <= SLOW_BYTES;
  }

  get buffered(): number {
    return this.#wire.buffered();
  }

  /** Sends a frame unless that would break O3. */
  send(frame: string | SharedFrame): void {
    if (this.#closed) return;
    const buffered = this.#wire.buffered();
    if (buffered + most(frame) > MOST_BYTES && buffered + exact(frame) > MOST_BYTES) {
      this.#tooSlow();
      return;
    }
    this.#wire.send(frame);
    if (buffered > SLOW_BYTES) this.#watch();
  }

  /** Calls `held.drain()` when the buffer has drained, until it says that nothing is left. */
  hold(held: Held): void {
    this.#held.add(held);
    this.#watch();
  }

  /** The wire has nothing buffered any more. */
  drained(): void {
    if (this.#held.size > 0) this.#look();
  }

  release(held: Held): void {
    this.#held.delete(held);
  }

  close(): void {
    this.#closed = true;
    this.#held.clear();
    this.#disarm?.();
    this.#disarm = null;
  }

  #watch(): void {
    if (this.#disarm !== null || this.#closed) return;
    this.#disarm = this.#clock.after(POLL_MS, () => {
      this.#disarm = null;
      this.#look();
    });
  }

  #look(): void {
    const buffered = this.#wire.buffered();
    if (buffered <= BACKLOG_BYTES) {
      this.#backlogSince = null;
    } else {
      const now = this.#clock.monotonic();
      this.#backlogSince ??= now;
      if (now - this.#backlogSince >= BACKLOG_MS) {
        this.#tooSlow();
        return;
      }
    }
    if (buffered <= DRAINED_BYTES) {
      for (const held of [...this.#held]) {
        if (held.drain()) this.#held.delete(held);
        if (!this.roomy) break;
      }
    }
    if (this.#held.size > 0 || buffered > SLOW_BYTES) this.#watch();
  }
}

/** Bytes of a frame at the most: a string has up to three a character, so most need not be measured. */
function most(frame: string | SharedFrame): number {
  return typeof frame === 'string' ? frame.length * 3 : frame.bytes;
}

function exact(frame: string | SharedFrame): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.bytes;
}
