/** Durations and points in time as people read them. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `1d 4h`, `2h 5m`, `1m 12s`, `9s`: the two largest parts. Rounded up, so that a countdown says 0s only when it is over. */
export function duration(ms: number): string {
  const left = Math.ceil(Math.max(0, ms) / SECOND) * SECOND;
  if (left >= DAY) return parts(left, DAY, 'd', HOUR, 'h');
  if (left >= HOUR) return parts(left, HOUR, 'h', MINUTE, 'm');
  if (left >= MINUTE) return parts(left, MINUTE, 'm', SECOND, 's');
  return `${left / SECOND}s`;
}

/** How long ago, rounded down: `now`, `12s`, `3m`, `2h`, `5d`. */
export function age(ms: number): string {
  if (ms < SECOND) return 'now';
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h`;
  return `${Math.floor(ms / DAY)}d`;
}

function parts(ms: number, first: number, a: string, second: number, b: string): string {
  const rest = Math.floor((ms % first) / second);
  return rest === 0 ? `${Math.floor(ms / first)}${a}` : `${Math.floor(ms / first)}${a} ${rest}${b}`;
}

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
/** `14:03:27` where the viewer is. */
export function clockTime(at: number): string {
  return clockFormat.format(at);
}

const dateFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
export function dateTime(at: number): string {
  return dateFormat.format(at);
}

const numberFormat = new Intl.NumberFormat('en', { useGrouping: true });
/** `1 043`: a thin space between thousands, as the width of a digit does not change. */
export function count(n: number): string {
  return numberFormat.format(n).replaceAll(',', '\u202f');
}

/** `1 issue`, `2 issues`. */
export function counted(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}
