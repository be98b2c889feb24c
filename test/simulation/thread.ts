/** A thread that runs the seeds it is asked for: the other side of `threads.ts`. */
import { parentPort } from 'node:worker_threads';
import { type Asked, runBatch } from './batch.ts';
import { MUTANTS } from './mutants/mutants.ts';

export type AskedByName = Omit<Asked, 'mutant'> & { readonly mutant: string | null };

parentPort!.on('message', async ({ mutant, ...asked }: AskedByName) => {
  const found = mutant === null ? null : MUTANTS.find(({ name }) => name === mutant)!;
  parentPort!.postMessage(await runBatch({ ...asked, mutant: found }));
});
