/** How long to wait before the next attempt to connect (protocol section 6: full jitter 0.25..15 s). */
import type { Chance } from './clock.ts';

const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/**
 * Full jitter: uniform between nothing and a ceiling that doubles from 250 ms to 15 s, so that a thousand clients cut
 * off at once do not come back at once.
 * @param attempt 0 for the first attempt after a connection was lost
 */
export function reconnectDelay(attempt: number, chance: Chance): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(chance.u() * ceiling);
}

/** After a `bye`: about when the server said it would be back, spread by half of it either way. */
export function returnDelay(reconnectMs: number, chance: Chance): number {
  return Math.round(reconnectMs * (0.5 + chance.u()));
}
