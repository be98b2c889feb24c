/** Lines of the statechart: every corner is rounded, and the head stands at the end. */
import { expect, it } from 'vitest';
import { head, line } from '../../web/src/chart/path.ts';

const POINTS = [
  { x: 0, y: 0 },
  { x: 100, y: 0 },
  { x: 100, y: 50 },
];

it('a line turns its corners in curves and ends where the head begins', () => {
  expect(line(POINTS)).toBe('M0 0L93 0Q100 0 100 7L100 43');
  expect(head(POINTS)).toBe('M100 50L104 42L96 42Z');
});

it('a corner between short sides is rounded by half of the shorter one, so that no line goes back', () => {
  expect(
    line([
      { x: 0, y: 0 },
      { x: 4, y: 0 },
      { x: 4, y: 50 },
    ]),
  ).toBe('M0 0L2 0Q4 0 4 2L4 43');
  expect(line([])).toBe('');
});
