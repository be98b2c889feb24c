import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from '../../src/supervisor/heap.ts';

const operation = fc.oneof(
  fc.record({
    is: fc.constant('set' as const),
    key: fc.integer({ min: 0, max: 30 }),
    order: fc.integer({ min: 0, max: 9 }),
  }),
  fc.record({ is: fc.constant('delete' as const), key: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ is: fc.constant('pop' as const) }),
);

describe('the indexed heap', () => {
  it('gives the smallest order first, ties by key, whatever was set, moved and deleted before', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const heap = new Heap();
        const model = new Map<string, number>();
        const least = () =>
          [...model].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))[0] ??
          ([undefined, Number.POSITIVE_INFINITY] as const);
        for (const op of operations) {
          if (op.is === 'set') {
            heap.set(`k${op.key}`, op.order);
            model.set(`k${op.key}`, op.order);
          } else if (op.is === 'delete') {
            expect(heap.delete(`k${op.key}`)).toBe(model.delete(`k${op.key}`));
          } else {
            const key = heap.peek();
            expect(key).toBe(least()[0]);
            if (key !== undefined) {
              heap.delete(key);
              model.delete(key);
            }
          }
          expect(heap.peek()).toBe(least()[0]);
          expect(heap.least()).toBe(least()[1]);
          expect(heap.size).toBe(model.size);
        }
      }),
    );
  });
});
