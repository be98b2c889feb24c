/** The simulation and its mutants as parts of a soak. */
import type { SoakOutcome, SoakPart, SoakTurn } from '../soak/part.ts';
import { runHistory } from './history.ts';
import { MUTANTS } from './mutants/mutants.ts';
import { kill } from './mutants/table.ts';
import { report } from './report.ts';

/** Turns of a soak are this many seeds apart: more than a turn can run. */
const SEEDS_A_TURN = 1_000_000;

export const simulationPart: SoakPart = {
  name: 'simulation',
  about: 'histories of the whole runtime under one virtual clock, with faults',
  weight: 3,
  async run({ ms, seed, now }: SoakTurn): Promise<SoakOutcome> {
    const end = now() + ms;
    const counters = { histories: 0, 'simulated hours': 0, acknowledged: 0, faults: 0, lost: 0 };
    const violations: string[] = [];
    do {
      const history = await runHistory(seed * SEEDS_A_TURN + counters.histories);
      counters.histories++;
      counters['simulated hours'] += history.simulatedMs / 3_600_000;
      counters.acknowledged += history.versions;
      for (const n of Object.values(history.faults)) counters.faults += n;
      if (history.findings.length > 0) violations.push(report(history));
    } while (now() < end);
    return { counters, violations };
  },
};

export const mutantsPart: SoakPart = {
  name: 'mutants',
  about: 'deliberate defects: each must be found by its check',
  weight: 1,
  async run({ ms, now }: SoakTurn): Promise<SoakOutcome> {
    const end = now() + ms;
    const counters = { killed: 0 };
    const violations: string[] = [];
    for (const mutant of MUTANTS) {
      if (counters.killed > 0 && now() > end) break;
      const { seed } = await kill(mutant);
      if (seed === null) violations.push(`mutant ${mutant.name} lives: npm run mutants`);
      else counters.killed++;
    }
    return { counters, violations };
  },
};
