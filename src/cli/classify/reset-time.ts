/**
 * When a limit is lifted, read out of a message for people: an epoch, a span ("in 5 days 22 hours 11 minutes"), or a
 * time of day with or without a date and a time zone ("resets 3pm (Europe/Madrid)", "Oct 5 at 9am", "Jul 5th, 2026
 * 8:19 PM").
 *
 * R1 An hour that a change to or from daylight saving time skips or repeats is the later of its two readings: too late
 *    costs minutes, too early costs an attempt.
 * R2 A time of day alone is its next occurrence, or its last one if that is less than an hour ago: tools print it for
 *    today, some while after it was true.
 * R3 A date without a year is in the nearest of three years: "Jan 2" said on 30 December is three days ahead.
 * R4 A zone nobody knows ("Etc/Unknown") is the machine's: both tools print their local time.
 * R5 What lies more than a hundred days ahead, or a day back, is a misreading: no time is better than a wrong one.
 */
import { Temporal } from 'temporal-polyfill';

const JUST_PASSED_MS = 3_600_000;
const FURTHEST_MS = 100 * 86_400_000;
const OLDEST_MS = 86_400_000;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
/** What people write for a zone and IANA does not name. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  z: 'UTC',
  gmt: 'UTC',
  est: '-05:00',
  edt: '-04:00',
  cst: '-06:00',
  cdt: '-05:00',
  mst: '-07:00',
  mdt: '-06:00',
  pst: '-08:00',
  pdt: '-07:00',
  cet: '+01:00',
  cest: '+02:00',
};

export interface Now {
  /** Epoch ms. */
  readonly now: number;
  /** IANA name of the machine's own zone. */
  readonly zone: string;
}

/** Epoch ms, or null when `text` names no time, or none that can be true. */
export function resetTime(text: string, at: Now): number | null {
  const found = epochIn(text) ?? spanIn(text, at.now) ?? clockIn(text, at);
  return found === null || found - at.now > FURTHEST_MS || at.now - found > OLDEST_MS ? null : found;
}

/** `usage limit reached|1749924000`, `resets_at: 1775317531`, `"resetsAt":1775317531000`. */
function epochIn(text: string): number | null {
  const found = /(?:\||resets?_?at"?\s*[:=]\s*"?)(1\d{9}(?:\d{3})?)\b/i.exec(text)?.[1];
  if (found === undefined) return null;
  return found.length === 10 ? Number(found) * 1000 : Number(found);
}

const UNITS: readonly [RegExp, number][] = [
  [/(\d+(?:\.\d+)?)\s*(?:weeks?|w)(?![a-z])/i, 7 * 86_400_000],
  [/(\d+(?:\.\d+)?)\s*(?:days?|d)(?![a-z])/i, 86_400_000],
  [/(\d+(?:\.\d+)?)\s*(?:hours?|hrs?|h)(?![a-z])/i, 3_600_000],
  [/(\d+(?:\.\d+)?)\s*(?:minutes?|mins?|m)(?![a-z])/i, 60_000],
  [/(\d+(?:\.\d+)?)\s*(?:seconds?|secs?|s)(?![a-z])/i, 1000],
  [/(\d+(?:\.\d+)?)\s*(?:milliseconds?|ms)(?![a-z])/i, 1],
];
const SPAN = String.raw`((?:\d+(?:\.\d+)?\s*(?:weeks?|days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|milliseconds?|ms|[wdhms])(?![a-z])[\s,]*(?:and\s+)?)+)`;
const IN = new RegExp(String.raw`\b(?:in|after|for)\s+(?:about\s+|~\s*)?${SPAN}`, 'i');
const SECONDS = /\b(?:resets_in_seconds|retry-after)"?\s*[:=]\s*"?(\d+(?:\.\d+)?)/i;

/** `try again in 14.036s`, `resets in 1d 5h`, `Retry-After: 30`. */
function spanIn(text: string, now: number): number | null {
  const seconds = SECONDS.exec(text)?.[1];
  if (seconds !== undefined) return now + Math.ceil(Number(seconds) * 1000);
  const span = IN.exec(text)?.[1];
  if (span === undefined) return null;
  let ms = 0;
  for (const [unit, size] of UNITS) ms += Number(unit.exec(span)?.[1] ?? 0) * size;
  return ms > 0 ? now + Math.ceil(ms) : null;
}

/** What comes before a time that is meant: "10:00 PM" alone may be anything. */
const LEAD = String.raw`(?:resets?(?:\s+(?:at|on))?|try\s+again\s+(?:at|on|after)|(?:available|access)(?:\s+again)?\s+(?:at|on)|wait\s+until)\s*:?\s+`;
const MONTH = String.raw`(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?`;
const DATE = [
  String.raw`(?<iso>\d{4}-\d{2}-\d{2})`,
  String.raw`(?<month>${MONTH})\s+(?<day>\d{1,2})(?!\d)(?:st|nd|rd|th)?(?:,?\s+(?<year>\d{4}))?`,
  String.raw`(?<day2>\d{1,2})(?:st|nd|rd|th)?\s+(?<month2>${MONTH})(?:,?\s+(?<year2>\d{4}))?`,
  '(?<weekday>(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)',
].join('|');
const TIME = String.raw`(?<hour>\d{1,2})(?::(?<minute>\d{2}))?(?::\d{2})?\s*(?<half>[ap]\.?m\b\.?)?`;
const ZONE = String.raw`\s*(?:\((?<named>[\w+:/-]+)\)|(?<bare>UTC|GMT|Z|[ECMP][SD]T|CES?T)\b)?`;
const CLOCK = new RegExp(String.raw`\b${LEAD}(?:(?:${DATE})(?:,|\s+at|T)?\s*)?${TIME}${ZONE}`, 'i');
const DATE_ONLY = new RegExp(String.raw`\b${LEAD}(?:${DATE})`, 'i');

function clockIn(text: string, { now, zone }: Now): number | null {
  const exact = CLOCK.exec(text)?.groups;
  const timed = exact === undefined ? null : timeOf(exact);
  // "Resets Apr 29 63% left": what follows the date is no time.
  const found = timed === null ? DATE_ONLY.exec(text)?.groups : exact;
  if (found === undefined) return null;
  const time = timed ?? new Temporal.PlainTime(0, 0);
  const where = zoneOf(found.named ?? found.bare, zone);
  const here = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(where);
  // R1.
  const on = (date: Temporal.PlainDate) =>
    date.toPlainDateTime(time).toZonedDateTime(where, { disambiguation: 'later' }).epochMilliseconds;
  const today = here.toPlainDate();
  const date = dateOf(found, today);
  if (date === 'wrong') return null;
  if (date !== null) return on(date);
  if (found.weekday !== undefined) {
    const day = DAYS.indexOf(found.weekday.slice(0, 3).toLowerCase()) + 1;
    const ahead = today.add({ days: (day - today.dayOfWeek + 7) % 7 });
    return notLongPast([on(ahead), on(ahead.add({ days: 7 }))], now);
  }
  // R2.
  return notLongPast(
    [-1, 0, 1].map((days) => on(today.add({ days }))),
    now,
  );
}

function notLongPast(candidates: readonly number[], now: number): number | null {
  return candidates.find((at) => at > now - JUST_PASSED_MS) ?? null;
}

type Groups = Readonly<Record<string, string | undefined>>;

function timeOf({ hour, minute, half }: Groups): Temporal.PlainTime | null {
  if (hour === undefined) return null;
  // "resets 3": a number, not a time.
  if (half === undefined && minute === undefined) return null;
  const h = Number(hour);
  const m = Number(minute ?? 0);
  if (m > 59 || h > (half === undefined ? 23 : 12) || (half !== undefined && h === 0)) return null;
  if (half === undefined) return new Temporal.PlainTime(h, m);
  return new Temporal.PlainTime((h % 12) + (half[0]?.toLowerCase() === 'p' ? 12 : 0), m);
}

/** Null: no date was named; 'wrong': none such exists. */
function dateOf(found: Groups, today: Temporal.PlainDate): Temporal.PlainDate | 'wrong' | null {
  const month = found.month ?? found.month2;
  try {
    if (found.iso !== undefined) return Temporal.PlainDate.from(found.iso, { overflow: 'reject' });
    if (month === undefined) return null;
    const named = (year: number) =>
      Temporal.PlainDate.from(
        {
          year,
          month: MONTHS.indexOf(month.slice(0, 3).toLowerCase()) + 1,
          day: Number(found.day ?? found.day2),
        },
        { overflow: 'reject' },
      );
    const year = found.year ?? found.year2;
    if (year !== undefined) return named(Number(year));
    return nearest(named, today);
  } catch {
    return 'wrong';
  }
}

/** R3. 29 February is not in every year. */
function nearest(
  named: (year: number) => Temporal.PlainDate,
  today: Temporal.PlainDate,
): Temporal.PlainDate | 'wrong' {
  const distance = (date: Temporal.PlainDate) => Math.abs(today.until(date).days);
  const candidates = [-1, 0, 1].flatMap((years) => {
    try {
      return [named(today.year + years)];
    } catch {
      return [];
    }
  });
  return candidates.sort((a, b) => distance(a) - distance(b))[0] ?? 'wrong';
}

/** R4. `GMT+2` and `UTC-05:30` are offsets; `Etc/GMT+5`, as IANA has it, is five hours *behind*. */
function zoneOf(name: string | undefined, own: string): string {
  if (name === undefined) return own;
  const offset = /^(?:UTC|GMT)([+-])(\d{1,2})(?::?(\d{2}))?$/i.exec(name);
  const zone =
    offset === null
      ? (ABBREVIATIONS[name.toLowerCase()] ?? name)
      : `${offset[1]}${(offset[2] ?? '').padStart(2, '0')}:${offset[3] ?? '00'}`;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone).timeZoneId;
  } catch {
    return own;
  }
}
