/** Many histories in a row: what `simulation.test.ts` and the command sum up. */
import { type History, runHistory } from './history.ts';
import { report } from './report.ts';

export interface Batch {
  histories: number;
  simulatedHours: number;
  versions: number;
  faults: number;
  /** The first failing history in words, null: none failed. */
  failure: string | null;
}

/** Runs `count` seeds from `first` on, `step` apart; stops at the first that fails. */
export async function runBatch(first: number, count: number, step: number): Promise<Batch> {
  const sum: Batch = { histories: 0, simulatedHours: 0, versions: 0, faults: 0, failure: null };
  for (let seed = first; sum.histories < count && sum.failure === null; seed += step) {
    const history: History = await runHistory(seed);
    sum.histories++;
    sum.simulatedHours += history.simulatedMs / 3_600_000;
    sum.versions += history.versions;
    for (const n of Object.values(history.faults)) sum.faults += n;
    if (history.findings.length > 0) sum.failure = report(history);
  }
  return sum;
}

/** How many histories all of `npm test` runs (SIM_HISTORIES raises it), and how many files share them. */
export const HISTORIES = Number(process.env.SIM_HISTORIES ?? 2400);
export const SHARES = 2;

/** One file's share: seeds `share`, `share + SHARES`, …, from SIM_SEED on (default 1). */
export function runShare(share: number): Promise<Batch> {
  const first = Number(process.env.SIM_SEED ?? 1);
  return runBatch(first + share, Math.ceil(HISTORIES / SHARES), SHARES);
}
