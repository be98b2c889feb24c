/**
 * A machine as a Mermaid state diagram: the picture in docs/machine.md, made from the chart itself so that it cannot be
 * wrong. Transitions that stay where they are (a WAKE that is only taken in) are only in the table below the picture.
 */
import type { AnyStateMachine } from 'xstate';

type StateNode = AnyStateMachine['root'];
interface Edge {
  from: string;
  to: string | null;
  event: string;
  guard: string | null;
  actions: string[];
}

/** @param names XState's names of events → the journal's, as in `ActorKind.names`. */
export function mermaidOf(machine: AnyStateMachine, names: Readonly<Record<string, string>>): string {
  const lines = ['stateDiagram-v2', '  direction LR'];
  const draw = (node: StateNode, indent: string) => {
    const children = Object.values(node.states) as StateNode[];
    const initial = node.initial?.target?.[0];
    if (initial) lines.push(`${indent}[*] --> ${idOf(initial as StateNode)}`);
    for (const child of children) {
      const compound = Object.keys(child.states).length > 0;
      lines.push(`${indent}state "${child.key}" as ${idOf(child)}${compound ? ' {' : ''}`);
      if (!compound) continue;
      draw(child, `${indent}  `);
      lines.push(`${indent}}`);
    }
  };
  draw(machine.root, '  ');
  const drawn = new Map<string, string[]>();
  for (const { from, to, event, guard } of edgesOf(machine, names)) {
    // Nor from a state into itself: Mermaid cannot draw an arrow from a box to what is inside it.
    if (to === null || to === from || to.startsWith(`${from}_`)) continue;
    const arrow = `${from} --> ${to}`;
    const label = event + (guard ? ` [${guard}]` : '');
    drawn.set(arrow, [...(drawn.get(arrow) ?? []), label]);
  }
  for (const [arrow, labels] of drawn) lines.push(`  ${arrow} : ${[...new Set(labels)].join('<br/>')}`);
  return `${lines.join('\n')}\n`;
}

/** Every transition as a row of a Markdown table, in the order of the chart: the first whose guard holds is taken. */
export function transitionTable(machine: AnyStateMachine, names: Readonly<Record<string, string>>): string {
  const rows = edgesOf(machine, names).map(({ from, to, event, guard, actions }) => {
    const cells = [from, event, guard ?? '', to ?? '(stays)', actions.join(', ')];
    return `| ${cells.map((cell) => (cell === '' ? '' : `\`${cell}\``)).join(' | ')} |`;
  });
  return ['| in | on | if | to | does |', '| --- | --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function edgesOf(machine: AnyStateMachine, names: Readonly<Record<string, string>>): Edge[] {
  const of = (node: StateNode): Edge[] => {
    const own = [
      ...[...node.transitions.values()].flat().map((t) => ({ t, event: names[t.eventType] ?? t.eventType })),
      ...(node.always ?? []).map((t) => ({ t, event: 'always' })),
    ];
    return [
      ...own.map(({ t, event }) => ({
        from: idOf(node),
        to: t.target?.[0] ? idOf(settled(t.target[0] as StateNode)) : null,
        event,
        guard: typeof t.guard === 'string' ? t.guard : null,
        actions: t.actions.map((action) => (typeof action === 'string' ? action : 'inline')),
      })),
      ...(Object.values(node.states) as StateNode[]).flatMap(of),
    ];
  };
  return of(machine.root);
}

/** The state one ends in when that one is entered. */
function settled(node: StateNode): StateNode {
  const initial = node.initial?.target?.[0] as StateNode | undefined;
  return initial ? settled(initial) : node;
}

/** A name Mermaid takes: the path, without the machine's own name. */
function idOf(node: StateNode): string {
  return node.path.length === 0 ? 'any' : node.path.join('_').replaceAll('-', '_');
}
