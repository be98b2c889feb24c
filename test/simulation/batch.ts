/** What many histories add up to. */
import { type History, runHistory } from './history.ts';
import type { Mutant } from './mutants/mutant.ts';
import { report } from './report.ts';

export interface Batch {
  histories: number;
  simulatedHours: number;
  versions: number;
  steps: number;
  /** Kind of fault → how often. */
  readonly faults: Record<string, number>;
  /** Histories that broke a promise. */
  failed: number;
  /** Each of those in words; with `brief` in a line. */
  readonly failures: string[];
}

/** Which seeds to run. */
export interface Asked {
  readonly first: number;
  readonly count: number;
  readonly mutant?: Mutant | null;
  /** Goes on after a history that breaks a promise, and tells of each in a line. */
  readonly keep?: boolean;
}

export function emptyBatch(): Batch {
  return { histories: 0, simulatedHours: 0, versions: 0, steps: 0, faults: {}, failed: 0, failures: [] };
}

/** Runs `count` seeds from `first` on; stops at the first that fails unless it is told to go on. */
export async function runBatch({ first, count, mutant = null, keep = false }: Asked): Promise<Batch> {
  const sum = emptyBatch();
  for (let seed = first; seed < first + count && (keep || sum.failed === 0); seed++) {
    note(sum, await runHistory(seed, mutant), keep);
  }
  return sum;
}

function note(sum: Batch, history: History, brief: boolean): void {
  sum.histories++;
  sum.simulatedHours += history.simulatedMs / 3_600_000;
  sum.versions += history.versions;
  sum.steps += history.steps;
  for (const [name, n] of Object.entries(history.faults)) sum.faults[name] = (sum.faults[name] ?? 0) + n;
  const [finding] = history.findings;
  if (!finding) return;
  sum.failed++;
  sum.failures.push(brief ? `seed ${history.seed}: ${finding.check}: ${finding.text}` : report(history));
}

export function add(sum: Batch, batch: Batch): void {
  sum.histories += batch.histories;
  sum.simulatedHours += batch.simulatedHours;
  sum.versions += batch.versions;
  sum.steps += batch.steps;
  for (const [name, n] of Object.entries(batch.faults)) sum.faults[name] = (sum.faults[name] ?? 0) + n;
  sum.failed += batch.failed;
  sum.failures.push(...batch.failures);
}

export const faultsOf = (batch: Batch) => Object.values(batch.faults).reduce((sum, n) => sum + n, 0);
