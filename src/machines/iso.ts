/**
 * Times as ISO 8601 text and back, as arithmetic: this room may not construct a `Date` (its parser guesses, and reads
 * text without an offset in the node's own time zone – a replay elsewhere would give another snapshot).
 */

const DAY = 86_400_000;
/** The furthest time ECMAScript can name, ms from the epoch. */
const FURTHEST = 8.64e15;
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?\s?(Z|[+-]\d\d:?\d\d)?)?$/i;

/**
 * Epoch ms → `2026-11-24T08:50:30.000Z`, the same text as `Date#toISOString`.
 * @param ms whole ms, within ±8.64e15.
 */
export function isoOf(ms: number): string {
  const days = Math.floor(ms / DAY);
  const time = ms - days * DAY;
  // Civil date of a day number: eras of 400 years that begin on 1 March (H. Hinnant, chrono-compatible date algorithms).
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const pad = (n: number, width: number) => String(n).padStart(width, '0');
  const yyyy = year >= 0 && year <= 9999 ? pad(year, 4) : (year < 0 ? '-' : '+') + pad(Math.abs(year), 6);
  const clock = [Math.floor(time / 3_600_000), Math.floor(time / 60_000) % 60, Math.floor(time / 1000) % 60];
  return `${yyyy}-${pad(month, 2)}-${pad(day, 2)}T${clock.map((n) => pad(n, 2)).join(':')}.${pad(time % 1000, 3)}Z`;
}

/**
 * An absolute time as a worker may give it → whole epoch ms, rounded up (never early); null when it is neither a
 * positive number of ms nor an ISO 8601 date or date-time. Text without an offset is read as UTC.
 */
export function timeOf(given: unknown): number | null {
  if (typeof given === 'number') return given > 0 && given <= FURTHEST ? Math.ceil(given) : null;
  if (typeof given !== 'string') return null;
  const parts = ISO.exec(given.trim());
  if (!parts) return null;
  const [, date, minutes, seconds, offset] = parts;
  const ms = Date.parse(
    minutes ? `${date}T${minutes}${seconds ?? ':00'}${zone(offset)}` : `${date}T00:00:00Z`,
  );
  return Number.isNaN(ms) || ms <= 0 ? null : Math.ceil(ms);
}

function zone(offset: string | undefined): string {
  if (offset === undefined || /^z$/i.test(offset)) return 'Z';
  return offset.includes(':') ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`;
}
