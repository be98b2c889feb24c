/** What of a machine a history has been through: its states, and its transitions told apart by source, event and place. */
import type { AnyStateMachine } from 'xstate';
import { fold } from '../../src/machines/fold.ts';
import { dotted, unborn } from '../../src/machines/step.ts';
import type { EntryJson } from '../../src/supervisor/entry.ts';
import type { AnyKind } from '../../src/supervisor/resident.ts';

type Node = AnyStateMachine['root'];
type Transition = ReturnType<AnyStateMachine['getTransitionData']>[number];

function nameOf(t: Transition): string {
  const siblings = t.source.transitions.get(t.eventType) ?? [];
  return `${t.source.id} ${t.eventType} ${siblings.indexOf(t as never)}`;
}

/** Everything there is to go through. */
export function everything({ machine }: AnyKind): Set<string> {
  const all = new Set<string>();
  const walk = (node: Node) => {
    if (Object.keys(node.states).length === 0) all.add(`state ${node.path.join('.')}`);
    for (const t of [...node.transitions.values()].flat()) all.add(nameOf(t as Transition));
    for (const t of node.always ?? []) all.add(`${node.id} always ${String(t.guard)}`);
    for (const child of Object.values(node.states)) walk(child as Node);
  };
  walk(machine.root);
  return all;
}

/** What these entries go through, from birth; by index of the entry. */
export function wayOf(kind: AnyKind, entries: readonly EntryJson[]): Set<string>[] {
  const steps: Set<string>[] = [];
  let now = new Set<string>();
  const machine = watched(kind.machine, (name) => now.add(name));
  const applied = entries.map(({ event, stamp, actor }) => ({ event, stamp, by: actor as never }));
  let before = unborn(machine);
  let n = 0;
  for (const s of fold({ machine, names: kind.names }, applied)) {
    const { event, stamp, by } = applied[n]!;
    const own = Object.entries(kind.names).find(([, journal]) => journal === event.type)?.[0] ?? event.type;
    const stamped = { stamp, by, ...event, type: own };
    const from = machine.resolveState({ value: before.value as never, context: before.context });
    for (const t of machine.getTransitionData(from as never, stamped as never)) now.add(nameOf(t));
    now.add(`state ${dotted(s.value)}`);
    steps.push(now);
    now = new Set();
    before = s;
    n += 1;
  }
  return steps;
}

/** The machine, its eventless transitions watched: each is told apart by its guard. */
function watched(machine: AnyStateMachine, taken: (name: string) => void): AnyStateMachine {
  const guards: Record<string, unknown> = {};
  const walk = (node: Node) => {
    for (const t of node.always ?? []) {
      const name = String(t.guard);
      const guard = machine.implementations.guards[name as never] as (a: unknown, p: unknown) => boolean;
      guards[name] = (args: unknown, params: unknown) => {
        const holds = guard(args, params);
        if (holds) taken(`${node.id} always ${name}`);
        return holds;
      };
    }
    for (const child of Object.values(node.states)) walk(child as Node);
  };
  walk(machine.root);
  return machine.provide({ guards: guards as never });
}
