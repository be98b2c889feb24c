/** Rates on the machine's drawing, all at once: none stands on a word, on a state or on another rate. */
import { describe, expect, it } from 'vitest';
import { ISSUE_LAYOUT } from '../../src/gateway/issue-layout.ts';
import { drawMachine } from '../../src/gateway/machine-layout.ts';
import { issueKind } from '../../src/machines/issue-kind.ts';
import { type Area, flowAt } from '../../web/src/chart/flow.ts';

const { machine, names } = issueKind();
const { layout } = drawMachine(machine, names, ISSUE_LAYOUT);
const leaves = layout.nodes.filter((box) => !layout.nodes.some((other) => other.parent === box.id));
const meet = (a: Area, b: Area) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe.each(['0.1/s', '123/s', '1.2k/s'])('a rate of %s', (text) => {
  const flows = layout.arrows.map((arrow) => ({ arrow, at: flowAt(layout, arrow, text) }));

  it('stands on no state and on no label, its own neither', () => {
    const over = flows.flatMap(({ arrow, at }) =>
      [...leaves, ...layout.arrows.map(({ label }) => label)]
        .filter((area) => meet(at, area))
        .map(() => `${arrow.source} → ${arrow.target}`),
    );
    expect(over).toEqual([]);
  });

  it('stands on no other rate', () => {
    const over = flows.flatMap(({ arrow, at }, n) =>
      flows
        .slice(n + 1)
        .filter((other) => meet(at, other.at))
        .map((other) => `${arrow.id} ${other.arrow.id}`),
    );
    expect(over).toEqual([]);
  });

  it('is within the drawing', () => {
    for (const { at } of flows) {
      expect(at.x >= 0 && at.x + at.width <= layout.width).toBe(true);
      expect(at.y >= 0 && at.y + at.height <= layout.height).toBe(true);
    }
  });
});
