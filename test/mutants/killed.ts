/** What a test says of mutants that scenarios show: each is found, and nothing is found in the code as it is. */
import { expect, it } from 'vitest';
import type { Scenario, ScenarioMutant } from './scenario-mutant.ts';
import { killScenario } from './scenario-mutants.ts';

const MOST_MS = 60_000;

export function areKilled(mutants: readonly ScenarioMutant[]): void {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    'find the mutant %s',
    async (_name, mutant) => {
      expect(await killScenario(mutant), mutant.breaks).not.toEqual([]);
    },
    MOST_MS,
  );
}

export function findNothing(mutants: readonly ScenarioMutant[]): void {
  const scenarios = new Map<string, Scenario>(mutants.map(({ scenario }) => [scenario.name, scenario]));
  it.each([...scenarios])(
    'find nothing in the code as it is: %s',
    async (_name, { run }) => {
      expect(await run()).toEqual([]);
    },
    MOST_MS,
  );
}
