/** A campaign: one cluster, load, fault after fault, and in the end every check over everything that was acknowledged. */
import type { Random } from '../../src/clock.ts';
import { Chance } from '../simulation/world/chance.ts';
import { FAULTS, type FaultName, SEAM_FAULTS } from './faults.ts';
import { Arena } from './world/arena.ts';

export interface CampaignPlan {
  readonly nodes: number;
  readonly ttlMs: number;
  readonly seed: number;
  /** Which faults, how often each; drawn in a random order. */
  readonly faults: Partial<Record<FaultName, number>>;
  say(line: string): void;
  /** No new fault begins once this is true. */
  over?(): boolean;
}

export interface CampaignOutcome {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly faults: number;
  readonly lost: number;
  /** Journal entries, and retries that fired. */
  readonly entries: number;
  readonly fired: number;
  /** Changes that followers were sent, and subscriptions that went on from a cursor. */
  readonly followed: number;
  readonly resumes: number;
  /** Refusals that named the owner and were followed. */
  readonly directed: number;
  readonly takeovers: readonly number[];
  /** Those after a kill −9. */
  readonly afterKill: readonly number[];
  /** Those during which the machine had time to spare. */
  readonly calmTakeovers: readonly number[];
  readonly violations: readonly string[];
}

export async function campaign(plan: CampaignPlan): Promise<CampaignOutcome> {
  const random = new Chance(`campaign ${plan.seed}`);
  const seams = Object.keys(plan.faults).some((name) => name in SEAM_FAULTS);
  // By hand only: whether the checks find a deliberate defect of every node (seam-server.mjs).
  const { FAULTS_DEFECT: defect } = process.env;
  const { nodes, ttlMs } = plan;
  const arena = await Arena.open({ nodes, ttlMs, seams, ...(defect ? { defect } : {}) }, random);
  try {
    for (const name of drawn(plan.faults, random)) {
      if (plan.over?.()) break;
      const since = performance.now();
      const before = arena.violations.length;
      await FAULTS[name](arena);
      arena.faults++;
      plan.say(`${name}: ${(performance.now() - since).toFixed(0)} ms`);
      const found = arena.violations.slice(before);
      for (const text of found) plan.say(`VIOLATION after ${name}: ${text}`);
      if (found.length > 0)
        for (const node of arena.cluster.nodes) plan.say(`${node.pid}: ${node.lastWords()}`);
    }
    const { entries, fired, lost } = await arena.verdict();
    const { acknowledged, unknown, doors } = arena.load;
    return {
      acknowledged,
      unknown,
      faults: arena.faults,
      lost,
      entries,
      fired,
      followed: arena.followers.changes,
      resumes: arena.followers.resumes,
      directed: doors.directed,
      takeovers: arena.takeovers,
      afterKill: arena.afterKill,
      calmTakeovers: arena.calmTakeovers,
      violations: arena.violations,
    };
  } finally {
    await arena.close();
  }
}

/** Each fault as often as it is to be, in a random order. */
function drawn(faults: CampaignPlan['faults'], random: Random): FaultName[] {
  const all = Object.entries(faults).flatMap(([name, count]) =>
    Array<FaultName>(count).fill(name as FaultName),
  );
  for (let n = all.length - 1; n > 0; n--) {
    const other = Math.floor(random.u() * (n + 1));
    [all[n], all[other]] = [all[other]!, all[n]!];
  }
  return all;
}
