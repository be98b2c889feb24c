/**
 * `npm run sim -- [--seed N] [--histories M] [--mutant NAME] [--keep] [--trace] [--mutants]`: runs histories from a seed
 * on, stops at the first that breaks a promise (`--keep`: names all of them in a line each) and prints figures.
 */
import { parseArgs } from 'node:util';
import { runHistory } from './history.ts';
import type { Mutant } from './mutants/mutant.ts';
import { MUTANTS } from './mutants/mutants.ts';
import { printMutants } from './mutants/table.ts';
import { report } from './report.ts';

type Print = (line: string) => void;

interface Asked {
  readonly first: number;
  readonly count: number;
  readonly mutant: Mutant | null;
  readonly keep: boolean;
  readonly trace: boolean;
}

/** Answers the exit code: 0 all is well, 1 something was found, 2 a wrong argument. */
export async function main(args: readonly string[], print: Print): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      histories: { type: 'string', default: '1' },
      mutant: { type: 'string' },
      mutants: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
    },
  });
  if (values.mutants) return (await printMutants(print)) ? 0 : 1;
  const mutant = values.mutant === undefined ? null : MUTANTS.find(({ name }) => name === values.mutant);
  if (mutant === undefined) {
    print(`there is no mutant ${values.mutant}; there are: ${MUTANTS.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const { keep, trace } = values;
  return run({ first: Number(values.seed), count: Number(values.histories), mutant, keep, trace }, print);
}

async function run({ first, count, mutant, keep, trace }: Asked, print: Print): Promise<number> {
  const began = performance.now();
  const sum = { histories: 0, hours: 0, versions: 0, steps: 0, failed: 0 };
  const faults: Record<string, number> = {};
  for (let seed = first; seed < first + count; seed++) {
    const history = await runHistory(seed, mutant);
    sum.histories++;
    sum.hours += history.simulatedMs / 3_600_000;
    sum.versions += history.versions;
    sum.steps += history.steps;
    for (const [name, n] of Object.entries(history.faults)) faults[name] = (faults[name] ?? 0) + n;
    if (trace) for (const line of history.trace) print(line);
    const [finding] = history.findings;
    if (!finding) continue;
    sum.failed++;
    print(keep ? `seed ${seed}: ${finding.check}: ${finding.text}` : report(history));
    if (!keep) break;
  }
  const each = (performance.now() - began) / sum.histories;
  print(
    `${sum.histories} histories from seed ${first}, ${sum.failed} break a promise; ${sum.hours.toFixed(1)} simulated hours, ` +
      `${sum.versions} versions, ${sum.steps} steps, ${each.toFixed(1)} ms each`,
  );
  print(
    `faults: ${Object.entries(faults)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ')}`,
  );
  return sum.failed > 0 ? 1 : 0;
}
