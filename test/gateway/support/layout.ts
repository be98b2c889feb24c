/**
 * Lays a chart out with ELK (layered, left to right, orthogonal, in the order of the chart). It takes a third of a second
 * and is only needed when a chart changes, so it is done by a test that is asked to (issue-layout.test.ts), and what
 * the server gives out is its result, kept in src/gateway/issue-layout.ts.
 */
import elk, { type ElkExtendedEdge, type ElkNode } from 'elkjs';
import { type Laid, LEAF, labelOf } from '../../../src/gateway/machine-layout.ts';
import type { Chart } from '../../../src/machines/chart.ts';
import { arrowsOf } from '../../../src/machines/diagram.ts';

const ROOT = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.layered.layering.strategy': 'LONGEST_PATH',
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.crossingMinimization.forceNodeModelOrder': 'false',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.thoroughness': '60',
  'elk.spacing.nodeNode': '20',
  'elk.spacing.edgeNode': '12',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '26',
  'elk.layered.spacing.edgeNodeBetweenLayers': '12',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
  'elk.padding': '[top=8,left=8,bottom=8,right=8]',
};
const COMPOUND = { 'elk.padding': '[top=44,left=16,bottom=16,right=16]' };

export async function layOut(chart: Chart): Promise<Omit<Laid, 'hash'>> {
  const nodeOf = (name: string): ElkNode => {
    const inside = chart.states.filter(({ parent }) => parent === name);
    const children = inside.map((state) => nodeOf(state.name));
    if (children.length > 0) return { id: name, children, layoutOptions: COMPOUND };
    return { id: name, ...LEAF };
  };
  const arrows = arrowsOf(chart);
  const edges: ElkExtendedEdge[] = arrows.map((arrow, n) => ({
    id: String(n),
    sources: [arrow.source],
    targets: [arrow.target],
    labels: [{ text: String(n), ...labelOf(arrow), layoutOptions: { 'elk.edgeLabels.placement': 'CENTER' } }],
  }));
  const graph: ElkNode = { ...nodeOf(''), id: 'root', edges, layoutOptions: ROOT };
  const laid = await new elk.default().layout(graph, { layoutOptions: {} });

  const origins = new Map<string, { x: number; y: number }>([['root', { x: 0, y: 0 }]]);
  const boxes: string[] = [];
  const place = (node: ElkNode, x: number, y: number) => {
    for (const child of node.children ?? []) {
      const at = { x: x + (child.x ?? 0), y: y + (child.y ?? 0) };
      origins.set(child.id, at);
      boxes.push([child.id, ...[at.x, at.y, child.width, child.height].map(round)].join(' '));
      place(child, at.x, at.y);
    }
  };
  place(laid, 0, 0);
  const lines = (laid.edges ?? []).map((edge) => {
    const { x, y } = origins.get((edge as { container?: string }).container ?? 'root') ?? { x: 0, y: 0 };
    const arrow = arrows[Number(edge.id)];
    const [section] = edge.sections ?? [];
    const [label] = edge.labels ?? [];
    if (!arrow || !section || !label) throw new Error(`ELK drew no edge ${edge.id}`);
    const corners = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
    const all = [...corners, { x: label.x ?? 0, y: label.y ?? 0 }];
    return [arrow.source, arrow.target, ...all.map((p) => `${round(p.x + x)},${round(p.y + y)}`)].join(' ');
  });
  return { width: round(laid.width), height: round(laid.height), boxes, arrows: lines };
}

function round(n: number | undefined): number {
  return Math.round(n ?? 0);
}
