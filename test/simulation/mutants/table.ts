/** The table of mutants: which check kills each, and by which seed. */
import { killScenario, SCENARIO_MUTANTS } from '../../mutants/scenario-mutants.ts';
import { CHECKS } from '../checks/checks.ts';
import { runHistory } from '../history.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/** Seeds a mutant is tried on where no pinned one shows it: a new draw somewhere makes every seed another history. */
const MOST_TRIED = 400;

export interface Killed {
  readonly mutant: Mutant;
  /** The first seed on which the named check finds it; null: it lives. */
  readonly seed: number | null;
  /** Which checks find it on that seed. */
  readonly by: readonly string[];
  readonly text: string;
}

/** Runs the pinned seeds, then others, until the named check finds the mutant. */
export async function kill(mutant: Mutant): Promise<Killed> {
  const others = new Set<string>();
  for (const seed of tried(mutant)) {
    const { findings } = await runHistory(seed, mutant);
    const named = findings.find(({ check }) => check === mutant.killedBy);
    for (const { check } of findings) others.add(check);
    if (named) return { mutant, seed, by: [...new Set(findings.map((f) => f.check))], text: named.text };
  }
  return { mutant, seed: null, by: [...others], text: '' };
}

function* tried(mutant: Mutant): Generator<number> {
  yield* mutant.seeds;
  for (let seed = 1; seed <= MOST_TRIED; seed++) yield seed;
}

/** Prints one line a mutant; false when one lives. */
export async function printMutants(print: (line: string) => void): Promise<boolean> {
  const width = Math.max(...MUTANTS.map((m) => m.name.length));
  let all = true;
  for (const mutant of MUTANTS) {
    const killed = await kill(mutant);
    const how = killed.seed === null ? 'LIVES' : `${mutant.killedBy.padEnd(7)} seed ${killed.seed}`;
    print(`${mutant.name.padEnd(width)}  ${how.padEnd(18)} ${mutant.breaks}; also ${killed.by.join(' ')}`);
    if (killed.seed !== null) print(`${''.padEnd(width)}  ${killed.text.slice(0, 200)}`);
    all &&= killed.seed !== null;
  }
  for (const mutant of SCENARIO_MUTANTS) {
    const [found] = await killScenario(mutant);
    const how = found === undefined ? 'LIVES' : `${mutant.killedBy.padEnd(7)} scenario`;
    print(`${mutant.name.padEnd(width)}  ${how.padEnd(18)} ${mutant.breaks}`);
    if (found !== undefined) print(`${''.padEnd(width)}  ${found}`);
    all &&= found !== undefined;
  }
  const count = MUTANTS.length + SCENARIO_MUTANTS.length;
  print(`${count} mutants, ${all ? 'all killed' : 'not all killed'}, ${Object.keys(CHECKS).length} checks`);
  return all;
}
