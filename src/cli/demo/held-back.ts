/**
 * What happens before the line that says what is going on: a retry that waited on the server may come due while the demo is
 * still being gone on with. It is told after that line. Pure.
 */
import type { Moment } from './moment.ts';

export interface HeldBack {
  readonly told: (moment: Moment) => void;
  /** Tells what was held back, in its order, and from now on everything at once. */
  release(): void;
}

export function heldBack(tell: (moment: Moment) => void): HeldBack {
  let held: Moment[] | null = [];
  return {
    told: (moment) => {
      if (held === null) tell(moment);
      else held.push(moment);
    },
    release() {
      const before = held ?? [];
      held = null;
      for (const moment of before) tell(moment);
    },
  };
}
