/** Times within the server's sentences, as they are read: where the viewer is. */
import { describe, expect, it } from 'vitest';
import { clockTime, dateTime } from '../../web/src/duration.ts';
import { inLocalTime, momentText, piecesOf } from '../../web/src/moments.ts';

const AT = Date.parse('2026-11-24T14:03:27.250Z');
const ISO = '2026-11-24T14:03:27.250Z';

describe('the pieces of a sentence', () => {
  it('are its words and its times, in order, and nothing is lost', () => {
    const text = `Retry 1 of 4 by agent one at ${ISO}, after a transient failure.`;
    const pieces = piecesOf(text);
    expect(pieces).toEqual([
      'Retry 1 of 4 by agent one at ',
      { at: AT, iso: ISO },
      ', after a transient failure.',
    ]);
    expect(pieces.map((piece) => (typeof piece === 'string' ? piece : piece.iso)).join('')).toBe(text);
  });

  it('are times at either end, one after the other, without seconds and with an offset', () => {
    expect(piecesOf(`${ISO} 2026-11-24T15:03+01:00`)).toEqual([
      { at: AT, iso: ISO },
      ' ',
      { at: Date.parse('2026-11-24T14:03:00Z'), iso: '2026-11-24T15:03+01:00' },
    ]);
    expect(piecesOf('')).toEqual([]);
  });

  it('are words where something only looks like a time', () => {
    for (const text of [
      'at 2026-13-45T99:99:99Z',
      'built from 2026-11-24',
      'v12026-11-24T14:03:27Z',
      'run-2026-11-24T14:03:27Z',
      '2026-11-24T14:03:27Zulu',
      // Without an offset nobody knows which time it is.
      '2026-11-24T14:03:27',
    ]) {
      expect(piecesOf(text)).toEqual([text]);
    }
  });
});

describe('a time in a sentence', () => {
  it('is of today the time alone, of another day also the day', () => {
    expect(momentText(AT, AT + 1000)).toBe(clockTime(AT));
    expect(momentText(AT, AT + 86_400_000)).toBe(dateTime(AT));
    expect(momentText(AT, AT - 86_400_000)).toBe(dateTime(AT));
  });

  it('is written into the sentence where only text can be', () => {
    expect(inLocalTime(`last heard of at ${ISO}.`, AT)).toBe(`last heard of at ${clockTime(AT)}.`);
    expect(inLocalTime('Nobody is assigned.', AT)).toBe('Nobody is assigned.');
  });
});
