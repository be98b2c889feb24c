/** Real processes as a part of a soak: campaigns with every fault, until the time is over. */
import type { SoakPart } from '../soak/part.ts';
import { campaign } from './campaign.ts';
import { TIMES } from './command.ts';

const TTL_MS = 2000;

export const processesPart: SoakPart = {
  name: 'processes',
  about:
    'three real nodes on a real PostgreSQL under load: kills, pauses, cuts, black holes, a full disk, a dead database',
  weight: 3,
  async run({ ms, seed, now, say }) {
    const until = now() + ms;
    const outcome = await campaign({
      nodes: 3,
      ttlMs: TTL_MS,
      seed,
      faults: TIMES,
      say,
      over: () => now() >= until,
    });
    const { acknowledged, faults, lost, fired, followed, resumes, takeovers } = outcome;
    return {
      counters: { acknowledged, faults, lost, 'retries fired': fired, 'changes followed': followed, resumes },
      samples: { takeover: takeovers },
      violations: outcome.violations.map((text) => `${text} (npm run faults -- --seed ${seed})`),
    };
  },
};
