/** Hostile frames as a part of a soak. */
import type { SoakPart } from '../soak/part.ts';
import { runInThread } from './attack-thread.ts';
import { fuzz } from './fuzz.ts';
import { withServer } from './world.ts';

const MOST_GROWTH_MB = 50;
const NO_END = Number.MAX_SAFE_INTEGER;
/** Starting a server and a database, warming up, measuring: what a turn takes besides, ms. */
const BESIDES_MS = 12_000;

export const fuzzPart: SoakPart = {
  name: 'fuzz',
  about: 'hostile frames against a server process',
  weight: 2,
  async run({ ms, seed, say }) {
    const report = await withServer({ 'rate-limit': 'off' }, (server) =>
      fuzz(server, {
        seed: String(seed),
        frames: NO_END,
        forMs: Math.max(2000, ms - BESIDES_MS),
        attackers: 8,
        warmUp: 50_000,
        neighbours: { count: 8, everyMs: 160, calmMs: 2000 },
        run: runInThread,
      }),
    );
    const grew = report.rss.after - report.rss.before;
    say(
      `${report.frames} hostile frames in ${report.seconds.toFixed(0)} s, memory grew by ${grew.toFixed(0)} MB`,
    );
    const broken = [
      ...report.findings,
      ...(report.alive ? [] : ['the server did not survive']),
      ...(report.stateUnchanged ? [] : ['what is stored was changed']),
      ...(grew <= MOST_GROWTH_MB ? [] : [`memory grew by ${grew.toFixed(0)} MB`]),
    ];
    return {
      counters: {
        acknowledged: report.calm.events + report.attacked.events,
        'hostile frames': report.frames,
        'hostile connections': report.connections,
        lost: 0,
      },
      samples: { 'neighbour under attack': [report.attacked.p50, report.attacked.p99] },
      violations: broken.map((text) => `${text} (npm run fuzz -- --seed ${seed})`),
    };
  },
};
