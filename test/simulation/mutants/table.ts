/** The table of mutants: which check kills each, and by which seed or scenario. */
import type { ScenarioMutant } from '../../mutants/scenario-mutant.ts';
import { killScenario, SCENARIO_MUTANTS } from '../../mutants/scenario-mutants.ts';
import { runHistory } from '../history.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/** Seeds a mutant is tried on where no pinned one shows it: a new draw somewhere makes every seed another history. */
const MOST_TRIED = 400;
const MOST_TOLD = 200;

/** A mutant and a check that must kill it. */
export interface Row {
  readonly name: string;
  /** What is broken, in a sentence. */
  readonly breaks: string;
  /** A promise, or a check of the simulation that is none. */
  readonly check: string;
  /** What asks this check, as docs/guarantees.md has it: a command, or the folder of tests behind `npm test --`. */
  readonly asked: string;
  kill(): Promise<Found>;
}

export interface Found {
  /** What the check says, in a sentence; null: the mutant lives. */
  readonly text: string | null;
  /** The seed that shows it, or the scenario. */
  readonly where: string;
  /** Which other checks see it there. */
  readonly also: readonly string[];
}

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

function simulated(mutant: Mutant): Row {
  const { name, breaks, killedBy } = mutant;
  return {
    name,
    breaks,
    check: killedBy,
    asked: 'npm run sim',
    async kill() {
      const { seed, by, text } = await kill(mutant);
      return {
        text: seed === null ? null : text,
        where: seed === null ? 'simulation' : `seed ${seed}`,
        also: by.filter((check) => check !== killedBy),
      };
    },
  };
}

function staged(mutant: ScenarioMutant): Row {
  const { name, breaks, killedBy, scenario } = mutant;
  return {
    name,
    breaks,
    check: killedBy,
    asked: scenario.tests,
    async kill() {
      const [text = null] = await killScenario(mutant);
      return { text, where: scenario.name, also: [] };
    },
  };
}

/** Every mutant with every check that must kill it. */
export const ROWS: readonly Row[] = [...MUTANTS.map(simulated), ...SCENARIO_MUTANTS.map(staged)];

/** Prints two lines a row; false when a mutant lives or a check could not be asked. */
export async function printMutants(
  print: (line: string) => void,
  rows: readonly Row[] = ROWS,
): Promise<boolean> {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const since = performance.now();
  let alive = 0;
  for (const { name, breaks, check, kill } of rows) {
    const began = performance.now();
    const { text, where, also } = await kill().catch(notAsked);
    const how = text === null ? `LIVES (${check})` : check;
    const ms = `${(performance.now() - began).toFixed(0)} ms`;
    const seen = also.length > 0 ? `; also ${also.join(' ')}` : '';
    print(`${name.padEnd(width)}  ${how.padEnd(7)} ${where.padEnd(18)} ${ms.padStart(8)}  ${breaks}${seen}`);
    if (text !== null) print(`${''.padEnd(width)}  ${firstLine(text)}`);
    else alive++;
  }
  const mutants = new Set(rows.map(({ name }) => name)).size;
  print(
    `${rows.length} rows of ${mutants} mutants, ${alive === 0 ? 'all killed' : `${alive} not killed`}, ` +
      `${((performance.now() - since) / 1000).toFixed(0)} s`,
  );
  return alive === 0;
}

const notAsked = (error: unknown): Found => ({
  text: null,
  where: `could not be asked: ${firstLine(String(error))}`,
  also: [],
});

const firstLine = (text: string) =>
  text
    .split('\n')[0]!
    .slice(0, MOST_TOLD)
    .replaceAll(/\p{Cc}/gu, '.');
