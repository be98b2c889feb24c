/** src/gateway/issue-layout.ts is made from the chart. After a change of it: `npx vitest run test/gateway/issue-layout.test.ts -u`. */
import { describe, expect, it } from 'vitest';
import { ISSUE_LAYOUT } from '../../src/gateway/issue-layout.ts';
import { drawMachine, hashOf } from '../../src/gateway/machine-layout.ts';
import { chartOf } from '../../src/machines/chart.ts';
import { issueKind } from '../../src/machines/issue-kind.ts';
import { layOut } from './support/layout.ts';

const { machine, names } = issueKind();
const chart = chartOf(machine, names);

describe('the layout of the issue machine', () => {
  it('is that of the chart as it is', async () => {
    const { width, height, boxes, arrows } = await layOut(chart);
    const lines = (of: readonly string[]) => of.map((line) => `    '${line}',\n`).join('');
    const text = `/**
 * Where things are on the drawing of the issue machine. Made from the chart; do not edit. After a change of the chart:
 * \`npx vitest run test/gateway/issue-layout.test.ts -u\`.
 */
import type { Laid } from './machine-layout.ts';

export const ISSUE_LAYOUT: Laid = {
  hash: '${hashOf(chart)}',
  width: ${width},
  height: ${height},
  boxes: [
${lines(boxes)}  ],
  arrows: [
${lines(arrows)}  ],
};
`;
    await expect(text).toMatchFileSnapshot('../../src/gateway/issue-layout.ts');
  });

  it('is refused for another chart, with what to do', () => {
    expect(() => drawMachine(machine, {}, ISSUE_LAYOUT)).toThrow(/issue-layout.test.ts -u/);
  });
});

describe('the drawing', () => {
  const draw = () => drawMachine(machine, names, ISSUE_LAYOUT).layout;

  it('has every arrow begin and end on the edge of its states', () => {
    const layout = draw();
    const boxOf = (id: string) => layout.nodes.find((box) => box.id === id)!;
    const onEdge = (id: string, p: { x: number; y: number }) => {
      const { x, y, width, height } = boxOf(id);
      const near = (a: number, b: number) => Math.abs(a - b) <= 1;
      const inside = p.x >= x - 1 && p.x <= x + width + 1 && p.y >= y - 1 && p.y <= y + height + 1;
      return inside && (near(p.x, x) || near(p.x, x + width) || near(p.y, y) || near(p.y, y + height));
    };
    for (const { source, target, points } of layout.arrows) {
      expect(onEdge(source, points[0]!), `${source} → ${target}`).toBe(true);
      expect(onEdge(target, points.at(-1)!), `${source} → ${target}`).toBe(true);
    }
  });

  it('has every label within the drawing, on no state without others in it and on no other label', () => {
    const layout = draw();
    type Area = { x: number; y: number; width: number; height: number };
    const meet = (a: Area, b: Area) =>
      a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
    const leaves = layout.nodes.filter((box) => !layout.nodes.some((other) => other.parent === box.id));
    for (const [n, { label }] of layout.arrows.entries()) {
      expect(label.x >= 0 && label.x + label.width <= layout.width).toBe(true);
      expect(label.y >= 0 && label.y + label.height <= layout.height).toBe(true);
      for (const box of leaves) expect(meet(label, box), `${label.lines} on ${box.id}`).toBe(false);
      for (const other of layout.arrows.slice(n + 1)) expect(meet(label, other.label)).toBe(false);
    }
  });

  it('knows the arrow of every way that leads elsewhere', () => {
    const layout = draw();
    expect(layout.ways.length).toBeGreaterThan(60);
    const unseen = layout.ways
      .filter(({ from, to, arrows }) => from !== null && from !== to && arrows.length === 0)
      .map(({ type, from, to }) => `${type} ${from} → ${to}`);
    // From a state to what is inside it there is no arrow; with a detached run this one goes on to stopping at once.
    expect(unseen).toEqual(['ASSIGN running.stopping → running.queued']);
  });
});
