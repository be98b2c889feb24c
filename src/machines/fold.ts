/**
 * An event applied, live and again: the runtime's turn and a replay of the journal are one function, so that state
 * equals history by construction (P9). A journal entry needs the event as it was applied – after the judge's
 * replacement – with its stamp and its sender, and nothing else.
 */
import type { Actor, ActorKind, Persisted, Stamp } from './kind.ts';
import { type Stepped, step, unborn } from './step.ts';

/** What a journal entry says of an event. `event.type` is the machine's name of it, or the journal's. */
export interface Applied {
  readonly event: { readonly type: string };
  readonly stamp: Stamp;
  readonly by: Actor;
}

type Machine = Pick<ActorKind, 'machine' | 'names'>;

/**
 * Applies one event that was judged `apply`, or the birth. Pure.
 * @param s null: the actor is not born yet, and the event is its CREATED.
 * @throws whatever the machine throws; the given state is untouched.
 */
export function replay(kind: Machine, s: Persisted | null, { event, stamp, by }: Applied): Stepped {
  const type = machineName(kind, event.type);
  return step(kind.machine, s ?? unborn(kind.machine), { stamp, by, ...event, type } as { type: string });
}

/** The state after each entry, from birth: index 0 is version 1. */
export function* fold(kind: Machine, entries: Iterable<Applied>): Generator<Persisted> {
  let s: Persisted | null = null;
  for (const entry of entries) {
    s = replay(kind, s, entry).next;
    yield s;
  }
}

/** XState's name of an event that the journal calls otherwise. */
function machineName(kind: Machine, type: string): string {
  for (const [own, journal] of Object.entries(kind.names)) if (journal === type) return own;
  return type;
}
