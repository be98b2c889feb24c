/**
 * A machine's chart as plain data – states, edges, and the ways events take through them –, so that whoever draws,
 * exports or explains it reads one thing. Names of states are dotted paths (`running.queued`), as the journal has them;
 * the root is the empty string.
 */
import type { AnyStateMachine } from 'xstate';

export interface ChartState {
  /** `running.queued`. */
  readonly name: string;
  /** `queued`. */
  readonly key: string;
  /** Name of the state it is in; the root's is `''`. */
  readonly parent: string;
  readonly description: string | null;
  /** The state one is in after entering it; null: it has none inside. */
  readonly initial: string | null;
}

/** One transition of the chart, in its order: of several with one event the first whose guard holds is taken. */
export interface ChartEdge {
  /** The state that has it; `''` is every state. */
  readonly source: string;
  /** Null: it stays where it is. */
  readonly target: string | null;
  /** The journal's name of the event; `always` for one that needs none. */
  readonly event: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** It leaves and enters its source anew. */
  readonly reenter: boolean;
}

export interface Chart {
  readonly id: string;
  readonly initial: string;
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
}

/** One way through the chart: what a journal row's `type`, `from` and `to` say, and the edges it may have gone along. */
export interface Way {
  readonly type: string;
  /** Null at birth. */
  readonly from: string | null;
  readonly to: string;
  /** Empty: it stayed. */
  readonly edges: readonly ChartEdge[];
}

type StateNode = AnyStateMachine['root'];
type Names = Readonly<Record<string, string>>;

const ALWAYS = 'always';

/** @param names XState's names of events → the journal's, as in `ActorKind.names`. */
export function chartOf(machine: AnyStateMachine, names: Names): Chart {
  const states: ChartState[] = [];
  const edges: ChartEdge[] = [];
  const walk = (node: StateNode) => {
    for (const transition of [...node.transitions.values()].flat()) {
      edges.push(edgeOf(node, transition, names[transition.eventType] ?? transition.eventType));
    }
    for (const transition of node.always ?? []) edges.push(edgeOf(node, transition, ALWAYS));
    for (const child of Object.values(node.states) as StateNode[]) {
      states.push({
        name: nameOf(child),
        key: child.key,
        parent: nameOf(node),
        description: child.description ?? null,
        initial: initialOf(child),
      });
      walk(child);
    }
  };
  walk(machine.root);
  return { id: machine.id, initial: initialOf(machine.root) ?? '', states, edges };
}

/** States one may rest in. */
export function leavesOf(chart: Chart): string[] {
  return chart.states.filter(({ initial }) => initial === null).map(({ name }) => name);
}

/** Where one ends who enters `name`: in a leaf. */
export function settled(chart: Chart, name: string): string {
  const initial = name === '' ? chart.initial : (chart.states.find((s) => s.name === name)?.initial ?? null);
  return initial === null ? name : settled(chart, initial);
}

/** `name` and what it is inside of, from the inside out; the root is last. */
export function within(name: string): string[] {
  const parts = name.split('.');
  return [...parts.map((_, n) => parts.slice(0, parts.length - n).join('.')), ''];
}

/** Every way one event can take, the ways of birth included. Of several with one type, from and to the first stands. */
export function waysOf(chart: Chart): Way[] {
  const ways = new Map<string, Way>();
  const add = (way: Way) => {
    const key = `${way.type} ${way.from} ${way.to}`;
    if (!ways.has(key)) ways.set(key, way);
  };
  const start = settled(chart, '');
  for (const leaf of leavesOf(chart)) {
    for (const state of within(leaf)) {
      for (const edge of chart.edges) {
        if (edge.source !== state || edge.event === ALWAYS) continue;
        for (const { to, edges } of endsOf(chart, leaf, edge)) {
          add({ type: edge.event, from: leaf, to, edges });
          if (leaf === start) add({ type: edge.event, from: null, to, edges });
        }
      }
    }
  }
  return [...ways.values()];
}

/** Where an edge taken in `leaf` may end: in its target, or further on by what needs no event. */
function endsOf(chart: Chart, leaf: string, edge: ChartEdge): { to: string; edges: ChartEdge[] }[] {
  const first = edge.target === null ? leaf : settled(chart, edge.target);
  const ends = [{ to: first, edges: edge.target === null ? [] : [edge] }];
  for (const end of ends) {
    for (const next of chart.edges) {
      if (next.source !== end.to || next.event !== ALWAYS || next.target === null) continue;
      const to = settled(chart, next.target);
      if (!ends.some((known) => known.to === to)) ends.push({ to, edges: [...end.edges, next] });
    }
  }
  return ends;
}

type Transition = StateNode['transitions'] extends Map<string, (infer T)[]> ? T : never;

function edgeOf(node: StateNode, transition: Transition, event: string): ChartEdge {
  const [target] = (transition.target ?? []) as StateNode[];
  return {
    source: nameOf(node),
    target: target ? nameOf(target) : null,
    event,
    guard: typed(transition.guard),
    actions: transition.actions.map((action) => typed(action) ?? 'inline'),
    reenter: transition.reenter,
  };
}

/** The name of a guard or an action, in either way of writing it. */
function typed(named: unknown): string | null {
  if (typeof named === 'string') return named;
  const { type } = (named ?? {}) as { type?: unknown };
  return typeof type === 'string' ? type : null;
}

function initialOf(node: StateNode): string | null {
  const target = node.initial?.target?.[0] as StateNode | undefined;
  return target ? nameOf(target) : null;
}

function nameOf(node: StateNode): string {
  return node.path.join('.');
}
