/** Defects that only a real database or a real buffer shows: each scenario finds its own, and nothing in the code as it is. */
import { describe, expect, it } from 'vitest';
import { killScenario, SCENARIO_MUTANTS as MUTANTS } from './scenario-mutants.ts';

describe('a mutant', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s is killed', async (_name, mutant) => {
    expect(await killScenario(mutant), mutant.breaks).not.toEqual([]);
  });

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s is what is found: nothing without it',
    async (_name, { scenario }) => {
      expect(await scenario()).toEqual([]);
    },
  );
});
