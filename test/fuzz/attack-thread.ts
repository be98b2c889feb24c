/** The attackers in a thread of their own, so that neighbours are not measured through the attackers' event loop. */
import { setPriority } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { Tally } from './attacker.ts';
import { type AttackPlan, runAttackers } from './fuzz.ts';

/**
 * Runs a plan in a thread that gives way to the server and its neighbours: real attackers have machines of their own, and
 * must not be measured as what they take of this one. Only for compiled code: Node 20 starts no thread from TypeScript.
 */
export function runInThread(plan: AttackPlan): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: plan });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

if (parentPort) {
  try {
    setPriority(0, 5);
  } catch {
    // Where that is not allowed, neighbours wait a little longer.
  }
  parentPort.postMessage(await runAttackers(workerData as AttackPlan));
}
