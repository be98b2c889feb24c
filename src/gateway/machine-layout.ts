/**
 * The issue machine for drawing (`GET /v1/machines/issue`): its definition as JSON, a hash of it, and coordinates. Where
 * things are was worked out when the chart last changed (issue-layout.ts), so the same machine is drawn the same
 * everywhere and at once; what they are is read from the machine that runs.
 */
import { createHash } from 'node:crypto';
import type { AnyStateMachine } from 'xstate';
import { type Chart, type ChartEdge, chartOf, waysOf } from '../machines/chart.ts';
import { type Arrow, arrowsOf } from '../machines/diagram.ts';
import type { Box, DrawnArrow, DrawnMachine, Layout, Point } from '../machines/drawing.ts';

/** Coordinates of a chart, as ELK gave them, in pixels. */
export interface Laid {
  /** Of the chart they belong to. */
  readonly hash: string;
  readonly width: number;
  readonly height: number;
  /** `name x y width height`; parents before what is inside them. */
  readonly boxes: readonly string[];
  /** `source target x,y x,y …`: the corners, and last where the label's top left corner is. */
  readonly arrows: readonly string[];
}

/** A line of a label: 12 px of a monospaced face. */
const LINE = { height: 15, perCharacter: 7.25, padding: 4 };
/** A state without others in it: room for its name, a count and a line below. */
export const LEAF = { width: 164, height: 50 };

/**
 * @param names XState's names of events → the journal's.
 * @throws Error when `laid` belongs to another chart.
 */
export function drawMachine(
  machine: AnyStateMachine,
  names: Readonly<Record<string, string>>,
  laid: Laid,
): DrawnMachine & { readonly layout: Layout } {
  const text = JSON.stringify(machine.definition);
  const chart = chartOf(machine, names);
  if (hashOf(chart) !== laid.hash) {
    throw new Error('The chart was changed: npx vitest run test/gateway/issue-layout.test.ts -u');
  }
  return {
    definition: JSON.parse(text),
    hash: createHash('sha256').update(text).digest('hex'),
    layout: layoutOf(chart, laid),
  };
}

/** By which a layout knows its chart. */
export function hashOf(chart: Chart): string {
  return createHash('sha256').update(JSON.stringify(chart)).digest('hex');
}

/** The size and the lines of an arrow's label: each event once; what guards it is said elsewhere. */
export function labelOf({ edges }: Arrow): { width: number; height: number; lines: string[] } {
  const lines = [...new Set(edges.map(({ event }) => event))];
  const longest = Math.max(...lines.map((line) => line.length));
  return {
    width: Math.ceil(longest * LINE.perCharacter) + 2 * LINE.padding,
    height: lines.length * LINE.height + LINE.padding,
    lines,
  };
}

function layoutOf(chart: Chart, laid: Laid): Layout {
  const id = (name: string) => (name === '' ? chart.id : `${chart.id}.${name}`);
  const nodes = laid.boxes.map((box): Box => {
    const [name = '', ...numbers] = box.split(' ');
    const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
    const state = chart.states.find((s) => s.name === name);
    if (!state) throw new Error(`the layout has a state ${name} that the chart has not`);
    const { key, description } = state;
    const parent = state.parent === '' ? null : id(state.parent);
    return { id: id(name), parent, name, key, description, x, y, width, height };
  });
  const drawn = arrowsOf(chart).map((arrow, n) => {
    const text = laid.arrows.find((line) => line.startsWith(`${arrow.source} ${arrow.target} `));
    if (!text) throw new Error(`the layout has no arrow from ${arrow.source} to ${arrow.target}`);
    const corners = text.split(' ').slice(2).map(pointOf);
    const { x, y } = corners.at(-1)!;
    return {
      of: arrow,
      drawn: {
        id: `arrow-${n}`,
        source: id(arrow.source),
        target: id(arrow.target),
        points: corners.slice(0, -1),
        label: { x, y, ...labelOf(arrow) },
      },
    };
  });
  const arrowOf = new Map<ChartEdge, DrawnArrow>();
  for (const { of, drawn: arrow } of drawn) for (const edge of of.edges) arrowOf.set(edge, arrow);
  const edges = [...arrowOf].map(([{ event, guard }, { source, target, points }]) => ({
    source,
    target,
    event,
    guard,
    points,
  }));
  const ways = waysOf(chart).map(({ type, from, to, edges: along }) => ({
    type,
    from,
    to,
    arrows: along.flatMap((edge) => arrowOf.get(edge)?.id ?? []),
  }));
  const { width, height } = laid;
  return { width, height, nodes, edges, arrows: drawn.map(({ drawn: arrow }) => arrow), ways };
}

function pointOf(corner: string): Point {
  const [x = 0, y = 0] = corner.split(',').map(Number);
  return { x, y };
}
