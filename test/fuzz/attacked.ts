/** Hostile frames against a gateway in this process, where a deliberate defect can be put in (P10). */
import { setTimeout as sleep } from 'node:timers/promises';
import { openBench } from '../gateway/support/bench.ts';
import { type AttackPlan, runAttackers } from './fuzz.ts';
import { makeVictim, shownState } from './victim.ts';

const ATTACKERS = 4;
const SEED = '7';
/** Within this nothing is left of a connection that is gone, ms. */
const GONE_WITHIN_MS = 2000;

/** What goes wrong under so many frames, a sentence each. `patienceMs`: how long an answer may take. */
export async function attacked(
  asked: Pick<AttackPlan, 'frames' | 'patienceMs' | 'perLife'>,
): Promise<string[]> {
  const bench = await openBench({ localMode: true });
  try {
    const victim = await makeVictim(bench.gateway);
    const before = await shownState(bench.gateway, victim);
    const { port } = bench.gateway;
    const plan = { port, seed: SEED, attackers: ATTACKERS, ...asked, ...victim };
    const { findings } = await runAttackers(plan);
    const after = await shownState(bench.gateway, victim);
    if (before !== after) findings.push('something was changed');
    // What is broken already is not waited for.
    if (findings.length > 0) return findings;
    for (let ms = 0; ms < GONE_WITHIN_MS && bench.router.subscriptions > 0; ms += 10) await sleep(10);
    const { subscriptions } = bench.router;
    return subscriptions === 0
      ? []
      : [`${subscriptions} subscriptions are left of connections that are gone`];
  } finally {
    await bench.close();
  }
}
