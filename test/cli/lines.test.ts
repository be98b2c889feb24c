import { describe, expect, it } from 'vitest';
import { Lines } from '../../src/cli/job/lines.ts';

const SECRET = `bk_${'s'.repeat(40)}`;
const bytes = (text: string) => new TextEncoder().encode(text);

/** All lines of `text`, given in pieces of `size` bytes. */
function linesOf(text: string, size: number, secret = SECRET): string[] {
  const lines = new Lines(secret);
  const all = bytes(text);
  const out: string[] = [];
  for (let at = 0; at < all.length; at += size) out.push(...lines.push(all.subarray(at, at + size)));
  return [...out, ...lines.end()];
}

describe('lines of a command’s output', () => {
  it.each([1, 7, 64, 1_000_000])('leave out the key, however its bytes arrive (%i at once)', (size) => {
    expect(linesOf(`a\r\nBATON_TOKEN=${SECRET}\nx ${SECRET}${SECRET}`, size)).toEqual([
      'a',
      'BATON_TOKEN=[redacted]',
      'x [redacted][redacted]',
    ]);
  });

  it.each([1, 13, 8192, 1_000_000])('leave it out also where an endless line is cut (%i at once)', (size) => {
    const cut = 8 * 1024;
    for (const before of [cut - SECRET.length - 1, cut - 20, cut - 1, cut, cut + 1]) {
      const text = 'é'.repeat(before) + SECRET + 'z'.repeat(9000);
      const lines = linesOf(text, size);
      expect(lines.join('')).toBe(text.replace(SECRET, '[redacted]'));
      expect(lines.length).toBeGreaterThan(1);
    }
  });

  it('keep everything where there is no secret', () => {
    expect(linesOf('one\ntwo', 3, '')).toEqual(['one', 'two']);
  });
});
