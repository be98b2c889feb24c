import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { resetTime } from '../../../src/cli/classify/reset-time.ts';

/** `2026-03-29T01:30[Europe/Madrid]` → epoch ms. */
const ms = (zoned: string) => Temporal.ZonedDateTime.from(zoned).epochMilliseconds;

/** What `text`, read at `now` on a machine in `now`'s zone, means; written in UTC. */
function read(text: string, now: string): string | null {
  const here = Temporal.ZonedDateTime.from(now);
  const found = resetTime(text, { now: here.epochMilliseconds, zone: here.timeZoneId });
  return found === null ? null : new Date(found).toISOString();
}
const utc = (zoned: string) => new Date(ms(zoned)).toISOString();

describe('a time of day with a zone', () => {
  it.each([
    ["You've hit your session limit · resets 3pm (America/Bogota)", '2026-08-10T20:00Z'],
    ['Limit reached · resets 11pm (America/Anchorage) · /upgrade to Max', '2026-08-11T07:00Z'],
    ["You've hit your session limit · resets 8:30pm (Asia/Tokyo)", '2026-08-10T11:30Z'],
    ["You've hit your session limit · resets 11:20am (Europe/Budapest)", '2026-08-11T09:20Z'],
    ["You've hit your session limit · resets 2:50am (Asia/Muscat)", '2026-08-10T22:50Z'],
    ['Claude usage limit reached. Your limit will reset at 5pm (Europe/Warsaw).', '2026-08-10T15:00Z'],
    ['Weekly limit reached · resets 10am (Asia/Seoul)', '2026-08-11T01:00Z'],
    ['Your limit will reset at 1pm (Etc/GMT+5)', '2026-08-10T18:00Z'],
    ['resets 7pm (Asia/Kolkata)', '2026-08-10T13:30Z'],
    ['resets 7pm (Asia/Kathmandu)', '2026-08-10T13:15Z'],
    ['resets 7pm (Pacific/Chatham)', '2026-08-11T06:15Z'],
    ['resets 7pm (UTC)', '2026-08-10T19:00Z'],
    ['please try again at 4:05 PM (PDT)', '2026-08-10T23:05Z'],
    ['please try again at 4:05 PM UTC', '2026-08-10T16:05Z'],
    ['please try again at 9:00 PM (GMT+2)', '2026-08-10T19:00Z'],
    ['resets 12am (UTC)', '2026-08-11T00:00Z'],
    ['resets 12pm (UTC)', '2026-08-10T12:00Z'],
    ['resets 15:30 (UTC)', '2026-08-10T15:30Z'],
  ])('%s', (text, expected) => {
    expect(read(text, '2026-08-10T11:00[UTC]')).toBe(new Date(expected).toISOString());
  });
});

describe('a time of day in the zone of the machine', () => {
  it.each(['America/Los_Angeles', 'Europe/Madrid', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia'])(
    'is today when it is to come, tomorrow when it is over: %s',
    (zone) => {
      const now = `2026-06-15T10:30[${zone}]`;
      expect(read('or try again at 3:45 PM.', now)).toBe(utc(`2026-06-15T15:45[${zone}]`));
      expect(read('or try again at 4:29 AM.', now)).toBe(utc(`2026-06-16T04:29[${zone}]`));
    },
  );
  it('over midnight is tomorrow', () => {
    const now = '2026-12-31T23:50[Europe/Madrid]';
    expect(read('resets 12:10am', now)).toBe(utc('2027-01-01T00:10[Europe/Madrid]'));
    expect(read('resets 12am', now)).toBe(utc('2027-01-01T00:00[Europe/Madrid]'));
  });
  it('that passed within the hour is that one, also when midnight lies between: it must not cost a day', () => {
    expect(read('resets 3pm', '2026-06-15T15:20[Europe/Madrid]')).toBe(
      utc('2026-06-15T15:00[Europe/Madrid]'),
    );
    expect(read('resets 11:50pm', '2026-06-16T00:05[Europe/Madrid]')).toBe(
      utc('2026-06-15T23:50[Europe/Madrid]'),
    );
  });
  it('is the machine’s where the zone named is none', () => {
    expect(read('Limit reached · resets 5pm (Etc/Unknown)', '2026-01-10T10:00[America/New_York]')).toBe(
      utc('2026-01-10T17:00[America/New_York]'),
    );
  });
});

describe('around a change of daylight saving time', () => {
  it('an hour that is skipped is read as the one after it', () => {
    // Madrid, 29 March 2026: 02:00 becomes 03:00.
    expect(read('resets 2:30am (Europe/Madrid)', '2026-03-29T00:10[Europe/Madrid]')).toBe(
      '2026-03-29T01:30:00.000Z',
    );
    // New York, 8 March 2026: 02:00 becomes 03:00.
    expect(read('try again at 2:15 AM', '2026-03-08T00:10[America/New_York]')).toBe(
      '2026-03-08T07:15:00.000Z',
    );
  });
  it('an hour that comes twice is its second one: a retry too early is wasted', () => {
    // Madrid, 25 October 2026: 03:00 becomes 02:00, so 02:30 is at 00:30 and at 01:30 UTC.
    expect(read('resets 2:30am (Europe/Madrid)', '2026-10-25T00:10[Europe/Madrid]')).toBe(
      '2026-10-25T01:30:00.000Z',
    );
    expect(read('try again at 1:30 AM', '2026-11-01T00:10[America/New_York]')).toBe(
      '2026-11-01T06:30:00.000Z',
    );
  });
  it('the day before has the old offset, the day after the new one', () => {
    expect(read('resets 9am (Europe/London)', '2026-03-28T20:00[UTC]')).toBe('2026-03-29T08:00:00.000Z');
    expect(read('resets 9am (Europe/London)', '2026-10-24T20:00[UTC]')).toBe('2026-10-25T09:00:00.000Z');
    // Lord Howe moves by half an hour.
    expect(read('resets 9am (Australia/Lord_Howe)', '2026-04-04T12:00[UTC]')).toBe(
      '2026-04-04T22:30:00.000Z',
    );
  });
  it('southern and half-hour zones are no exception', () => {
    expect(read('resets 2:30am (Australia/Sydney)', '2026-10-03T12:00[UTC]')).toBe(
      '2026-10-03T16:30:00.000Z',
    );
    expect(read('resets 12:30am (America/St_Johns)', '2026-03-08T02:00[UTC]')).toBe(
      '2026-03-08T04:00:00.000Z',
    );
  });
});

describe('a date', () => {
  const at = '2026-09-30T12:00[Europe/Madrid]';
  it.each([
    ["You've hit your weekly limit · resets Oct 5 at 9am", '2026-10-05T09:00[Europe/Madrid]'],
    ['Weekly limit reached ∙ resets Oct 9, 5pm', '2026-10-09T17:00[Europe/Madrid]'],
    ['resets Oct 27 at 9am (Europe/Madrid)', '2026-10-27T09:00[Europe/Madrid]'],
    ['resets 5 Oct at 9am', '2026-10-05T09:00[Europe/Madrid]'],
    ['or try again at Oct 5th, 2026 8:19 PM.', '2026-10-05T20:19[Europe/Madrid]'],
    ['or try again at Oct 1st, 2026 1:47 AM.', '2026-10-01T01:47[Europe/Madrid]'],
    ['or try again at Oct 10, 2026, 11:12 AM.', '2026-10-10T11:12[Europe/Madrid]'],
    ['or wait until Oct 30, 2026, 4:12 PM.', '2026-10-30T16:12[Europe/Madrid]'],
    ['Your rate limit resets on Oct 19, 2026, 12:08 AM.', '2026-10-19T00:08[Europe/Madrid]'],
    ['You will regain access on 2026-11-01 at 00:00 UTC.', '2026-11-01T00:00[UTC]'],
    ['resets Mon 12:00am', '2026-10-05T00:00[Europe/Madrid]'],
    ['resets Oct 15', '2026-10-15T00:00[Europe/Madrid]'],
    ['Resets Oct 15 63% left', '2026-10-15T00:00[Europe/Madrid]'],
  ])('%s', (text, expected) => {
    expect(read(text, at)).toBe(utc(expected));
  });
  it('without a year is the nearest: next year’s in the last days of December', () => {
    expect(read('resets Jan 2 at 9am', '2026-12-30T12:00[UTC]')).toBe('2027-01-02T09:00:00.000Z');
    expect(read('resets Dec 31 at 11pm', '2027-01-01T01:00[UTC]')).toBe('2026-12-31T23:00:00.000Z');
    expect(read('resets Feb 29 at 9am', '2028-02-20T12:00[UTC]')).toBe('2028-02-29T09:00:00.000Z');
  });
  it('that does not exist, or is far away, is none', () => {
    expect(read('resets Feb 30 at 9am', '2026-02-20T12:00[UTC]')).toBeNull();
    expect(read('try again at Oct 5th, 2031 8:19 PM', at)).toBeNull();
    expect(read('try again at Sep 1st, 2026 8:19 PM', at)).toBeNull();
  });
  it('in another language is none: better no time than a wrong one', () => {
    expect(read('or try again at 10 de jul. de 2026, 11:52.', at)).toBeNull();
  });
});

describe('a span', () => {
  const now = '2026-09-30T12:00[UTC]';
  it.each([
    ['or try again in 5 days 22 hours 11 minutes.', ((5 * 24 + 22) * 60 + 11) * 60_000],
    ['Try again in 4 days 20 hours 9 minutes.', ((4 * 24 + 20) * 60 + 9) * 60_000],
    ['Rate limit is exceeded. Try again in 17 seconds.', 17_000],
    ['Please try again in 14.036s. Visit https://platform.openai.com', 14_036],
    ['Please try again in 209ms.', 209],
    ["You've hit your session limit · resets in 1d 5h", 29 * 3_600_000],
    ['try again in 1 hour and 30 minutes', 5_400_000],
    ['"resets_in_seconds": 602705', 602_705_000],
    ['Retry-After: 30', 30_000],
  ])('%s', (text, expected) => {
    expect(read(text, now)).toBe(new Date(ms(now) + expected).toISOString());
  });
});

describe('an epoch', () => {
  it.each([
    ['Claude AI usage limit reached|1749924000', '2025-06-14T18:00:00.000Z'],
    ['Claude AI usage limit reached|1749924000000', '2025-06-14T18:00:00.000Z'],
    ['{"resets_at":1749924000,"resets_in_seconds":1}', '2025-06-14T18:00:00.000Z'],
    ['resets_at: 1749924000', '2025-06-14T18:00:00.000Z'],
  ])('%s', (text, expected) => {
    expect(read(text, '2025-06-14T17:57[UTC]')).toBe(expected);
  });
  it('long past or far ahead is none', () => {
    expect(read('usage limit reached|1000000000', '2026-06-14T17:57[UTC]')).toBeNull();
    expect(read('usage limit reached|1999999999', '2026-06-14T17:57[UTC]')).toBeNull();
  });
});

describe('no time', () => {
  it.each([
    'try again later.',
    'resets 3 counters',
    'resets 25:00',
    'resets 13pm',
    'resets 0am',
    'reset the 5 hosts at 10',
    '',
  ])('%j', (text) => {
    expect(read(text, '2026-06-14T17:57[UTC]')).toBeNull();
  });
});
