/**
 * All due times of a node: one heap, one timer of the operating system (architecture A6).
 *
 * T1 Nothing fires before `clock.now()` has reached its due time.
 * T2 Ties and overdue timers fire in due order, in slices of `SLICE_MS`, so that 100,000 due at one instant do not
 *    keep sockets waiting.
 * T3 A key has one due time; setting it again moves it.
 */
import type { Clock } from '../clock.ts';
import { Heap } from './heap.ts';

/** How long one slice of firing may keep the loop, ms of the monotonic clock. */
const SLICE_MS = 8;

export class Timers {
  private readonly heap = new Heap();
  private callOff: (() => void) | null = null;
  private armedFor = Number.POSITIVE_INFINITY;
  private stopped = false;
  private readonly clock: Clock;
  private readonly fire: (key: string, due: number) => void;

  /** `fire(key, due)` is called once per due key, which has left the heap by then; it must not throw. */
  constructor(clock: Clock, fire: (key: string, due: number) => void) {
    this.clock = clock;
    this.fire = fire;
  }

  get size(): number {
    return this.heap.size;
  }

  /** Epoch ms at which `key` is due, undefined when it is not set. */
  dueOf(key: string): number | undefined {
    return this.heap.orderOf(key);
  }

  set(key: string, due: number): void {
    this.heap.set(key, due);
    this.arm();
  }

  cancel(key: string): void {
    this.heap.delete(key);
  }

  /** Forgets every key and stays silent from then on. */
  stop(): void {
    this.stopped = true;
    this.callOff?.();
    this.callOff = null;
  }

  private arm(): void {
    if (this.stopped) return;
    const least = this.heap.least();
    if (least >= this.armedFor || least === Number.POSITIVE_INFINITY) return;
    this.callOff?.();
    this.armedFor = least;
    this.callOff = this.clock.at(least, () => this.slice());
  }

  private slice(): void {
    this.callOff = null;
    this.armedFor = Number.POSITIVE_INFINITY;
    if (this.stopped) return;
    const until = this.clock.monotonic() + SLICE_MS;
    let fired = 0;
    for (;;) {
      const now = this.clock.now();
      while (this.heap.least() <= now) {
        const key = this.heap.peek()!;
        const due = this.heap.least();
        this.heap.delete(key);
        this.fire(key, due);
        if (++fired % 32 === 0) break;
      }
      if (this.heap.least() > now || this.clock.monotonic() >= until) break;
    }
    this.arm();
  }
}
