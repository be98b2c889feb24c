/**
 * A machine's definition for others to read: as strict JSON, in which everything is written out in one way – each
 * transition an object in an array, each guard and action an object with its type – and as source that makes it. Both
 * are read back by the tests into a machine with the same transitions. Implementations are not in them: only names.
 */
import type { AnyStateMachine } from 'xstate';

/** JSON that `createMachine` takes and that Stately's schema accepts. */
export interface StrictState {
  readonly id?: string;
  readonly description?: string;
  readonly initial?: string;
  readonly context?: unknown;
  readonly on?: StrictTransitions;
  readonly after?: StrictTransitions;
  readonly always?: readonly StrictTransition[];
  readonly states?: Readonly<Record<string, StrictState>>;
}
type StrictTransitions = Readonly<Record<string, readonly StrictTransition[]>>;
interface StrictTransition {
  readonly target?: readonly string[];
  readonly guard?: { readonly type: string };
  readonly actions: readonly { readonly type: string }[];
  readonly reenter?: true;
}

/** How a state is written in a machine's own config, as far as machines here are written. */
interface Written {
  readonly id?: string;
  readonly description?: string;
  readonly initial?: string;
  readonly context?: unknown;
  readonly on?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly always?: unknown;
  readonly states?: Readonly<Record<string, Written>>;
}
const KNOWN = new Set(['id', 'description', 'initial', 'context', 'on', 'after', 'always', 'states']);

/** @throws Error when the machine is written with something this does not write out (entry actions, invocations). */
export function strictDefinition(machine: AnyStateMachine): StrictState {
  return strict(machine.config as Written, machine.id);
}

/**
 * The same as a module: `export const issueMachine = createMachine({ … })`. Guards, actions and delays are names in it,
 * to be given by `.provide()`.
 */
export function sourceOf(machine: AnyStateMachine): string {
  const name = `${machine.id.replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string) => (next ?? '').toUpperCase())}Machine`;
  return `import { createMachine } from 'xstate';\n\nexport const ${name} = createMachine(${written(strictDefinition(machine), '')});\n`;
}

function strict(state: Written, where: string): StrictState {
  const [unknown] = Object.entries(state).find(([key, of]) => of !== undefined && !KNOWN.has(key)) ?? [];
  if (unknown !== undefined) throw new Error(`${where}: ${unknown} cannot be written out`);
  const { id, description, initial, context, on, after, always, states } = state;
  const inside = Object.entries(states ?? {}).map(([key, child]) => [key, strict(child, `${where}.${key}`)]);
  return {
    ...(id === undefined ? {} : { id }),
    ...(description === undefined ? {} : { description }),
    ...(context === undefined ? {} : { context }),
    ...(initial === undefined ? {} : { initial }),
    ...(on === undefined ? {} : { on: transitions(on) }),
    ...(after === undefined ? {} : { after: transitions(after) }),
    ...(always === undefined ? {} : { always: each(always) }),
    ...(states === undefined ? {} : { states: Object.fromEntries(inside) }),
  };
}

function transitions(of: Readonly<Record<string, unknown>>): StrictTransitions {
  return Object.fromEntries(Object.entries(of).map(([event, some]) => [event, each(some)]));
}

function each(some: unknown): StrictTransition[] {
  return [some].flat().map((one) => {
    const { target, guard, actions, reenter } = (typeof one === 'string' ? { target: one } : one) as {
      target?: unknown;
      guard?: unknown;
      actions?: unknown;
      reenter?: boolean;
    };
    return {
      ...(target === undefined ? {} : { target: [target].flat() as string[] }),
      ...(guard === undefined ? {} : { guard: named(guard) }),
      actions: actions === undefined ? [] : [actions].flat().map(named),
      ...(reenter === true ? { reenter } : {}),
    };
  });
}

function named(of: unknown): { type: string } {
  if (typeof of === 'string') return { type: of };
  throw new Error('a guard or an action without a name cannot be written out');
}

/** A value as a JavaScript literal, keys unquoted where they may be. */
function written(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    if (value.every((item) => typeof item !== 'object')) return `[${value.map((v) => quoted(v)).join(', ')}]`;
    return `[\n${value.map((item) => `${inner}${written(item, inner)},\n`).join('')}${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return quoted(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  if (entries.length === 1 && entries[0]?.[0] === 'type') return `{ type: ${quoted(entries[0][1])} }`;
  const lines = entries.map(([key, of]) => `${inner}${keyed(key)}: ${written(of, inner)},\n`);
  return `{\n${lines.join('')}${indent}}`;
}

function keyed(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
}

/** Also what ends a script element or a line in old parsers is escaped. */
function quoted(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
