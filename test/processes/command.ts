/**
 * `npm run faults`: real nodes on a real PostgreSQL through every fault, as often as the guarantees say. Exit code 0:
 * nothing broke a promise.
 */
import { optionsOf } from '../support/options.ts';
import { type CampaignOutcome, campaign } from './campaign.ts';
import { FAULTS, type FaultName, SEAM_FAULTS } from './faults.ts';
import { retentionLoad } from './retention-load.ts';

type Times = Partial<Record<FaultName, number>>;

/** How often each fault comes in a full run of three nodes. */
export const TIMES: Times = {
  killed: 12,
  retryWaits: 3,
  paused: 7,
  lateCommits: 5,
  sessionsEnded: 20,
  blackHole: 5,
  backFromBlackHole: 5,
  cut: 5,
  slow: 5,
  databaseCrash: 5,
  connectionsUsedUp: 3,
  diskFull: 3,
  logFull: 3,
};
/** The rest of the kills and pauses are of two nodes. */
const TWO_NODES: Times = { killed: 5, paused: 3 };
const SEAMS: Times = Object.fromEntries(Object.keys(SEAM_FAULTS).map((name) => [name, 2]));
const TTL_MS = 2000;
/** Not a fault: what deleting costs the commits beside it. */
const RETENTION = 'retention';

const ABOUT = 'Real nodes on a real PostgreSQL through every fault. Exit code 1: a promise was broken.';
const NAMES = [...Object.keys(FAULTS), RETENTION];
const OPTIONS = {
  seed: { value: 'N', default: '1', meaning: 'what is drawn from it: when, whom, for how long' },
  ttl: { value: 'MS', default: String(TTL_MS), meaning: 'a node silent for longer loses what it owns' },
  only: { value: 'NAME,…', meaning: `these alone, instead of all: ${NAMES.join(', ')}` },
  nodes: { value: 'N', default: '3', meaning: 'with --only: so many nodes' },
  times: { value: 'N', default: '1', meaning: 'with --only: each so often' },
} as const;

/** Answers the exit code: 0 all is well, 1 a promise was broken, 2 a wrong argument. */
export async function main(args: readonly string[], say: (line: string) => void): Promise<number> {
  const asked = optionsOf('npm run faults', ABOUT, OPTIONS, args, say);
  if ('code' in asked) return asked.code;
  const { values } = asked;
  const [seed, ttlMs, nodes, times] = [values.seed, values.ttl, values.nodes, values.times].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  if (![seed, ttlMs, nodes, times].every((n) => Number.isSafeInteger(n) && n > 0)) {
    say('--seed, --ttl, --nodes and --times take whole numbers above 0');
    return 2;
  }
  const unknown = (values.only?.split(',') ?? []).filter((name) => !(name in FAULTS) && name !== RETENTION);
  if (unknown.length > 0) {
    say(`there is no fault ${unknown.join(', ')}; there are: ${NAMES.join(', ')}`);
    return 2;
  }
  const names = values.only?.split(',') ?? null;
  const faults = names?.filter((name) => name !== RETENTION).map((name) => [name, times] as const);
  const rounds: { nodes: number; faults: Times }[] = faults
    ? faults.length > 0
      ? [{ nodes, faults: Object.fromEntries(faults) }]
      : []
    : [
        { nodes: 3, faults: TIMES },
        { nodes: 2, faults: TWO_NODES },
        { nodes: 3, faults: SEAMS },
      ];
  const since = performance.now();
  const outcomes: CampaignOutcome[] = [];
  for (const round of rounds) {
    say(`${round.nodes} nodes`);
    outcomes.push(await campaign({ ...round, ttlMs, seed, say }));
  }
  const deleting = names === null || names.includes(RETENTION) ? await retentionLoad() : null;
  if (deleting) {
    const { without, beside, chunks, deleted, laterMs, starvedMs } = deleting;
    say(`retention: ${deleted} rows in ${chunks.length} chunks (ms: ${quantiles(chunks)})`);
    say(`commit ms without deleting: ${quantiles(without)}`);
    say(`commit ms beside deleting: ${quantiles(beside)}`);
    say(`the slowest ${laterMs.toFixed(1)} ms later (no processor was free for ${starvedMs.toFixed(0)} ms)`);
  }
  const sum = (of: (outcome: CampaignOutcome) => number) => outcomes.reduce((n, one) => n + of(one), 0);
  const violations = [...outcomes.flatMap((outcome) => outcome.violations), ...(deleting?.violations ?? [])];
  for (const text of violations) say(`VIOLATION ${text}`);
  const takeovers = outcomes.flatMap((outcome) => outcome.takeovers);
  say(`takeover ms: ${quantiles(takeovers)}`);
  say(`takeover ms, after kill −9: ${quantiles(outcomes.flatMap((outcome) => outcome.afterKill))}`);
  const calm = outcomes.flatMap((outcome) => outcome.calmTakeovers);
  say(`takeover ms, while the machine had time to spare: ${quantiles(calm)}`);
  say(
    `faults: ${sum((o) => o.acknowledged).toLocaleString('en')} events acknowledged, ` +
      `${sum((o) => o.unknown)} without an answer, ${sum((o) => o.entries).toLocaleString('en')} journal entries, ` +
      `${sum((o) => o.fired)} retries fired, ${sum((o) => o.followed).toLocaleString('en')} changes followed over ` +
      `${sum((o) => o.resumes)} resumes, ${sum((o) => o.faults)} faults, ${takeovers.length} takeovers, ` +
      `lost ${sum((o) => o.lost)}, ${violations.length} violations, ${((performance.now() - since) / 1000).toFixed(0)} s`,
  );
  return violations.length > 0 ? 1 : 0;
}

function quantiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return `p50 ${figure(at(0.5))}, p99 ${figure(at(0.99))}, max ${figure(at(1))} of ${sorted.length}`;
}

const figure = (ms: number) => ms.toFixed(ms < 100 ? 1 : 0);
