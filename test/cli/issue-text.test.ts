/** Times in what a person reads: this machine's zone, not the wire's. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readable } from '../../src/cli/agent-names.ts';
import { clockTime, timeOf } from '../../src/cli/issue-text.ts';

const zone = process.env.TZ;
beforeEach(() => {
  process.env.TZ = 'America/New_York';
});
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const AT = Date.parse('2026-11-24T18:52:10.000Z');

it('a time is one of this machine’s zone', () => {
  expect([timeOf(AT), clockTime(AT)]).toEqual(['2026-11-24 13:52:10', '13:52:10']);
});
it('a sentence of the server’s names agents, and times as one reads them here, with the date where it is another day', () => {
  const text = 'Retry 1 of 4 by agent a0123456 at 2026-11-24T18:52:10.000Z, after a transient failure.';
  const names = new Map([['a0123456', 'caller']]);
  expect(readable(text, names, AT - 60_000)).toBe(
    'Retry 1 of 4 by agent caller at 13:52:10, after a transient failure.',
  );
  expect(readable(text, names, AT - 20 * 3_600_000)).toContain('at 2026-11-24 13:52:10, after');
  expect(readable(text, names, AT - 40 * 86_400_000)).toContain('at 2026-11-24 13:52:10, after');
});
