/** The ways a turn ends in its middle. They are thrown inside `makeTurn` only, and leave it as values. */
import type { Resident } from './resident.ts';

/** These actors are not in memory. */
export class Missing extends Error {
  readonly ids: readonly string[];
  constructor(ids: readonly string[]) {
    super('not in memory');
    this.ids = ids;
  }
}
/** A machine failed on this event. */
export class Thrown extends Error {
  readonly actor: Resident;
  readonly event: string;
  readonly error: Error;
  constructor(actor: Resident, event: string, error: Error) {
    super(error.message);
    this.actor = actor;
    this.event = event;
    this.error = error;
  }
}
/** The turn caused more events than one turn may. */
export class Endless extends Error {}

/** Runs a machine's code; what it throws names the actor and the event, unless it is one of the exits already. */
export function guarded<T>(actor: Resident, event: { type: string }, f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (error instanceof Missing || error instanceof Thrown || error instanceof Endless) throw error;
    throw new Thrown(actor, event.type, error instanceof Error ? error : new Error(String(error)));
  }
}
