/**
 * A deliberate defect: it wraps what a node is given, or patches it from outside, and the checks must find it.
 * Production code has no switch for any of them.
 */
import type { Clock, TimeSource } from '../../../src/clock.ts';
import type { MemoryStore } from '../../../src/persistence/memory-store.ts';
import type { Store } from '../../../src/persistence/store.ts';
import type { AnyKind } from '../../../src/supervisor/resident.ts';
import type { RunningNode } from '../../../src/supervisor/start-node.ts';
import type { FaultPlan, Plan } from '../world/plan.ts';

export interface Mutant {
  readonly name: string;
  /** What is broken, in a sentence. */
  readonly breaks: string;
  /** The check that must find it. */
  readonly killedBy: string;
  /** Seeds that show it, the first of them at least. */
  readonly seeds: readonly number[];
  /** The circumstances that bring a rare one out: what is drawn, with this changed. */
  readonly plan?: (plan: Plan) => Plan;
  /** `database`: what it is in the end, for a defect that looks past the fence. */
  readonly store?: (store: Store, database: MemoryStore) => Store;
  readonly clock?: (clock: Clock, source: TimeSource) => Clock;
  readonly kinds?: (kinds: readonly AnyKind[]) => readonly AnyKind[];
  readonly node?: (running: RunningNode) => void;
  /** Patches a class for the length of a history; answers the way back. */
  readonly patch?: () => () => void;
}

/** A plan with other faults, and with other circumstances. */
export const harder =
  (faults: Partial<FaultPlan>, circumstances: Partial<Plan> = {}) =>
  (plan: Plan): Plan => ({ ...plan, ...circumstances, faults: { ...plan.faults, ...faults } });

/** Replaces one method for a while. */
export function replaced<T extends object, K extends keyof T>(
  of: T,
  name: K,
  by: (original: T[K]) => T[K],
): () => void {
  const original = of[name];
  of[name] = by(original);
  return () => {
    of[name] = original;
  };
}

/** Replaces one getter of a class for a while. */
export function gotten<T extends object, K extends keyof T>(
  of: T,
  name: K,
  by: (one: T) => T[K],
): () => void {
  const original = Object.getOwnPropertyDescriptor(of, name)!;
  Object.defineProperty(of, name, {
    ...original,
    get(this: T) {
      return by(this);
    },
  });
  return () => Object.defineProperty(of, name, original);
}

/** The parts of a node that no type offers to others. */
export function within<T>(part: object): T {
  return part as T;
}
