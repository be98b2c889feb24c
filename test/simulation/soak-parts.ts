/** The simulation and its mutants as parts of a soak. */
import { availableParallelism } from 'node:os';
import type { SoakOutcome, SoakPart, SoakTurn } from '../soak/part.ts';
import { faultsOf } from './batch.ts';
import { ROWS } from './mutants/table.ts';
import { runOnThreads } from './threads.ts';

/** Turns of a soak are this many seeds apart: more than a turn can run. */
const SEEDS_A_TURN = 1_000_000;

export const simulationPart: SoakPart = {
  name: 'simulation',
  about: 'histories of the whole runtime under one virtual clock, with faults',
  weight: 3,
  async run({ ms, seed, now }: SoakTurn): Promise<SoakOutcome> {
    const end = now() + ms;
    const used = process.cpuUsage();
    const batch = await runOnThreads(new URL('./thread.js', import.meta.url), {
      first: seed * SEEDS_A_TURN,
      count: SEEDS_A_TURN,
      threads: availableParallelism(),
      more: () => now() < end,
    });
    const { histories, simulatedHours, versions, failures } = batch;
    const { user, system } = process.cpuUsage(used);
    const counters = {
      histories,
      'core seconds': (user + system) / 1e6,
      'simulated hours': simulatedHours,
      'simulated versions': versions,
      'simulated faults': faultsOf(batch),
    };
    return { counters, violations: failures };
  },
};

export const mutantsPart: SoakPart = {
  name: 'mutants',
  about: 'deliberate defects: each must be found by its check',
  weight: 1,
  async run(): Promise<SoakOutcome> {
    const counters = { killed: 0 };
    const violations: string[] = [];
    for (const { name, check, kill } of ROWS) {
      const { text, where } = await kill();
      if (text === null) violations.push(`mutant ${name} lives (${check}, ${where}): npm run mutants`);
      else counters.killed++;
    }
    return { counters, violations };
  },
};
