/**
 * The issue machine for drawing (`GET /v1/machines/issue`): its definition as JSON, a hash of it, and coordinates. The
 * layout is computed from the definition alone, so the same machine is drawn the same everywhere: top-level states in a
 * row in the order of the definition, their children in a column inside, edges from side to side.
 */
import { createHash } from 'node:crypto';
import type { AnyStateMachine } from 'xstate';

export interface Box {
  readonly id: string;
  readonly parent: string | null;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface Edge {
  readonly source: string;
  readonly target: string;
  readonly event: string;
  readonly guard: string | null;
  /** Corners, x and y in the unit of the boxes. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Box[];
  readonly edges: readonly Edge[];
}
export interface DrawnMachine {
  readonly definition: unknown;
  /** SHA-256 of the definition's JSON, hex. */
  readonly hash: string;
  readonly layout: unknown;
}

const LEAF = { width: 180, height: 56 };
const GAP = 96;
const PAD = { top: 48, side: 24, between: 24 };

/** What is read of XState's own `machine.definition`. */
interface StateDefinition {
  readonly id: string;
  readonly key: string;
  readonly states?: Readonly<Record<string, StateDefinition>>;
  readonly transitions?: readonly {
    readonly eventType: string;
    readonly target?: readonly string[];
    readonly guard?: unknown;
  }[];
}

export function drawMachine(machine: AnyStateMachine): DrawnMachine {
  const text = JSON.stringify(machine.definition);
  const definition = JSON.parse(text) as StateDefinition;
  return {
    definition,
    hash: createHash('sha256').update(text).digest('hex'),
    layout: layoutOf(definition),
  };
}

function layoutOf(root: StateDefinition): Layout {
  const nodes: Box[] = [];
  let x = 0;
  let height = 0;
  for (const state of Object.values(root.states ?? {})) {
    const box = place(state, null, x, 0, nodes);
    x += box.width + GAP;
    height = Math.max(height, box.height);
  }
  const boxes = new Map(nodes.map((box) => [box.id, box]));
  return { width: Math.max(0, x - GAP), height, nodes, edges: edgesOf(root, boxes) };
}

/** Puts a state and what is inside it at (x, y); parents come before children in `into`. */
function place(state: StateDefinition, parent: string | null, x: number, y: number, into: Box[]): Box {
  const children = Object.values(state.states ?? {});
  const at = into.length;
  const inside: Box[] = [];
  let bottom = y + PAD.top;
  for (const child of children) {
    const box = place(child, state.id, x + PAD.side, bottom, inside);
    bottom += box.height + PAD.between;
  }
  const widest = Math.max(0, ...inside.map((box) => box.width));
  const box: Box = {
    id: state.id,
    parent,
    x,
    y,
    width: children.length === 0 ? LEAF.width : widest + 2 * PAD.side,
    height: children.length === 0 ? LEAF.height : bottom - y,
  };
  into.splice(at, 0, box, ...inside);
  return box;
}

function edgesOf(state: StateDefinition, boxes: ReadonlyMap<string, Box>): Edge[] {
  const edges: Edge[] = [];
  for (const { eventType, target, guard } of state.transitions ?? []) {
    for (const name of target ?? []) {
      const id = name.replace(/^#/, '');
      const from = boxes.get(state.id);
      const to = boxes.get(id);
      if (from === undefined || to === undefined) continue;
      const points = [exit(from, to), exit(to, from)];
      edges.push({ source: state.id, target: id, event: eventType, guard: guardName(guard), points });
    }
  }
  for (const child of Object.values(state.states ?? {})) edges.push(...edgesOf(child, boxes));
  return edges;
}

/** The middle of the side of `box` that looks towards `other`. */
function exit(box: Box, other: Box): { x: number; y: number } {
  const middle = box.y + box.height / 2;
  if (other.x >= box.x + box.width) return { x: box.x + box.width, y: middle };
  if (other.x + other.width <= box.x) return { x: box.x, y: middle };
  const centre = box.x + box.width / 2;
  return { x: centre, y: other.y > box.y ? box.y + box.height : box.y };
}

function guardName(guard: unknown): string | null {
  if (typeof guard === 'string') return guard;
  const { type } = (guard ?? {}) as { type?: unknown };
  return typeof type === 'string' ? type : null;
}
