/**
 * One event alone, sent to acknowledged over a WebSocket, as a ratio to a commit of one row by the same statement. In
 * turns, on the same database; nothing else is in flight.
 */
import type { Bench } from './bench.ts';
import { BareCommit, takeSample } from './support/bare-commit.ts';
import { BenchSocket } from './support/bench-socket.ts';
import { median, quantile, rounded } from './support/statistics.ts';
import { buildTown } from './support/town.ts';

const ROUNDS = 10;
const PER_ROUND = 300;
const WARM = 1000;

export const latency: Bench = {
  name: 'latency',
  about: 'one event alone, sent to acknowledged, against a bare single-row commit',
  withinSeconds: 120,
  async run(room) {
    const cluster = await room.cluster();
    const url = await cluster.database();
    const server = await room.server(url);
    const town = await buildTown(server.api, { companies: 2, agents: 1, issuesPerAgent: 8 });
    const socket = await BenchSocket.open(server.api.url);
    const issues = town.flatMap(({ agents }) => agents.flatMap((agent) => agent.issues));
    let sent = 0;
    const event = async () => {
      const priority = ['high', 'low'][Math.floor(sent / issues.length) % 2];
      const issueId = issues[sent++ % issues.length]!;
      const since = performance.now();
      await socket.event(issueId, `{"type":"PRIORITY","priority":"${priority}"}`);
      return performance.now() - since;
    };
    for (let n = 0; n < WARM; n++) await event();
    const sample = await takeSample(url);
    const shape = { rows: 1, entries: 1, records: 0 };
    const bare = await BareCommit.open(url, { companyIds: town.map(({ id }) => id), actors: 16, sample });
    for (let n = 0; n < WARM; n++) await bare.once(shape);

    const events: number[][] = [];
    const commits: number[][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      events.push(await times(event));
      commits.push(await times(() => bare.once(shape)));
    }
    socket.close();
    await bare.close();
    const ratio = (q: number) =>
      rounded(median(events.map((taken, n) => quantile(taken, q) / quantile(commits[n]!, q))), 2);
    const parts = (taken: number[][]) => ({
      p50: rounded(quantile(taken.flat(), 0.5), 3),
      p99: rounded(quantile(taken.flat(), 0.99), 3),
    });
    return {
      figures: [{ what: 'event p50 ÷ bare commit p50', value: ratio(0.5), unit: '×', atMost: 2 }],
      parts: {
        eventMs: parts(events),
        bareMs: parts(commits),
        p99Ratio: ratio(0.99),
        samples: ROUNDS * PER_ROUND,
      },
    };
  },
};

async function times(f: () => Promise<number>): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < PER_ROUND; n++) taken.push(await f());
  return taken;
}
