/**
 * `npm run sim`: runs histories from a seed on. One history: prints the end of its trace. Many: stops at the first that
 * breaks a promise (`--keep`: names all of them in a line each) and prints figures. Threads need the compiled simulation.
 */
import { availableParallelism } from 'node:os';
import { optionsOf } from '../support/options.ts';
import { type Asked, type Batch, faultsOf, runBatch } from './batch.ts';
import { runHistory } from './history.ts';
import type { Mutant } from './mutants/mutant.ts';
import { MUTANTS } from './mutants/mutants.ts';
import { printMutants } from './mutants/table.ts';
import { report } from './report.ts';
import { runOnThreads } from './threads.ts';

type Print = (line: string) => void;

/** Fewer histories than this are not worth the start of threads. */
const THREADS_FROM = 100;

const ABOUT =
  'Simulated histories from a seed on: one prints the end of its trace, many their figures. Exit code 1: a promise was broken.';
const OPTIONS = {
  seed: { value: 'N', default: '1', meaning: 'the first history; the same seed gives the same history' },
  histories: { value: 'N', default: '1', meaning: 'how many, seed by seed' },
  threads: { value: 'N', meaning: `at once; default: one a core from ${THREADS_FROM} histories on` },
  mutant: { value: 'NAME', meaning: 'with this deliberate defect' },
  mutants: { meaning: 'all deliberate defects, each with the check that finds it (npm run mutants)' },
  keep: { meaning: 'go on after a broken promise, and name all of them' },
} as const;

/** Answers the exit code: 0 all is well, 1 something was found, 2 a wrong argument. */
export async function main(args: readonly string[], print: Print): Promise<number> {
  const asked = optionsOf('npm run sim', ABOUT, OPTIONS, args, print);
  if ('code' in asked) return asked.code;
  const { values } = asked;
  if (values.mutants) return (await printMutants(print)) ? 0 : 1;
  const mutant = values.mutant === undefined ? null : MUTANTS.find(({ name }) => name === values.mutant);
  if (mutant === undefined) {
    print(`there is no mutant ${values.mutant}; there are: ${MUTANTS.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const first = Number(values.seed);
  const count = Number(values.histories);
  const threads = Number(values.threads ?? (count < THREADS_FROM ? 1 : availableParallelism()));
  if (![first, count, threads].every((n) => Number.isSafeInteger(n) && n >= 0) || threads < 1) {
    print('--seed, --histories and --threads take whole numbers');
    return 2;
  }
  if (count === 1) return one(first, mutant, print);
  return many({ first, count, mutant, keep: values.keep }, threads, print);
}

async function one(seed: number, mutant: Mutant | null, print: Print): Promise<number> {
  const history = await runHistory(seed, mutant);
  const { trace, findings, plan, hash, steps, versions, simulatedMs, faults } = history;
  if (findings.length > 0) {
    print(report(history));
  } else {
    for (const line of trace) print(line);
    print(`seed ${seed} (${plan.shape}, ${plan.nodes} nodes) breaks no promise`);
  }
  print(
    `trace ${hash}: ${steps} steps, ${versions} versions in ${(simulatedMs / 1000).toFixed(1)} simulated s; ` +
      `faults: ${told(faults)}`,
  );
  return findings.length > 0 ? 1 : 0;
}

async function many(asked: Asked, threads: number, print: Print): Promise<number> {
  const began = performance.now();
  const used = process.cpuUsage();
  const batch =
    threads === 1
      ? await runBatch(asked)
      : await runOnThreads(new URL('./thread.js', import.meta.url), { ...asked, threads });
  for (const text of batch.failures) print(text);
  const { user, system } = process.cpuUsage(used);
  print(figures(batch, asked.first, performance.now() - began, (user + system) / 1000));
  print(`faults: ${told(batch.faults)}`);
  return batch.failed > 0 ? 1 : 0;
}

/** The sum in a line. `wallMs`, `cpuMs`: what it took. */
export function figures(batch: Batch, first: number, wallMs: number, cpuMs: number): string {
  const { histories, failed, simulatedHours, versions } = batch;
  return (
    `${histories} histories from seed ${first}, ${failed} break a promise; ${simulatedHours.toFixed(1)} simulated hours, ` +
    `${versions} versions, ${faultsOf(batch)} faults; ${(wallMs / 1000).toFixed(1)} s, ` +
    `${(cpuMs / histories).toFixed(1)} ms of one core each`
  );
}

const told = (faults: Readonly<Record<string, number>>) =>
  Object.entries(faults)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ') || 'none';
