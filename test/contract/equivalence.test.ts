/**
 * The memory store, on which the simulation rests, is the database it stands for. `EQUIVALENCE_RUNS` sets how many
 * sequences, `EQUIVALENCE_SEED` draws others.
 */
import { expect, it } from 'vitest';
import { compareStores } from './equivalence.ts';

const RUNS = Number(process.env.EQUIVALENCE_RUNS ?? 500);
const SEED = Number(process.env.EQUIVALENCE_SEED ?? 1);

it(`the two stores answer alike and hold the same in the end (${RUNS} sequences)`, {
  timeout: 60_000 + RUNS * 2000,
}, async () => {
  const { sequences, difference } = await compareStores(RUNS, SEED);
  expect(difference).toBeNull();
  expect(sequences).toBe(RUNS);
});
