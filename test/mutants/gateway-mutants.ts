/** The defects of the door that the simulation knows, found once more at a gateway on a real socket (P10, P15). */
import { attacked } from '../fuzz/attacked.ts';
import { openBench } from '../gateway/support/bench.ts';
import { foreignThings } from '../security/foreign-things.ts';
import {
  COMPANY_FILTER_REMOVED,
  PARSE_WITHOUT_CATCH,
  XSTATE_FORWARDED,
} from '../simulation/mutants/gateway-mutants.ts';
import type { Scenario, ScenarioMutant } from './scenario-mutant.ts';
import { uncaughtDuring } from './uncaught.ts';

/** Connections live shortly here, so that every way to end one is drawn; what a defect swallowed is not waited for long. */
const ASKED = { frames: 3000, perLife: 16, patienceMs: 500 };

const hostileFrames: Scenario = {
  name: 'hostile frames',
  tests: 'test/fuzz',
  run: async () => {
    const found: string[] = [];
    const uncaught = await uncaughtDuring(async () => {
      found.push(...(await attacked(ASKED)));
    });
    return [...uncaught, ...found];
  },
};

const otherCompanies: Scenario = {
  name: 'other companies',
  tests: 'test/security',
  run: async () => {
    const bench = await openBench();
    try {
      return await foreignThings(bench);
    } finally {
      await bench.close();
    }
  },
};

export const HOSTILE_MUTANTS: readonly ScenarioMutant[] = [XSTATE_FORWARDED, PARSE_WITHOUT_CATCH].map(
  (mutant) => ({ ...mutant, scenario: hostileFrames }),
);
export const TENANT_MUTANTS: readonly ScenarioMutant[] = [
  { ...COMPANY_FILTER_REMOVED, scenario: otherCompanies },
];
