/**
 * `npm run faults -- [--seed N] [--ttl MS] [--only NAME,NAME] [--times N]`: real nodes on a real PostgreSQL through every
 * fault, as often as the guarantees say. Exit code 0: nothing broke a promise.
 */
import { parseArgs } from 'node:util';
import { type CampaignPlan, campaign } from './campaign.ts';
import { FAULTS, type FaultName } from './faults.ts';

/** How often each fault comes in a full run. */
export const FULL: Readonly<Record<FaultName, number>> = {
  killed: 20,
  paused: 10,
  lateCommits: 5,
  sessionsEnded: 20,
  blackHole: 5,
  cut: 5,
  slow: 5,
  databaseCrash: 5,
  connectionsUsedUp: 3,
  diskFull: 3,
};
const TTL_MS = 2000;

/** Answers the exit code: 0 all is well, 1 a promise was broken, 2 a wrong argument. */
export async function main(args: readonly string[], say: (line: string) => void): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      ttl: { type: 'string', default: String(TTL_MS) },
      nodes: { type: 'string', default: '3' },
      only: { type: 'string' },
      times: { type: 'string' },
    },
  });
  const names = (values.only?.split(',') ?? Object.keys(FULL)) as FaultName[];
  const unknown = names.filter((name) => !(name in FAULTS));
  if (unknown.length > 0) {
    say(`there is no fault ${unknown.join(', ')}; there are: ${Object.keys(FAULTS).join(', ')}`);
    return 2;
  }
  const times = values.times === undefined ? null : Number(values.times);
  const faults: Partial<Record<FaultName, number>> = {};
  for (const name of names) faults[name] = times ?? FULL[name];
  const plan: CampaignPlan = {
    nodes: Number(values.nodes),
    ttlMs: Number(values.ttl),
    seed: Number(values.seed),
    faults,
    say,
  };
  const since = performance.now();
  const outcome = await campaign(plan);
  for (const text of outcome.violations) say(`VIOLATION ${text}`);
  say(`takeover ms: ${quantiles(outcome.takeovers)}`);
  say(
    `faults: ${outcome.acknowledged.toLocaleString('en')} events acknowledged, ${outcome.unknown} without an answer, ` +
      `${outcome.entries.toLocaleString('en')} journal entries, ${outcome.fired} retries fired, ${outcome.faults} faults, ` +
      `${outcome.takeovers.length} takeovers, lost ${outcome.lost}, ${outcome.violations.length} violations, ` +
      `${((performance.now() - since) / 1000).toFixed(0)} s`,
  );
  return outcome.violations.length > 0 ? 1 : 0;
}

function quantiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return `p50 ${at(0.5).toFixed(0)}, p99 ${at(0.99).toFixed(0)}, max ${at(1).toFixed(0)} of ${sorted.length}`;
}
