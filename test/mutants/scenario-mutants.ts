/** Every defect that is shown by a scenario. */
import { DATA_DIR_MUTANTS } from './data-dir-mutants.ts';
import { DATABASE_MUTANTS } from './database-mutants.ts';
import { HOSTILE_MUTANTS, TENANT_MUTANTS } from './gateway-mutants.ts';
import { READER_MUTANTS } from './reader-mutants.ts';
import type { ScenarioMutant } from './scenario-mutant.ts';
import { TAKEOVER_MUTANTS } from './takeover-mutants.ts';

export const SCENARIO_MUTANTS: readonly ScenarioMutant[] = [
  ...DATABASE_MUTANTS,
  ...READER_MUTANTS,
  ...HOSTILE_MUTANTS,
  ...TENANT_MUTANTS,
  ...TAKEOVER_MUTANTS,
  ...DATA_DIR_MUTANTS,
];

/** What the scenario finds while the defect is there. */
export async function killScenario({ patch, scenario }: ScenarioMutant): Promise<string[]> {
  const restore = patch();
  try {
    return await scenario.run();
  } finally {
    restore();
  }
}
