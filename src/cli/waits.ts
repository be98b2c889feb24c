/** Waits of commands: for an interruption, for a time. */
import type { Clock } from '../clock.ts';

/** Resolves when the signal is aborted, at once where it is already. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Resolves after `ms`: what else is waited for takes no longer. */
export function later(clock: Clock, ms: number): Promise<null> {
  return new Promise((resolve) => clock.after(ms, () => resolve(null)));
}
