/** Defects of clocks and timers. */
import { type Mutant, replaced, within } from './mutant.ts';

/** A day: longer than any history. */
const NEVER_MS = 86_400_000;

export const TIME_MUTANTS: readonly Mutant[] = [
  {
    name: 'wall-clock-timers',
    breaks: 'due times are compared with the wall clock',
    killedBy: 'P4',
    seeds: [3, 4],
    clock: (clock, source) => ({
      ...clock,
      now: () => Math.floor(source.wall()),
      at: (due, f) => clock.after(Math.max(1, Math.min(due - source.wall(), 2 ** 31 - 1)), f),
    }),
  },
  {
    name: 'clock-ahead',
    breaks: 'the node’s clock is 400 ms ahead of the database’s',
    killedBy: 'P4',
    seeds: [1, 2],
    clock: (clock) => ({ ...clock, now: () => clock.now() + 400, at: (due, f) => clock.at(due - 400, f) }),
  },
  {
    name: 'sweep-forgotten',
    breaks: 'timers beyond the first horizon are never read',
    killedBy: 'P4',
    seeds: [71],
    node: ({ ownership }) => {
      replaced(
        within<{ sweepAll: () => Promise<number> }>(ownership),
        'sweepAll',
        () => async () => NEVER_MS,
      );
    },
  },
];
