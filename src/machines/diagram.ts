/**
 * A machine as a Mermaid state diagram: the picture in docs/machine.md, made from the chart itself so that it cannot be
 * wrong. Transitions that stay where they are (a WAKE that is only taken in) are only in the table below the picture.
 */
import { type Chart, type ChartEdge, settled } from './chart.ts';

export function mermaidOf(chart: Chart): string {
  const lines = ['stateDiagram-v2', '  direction LR'];
  const draw = (parent: string, initial: string, indent: string) => {
    lines.push(`${indent}[*] --> ${idOf(initial)}`);
    for (const state of chart.states) {
      if (state.parent !== parent) continue;
      const compound = state.initial !== null;
      lines.push(`${indent}state "${state.key}" as ${idOf(state.name)}${compound ? ' {' : ''}`);
      if (state.initial === null) continue;
      draw(state.name, state.initial, `${indent}  `);
      lines.push(`${indent}}`);
    }
  };
  draw('', chart.initial, '  ');
  for (const { source, target, edges } of arrowsOf(chart)) {
    const labels = edges.map(({ event, guard }) => event + (guard ? ` [${guard}]` : ''));
    lines.push(`  ${idOf(source)} --> ${idOf(target)} : ${[...new Set(labels)].join('<br/>')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What is drawn as one arrow: the edges from one state to another one. */
export interface Arrow {
  readonly source: string;
  /** The state one ends in, not the one around it. */
  readonly target: string;
  readonly edges: readonly ChartEdge[];
}

/** All arrows, in the chart's order. One from a state into itself, or into what is inside it, is none: it stays. */
export function arrowsOf(chart: Chart): Arrow[] {
  const arrows = new Map<string, { source: string; target: string; edges: ChartEdge[] }>();
  for (const edge of chart.edges) {
    if (edge.target === null) continue;
    const target = settled(chart, edge.target);
    if (target === edge.source || target.startsWith(`${edge.source}.`)) continue;
    const key = `${edge.source} ${target}`;
    const arrow = arrows.get(key) ?? { source: edge.source, target, edges: [] };
    arrow.edges.push(edge);
    arrows.set(key, arrow);
  }
  return [...arrows.values()];
}

/** Every transition as a row of a Markdown table, in the order of the chart: the first whose guard holds is taken. */
export function transitionTable(chart: Chart): string {
  const rows = chart.edges.map(({ source, target, event, guard, actions }) => {
    const to = target === null ? '(stays)' : idOf(settled(chart, target));
    const cells = [source === '' ? 'any' : idOf(source), event, guard ?? '', to, actions.join(', ')];
    return `| ${cells.map((cell) => (cell === '' ? '' : `\`${cell}\``)).join(' | ')} |`;
  });
  return ['| in | on | if | to | does |', '| --- | --- | --- | --- | --- |', ...rows, ''].join('\n');
}

/** A name Mermaid takes. */
function idOf(name: string): string {
  return name.replaceAll('.', '_').replaceAll('-', '_');
}
