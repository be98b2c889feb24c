/**
 * What is stored may be older than the machine that reads it (A9): a snapshot comes through a chain of pure steps, is
 * checked, and is refused with the reason when anything is amiss. It is never guessed at – XState itself takes
 * `value: {}` for the initial state.
 */
import type { AnyStateMachine } from 'xstate';
import { z } from 'zod';
import type { Persisted } from './kind.ts';

export type SnapshotReason =
  /** Written by a newer machine than this one. */
  | 'newer'
  /** No step leads on from its version. */
  | 'unknown_version'
  /** A step of the chain threw. */
  | 'migration_failed'
  /** Not of the current version's shape. */
  | 'malformed'
  /** A state that the machine does not have. */
  | 'unknown_state';

/** A stored snapshot that this machine cannot take up: its actor is put aside with this message. */
export class SnapshotError extends Error {
  readonly reason: SnapshotReason;
  constructor(reason: SnapshotReason, message: string) {
    super(message);
    this.name = 'SnapshotError';
    this.reason = reason;
  }
}

/** Moves a snapshot from the version it is keyed by to the next one. Pure. */
export type Migration = (s: unknown) => unknown;

/**
 * The `migrate` of a kind.
 * @param version the current one, from 1. @param steps by the version each of them starts from.
 * @returns a function that throws `SnapshotError` when it cannot give a state of the current version.
 */
export function migration<C>(kind: {
  readonly name: string;
  readonly version: number;
  readonly machine: AnyStateMachine;
  readonly context: z.ZodType<C>;
  readonly steps: Readonly<Record<number, Migration>>;
}): (from: number, s: unknown) => Persisted<C> {
  const shape = z.strictObject({ value: z.unknown(), context: kind.context });
  const known = new Set(leavesOf(kind.machine));
  return (from, s) => {
    const current = climb(kind, from, s);
    const parsed = shape.safeParse(current);
    if (!parsed.success) {
      throw new SnapshotError('malformed', `${kind.name} snapshot: ${z.prettifyError(parsed.error)}`);
    }
    const name = JSON.stringify(parsed.data.value);
    if (!known.has(name)) {
      throw new SnapshotError('unknown_state', `${kind.name} has no state ${name}`);
    }
    // What was read, not what zod made of it: that has its keys in the schema's order, and the next snapshot of this
    // actor would differ from its replayed journal by that order (P9). The schemas check and change nothing.
    return current as Persisted<C>;
  };
}

function climb(
  kind: { name: string; version: number; steps: Readonly<Record<number, Migration>> },
  from: number,
  s: unknown,
): unknown {
  const told = `${kind.name} snapshot of version ${from}, this machine is version ${kind.version}`;
  if (!Number.isInteger(from) || from < 1) throw new SnapshotError('unknown_version', told);
  if (from > kind.version) throw new SnapshotError('newer', told);
  let current = s;
  for (let version = from; version < kind.version; version++) {
    const migrate = kind.steps[version];
    if (!migrate) throw new SnapshotError('unknown_version', `${told}: no step from ${version}`);
    try {
      current = migrate(current);
    } catch (error) {
      throw new SnapshotError('migration_failed', `${told}: step ${version}: ${String(error)}`);
    }
  }
  return current;
}

type StateNode = AnyStateMachine['root'];

/** The state values a machine may rest in, as JSON text; parallel states are not used here. */
export function leavesOf(machine: AnyStateMachine): string[] {
  const walk = (node: StateNode): unknown[] => {
    const children = Object.values(node.states) as StateNode[];
    if (children.length === 0) return [undefined];
    return children.flatMap((child) =>
      walk(child).map((below) => (below === undefined ? child.key : { [child.key]: below })),
    );
  };
  return walk(machine.root).map((value) => JSON.stringify(value));
}
