/**
 * What a kind must be before it is served. XState does not notice a delay, guard or action that does not exist until
 * it is needed – a missing delay then fires at once – and an invoked or spawned actor would live outside the turn.
 */
import type { AnyStateMachine } from 'xstate';
import type { ActorKind } from './kind.ts';

type StateNode = AnyStateMachine['root'];
type Named = { type: string };

/** Actions of XState itself that hand something over to the turn; the others start, stop or write to actors. */
const HANDED_OVER: ReadonlySet<string> = new Set(['xstate.assign', 'xstate.raise', 'xstate.cancel']);

/**
 * Refuses a kind whose machine invokes or spawns, or names a delay, guard or action that does not resolve, or whose
 * journal names or internal events do not fit its machine.
 * @throws Error naming the kind and everything that is wrong with it.
 */
export function assertKind(kind: ActorKind): void {
  const wrong = [...faults(kind.machine), ...misnamed(kind)];
  if (wrong.length > 0) throw new Error(`kind ${kind.kind}: ${wrong.join('; ')}`);
}

function* faults(machine: AnyStateMachine): Generator<string> {
  const { actions, guards, delays } = machine.implementations;
  for (const node of nodesOf(machine.root)) {
    if (node.invoke.length > 0) yield `${node.id} invokes an actor`;
    for (const action of [...node.entry, ...node.exit]) yield* actionFaults(node.id, action, actions, delays);
    for (const transition of transitionsOf(node)) {
      for (const action of transition.actions) yield* actionFaults(node.id, action, actions, delays);
      if (transition.guard) yield* guardFaults(node.id, transition.guard, guards);
    }
    for (const { delay } of node.after) {
      if (typeof delay === 'string' && !(delay in delays)) yield `${node.id} has no delay ${delay}`;
    }
  }
  for (const [name, action] of Object.entries(actions)) {
    yield* actionFaults(`action ${name}`, action, actions, delays);
  }
}

function* nodesOf(node: StateNode): Generator<StateNode> {
  yield node;
  for (const child of Object.values(node.states) as StateNode[]) yield* nodesOf(child);
}

function transitionsOf(node: StateNode) {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

function* actionFaults(
  where: string,
  action: unknown,
  actions: Record<string, unknown>,
  delays: Record<string, unknown>,
): Generator<string> {
  const name = nameOf(action);
  if (name === null) return;
  if (!name.startsWith('xstate.')) {
    if (!(name in actions) && typeof action !== 'function') yield `${where} has no action ${name}`;
    return;
  }
  if (!HANDED_OVER.has(name)) yield `${where} uses ${name}, which would act outside the turn`;
  const { delay } = action as { delay?: unknown };
  if (typeof delay === 'string' && !(delay in delays)) yield `${where} has no delay ${delay}`;
}

function* guardFaults(where: string, guard: unknown, guards: Record<string, unknown>): Generator<string> {
  const nested = (guard as { guards?: unknown[] }).guards;
  if (nested) {
    for (const inner of nested) yield* guardFaults(where, inner, guards);
    return;
  }
  const name = nameOf(guard);
  if (name !== null && typeof guard !== 'function' && !name.startsWith('xstate.') && !(name in guards)) {
    yield `${where} has no guard ${name}`;
  }
}

/** The name by which an action or a guard is looked up; null for a plain inline function. */
function nameOf(named: unknown): string | null {
  if (typeof named === 'string') return named;
  const { type } = named as Partial<Named>;
  return typeof type === 'string' ? type : null;
}

function* misnamed(kind: ActorKind): Generator<string> {
  const handled = new Set(
    [...nodesOf(kind.machine.root)].flatMap((node) => [...node.transitions.keys()] as string[]),
  );
  for (const type of handled) {
    if (!type.startsWith('xstate.')) continue;
    if (!(type in kind.names)) yield `the journal has no name for ${type}`;
    if (!kind.internal.includes(type)) yield `${type} is not among its internal events`;
  }
  for (const own of Object.keys(kind.names)) {
    if (!handled.has(own)) yield `no state handles ${own}`;
  }
}
