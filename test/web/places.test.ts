import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOWHERE, numberOf, type Places, placed, placeOf } from '../../web/src/issues/places.ts';

const issue = (number: number, due: number | null = null) => ({ number, id: `i${number}`, due });
const of = (...numbers: number[]): Places =>
  numbers.reduce((places, number) => placed(places, issue(number), true), NOWHERE);

describe('the places of a list', () => {
  it('stay in order of the numbers, whatever comes and goes', () => {
    const step = fc.record({ number: fc.integer({ min: 1, max: 30 }), isIn: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const wanted = new Set<number>();
        let places = NOWHERE;
        for (const { number, isIn } of steps) {
          if (isIn) wanted.add(number);
          else wanted.delete(number);
          places = placed(places, issue(number, number * 2), isIn);
        }
        const numbers = [...wanted].sort((a, b) => a - b);
        expect(places.numbers).toEqual(numbers);
        expect(places.ids).toEqual(numbers.map((number) => `i${number}`));
        expect(places.dues).toEqual(numbers.map((number) => number * 2));
      }),
    );
  });

  it('are the same object when nothing moves, so that nothing is drawn again', () => {
    const places = of(3, 1);
    expect(placed(places, issue(1), true)).toBe(places);
    expect(placed(places, issue(2), false)).toBe(places);
    expect(placed(places, issue(1, 9), true).dues).toEqual([9, null]);
  });

  it('say where a number is, or where it would go', () => {
    expect([1, 3, 2, 9].map((number) => placeOf(of(1, 3), number))).toEqual([0, 1, -2, -3]);
    expect(numberOf('ACME-104')).toBe(104);
  });
});
