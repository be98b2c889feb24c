/**
 * Time on the page. The wall clock of the viewer's machine may be minutes off and may be set while the page is open, so
 * nothing here reads it twice: `pageClock` counts on from its first value by the monotonic clock, and the client adds the
 * difference to the server's (`Client.serverNow`).
 */
import { signal } from '@preact/signals';
import type { ClientClock } from '../../src/client/index.ts';

const startedAt = Date.now() - performance.now();

export const pageClock: ClientClock = {
  now: () => startedAt + performance.now(),
  after(ms, f) {
    const timer = setTimeout(f, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

let serverNow: () => number = pageClock.now;

/** Whose clock the countdowns follow from now on. */
export function followClock(now: () => number): void {
  serverNow = now;
  tick.value = serverNow();
}

/** The server's time, epoch ms, read a few times a second: what shows a duration depends on it. */
export const tick = signal(pageClock.now());

/** Often enough that a countdown is never more than this behind its due time. */
const TICK_MS = 100;
setInterval(() => {
  if (!document.hidden) tick.value = serverNow();
}, TICK_MS);
document.addEventListener('visibilitychange', () => {
  tick.value = serverNow();
});

/** Calls `f` every `ms` until the result is called. */
export function every(ms: number, f: () => void): () => void {
  const timer = setInterval(f, ms);
  return () => clearInterval(timer);
}
