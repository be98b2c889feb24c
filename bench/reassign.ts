/**
 * The seed's complaint, timed: an issue waits in a scheduled retry, an operator reassigns it, the new agent's worker –
 * waiting in a claim – gets its grant. From the operator's frame to the worker's, under 200 events/s of other work.
 */
import type { Bench } from './bench.ts';
import { Background } from './support/background.ts';
import { BenchSocket, type Granted, grantsIn } from './support/bench-socket.ts';
import { pause } from './support/load.ts';
import { quantile, rounded } from './support/statistics.ts';
import { buildTown } from './support/town.ts';

const SAMPLES = 1000;
const WARM = 50;
const BACKGROUND = 200;
const WAIT_MS = 20_000;
/** Between the claim and the reassignment: the claim must be waiting. */
const SETTLE_MS = 4;

export const reassign: Bench = {
  name: 'reassign',
  about: `reassigned out of a scheduled retry → the new agent's grant, at ${BACKGROUND} events/s of other work`,
  withinSeconds: 180,
  async run(room) {
    const cluster = await room.cluster();
    const server = await room.server(await cluster.database());
    const [town, others] = [
      await buildTown(server.api, { companies: 2, agents: 2, issuesPerAgent: 10 }),
      await buildTown(server.api, { companies: 8, agents: 1, issuesPerAgent: 100 }),
    ];
    const operator = await BenchSocket.open(server.api.url);
    const pairs = await Promise.all(
      town.map(async ({ agents }) => {
        const [from, to] = agents;
        const open = (token: string) => BenchSocket.open(server.api.url, token);
        return { from: from!, to: to!, worker: await open(from!.token), successor: await open(to!.token) };
      }),
    );
    const idle = others.flatMap(({ agents }) => agents.flatMap((agent) => agent.issues));
    const background = await Background.start(server.api.url, idle, BACKGROUND);

    const taken: number[] = [];
    for (let n = 0; n < WARM + SAMPLES; n++) {
      const { from, to, worker, successor } = pairs[n % pairs.length]!;
      const issueId = from.issues[(n >> 1) % from.issues.length]!;
      await operator.event(issueId, `{"type":"WAKE","reason":"bench"}`);
      const run = await claim(worker, 1000);
      await worker.event(issueId, failed(run));
      const grant = claim(successor, WAIT_MS);
      await pause(SETTLE_MS);
      const since = performance.now();
      const reassigned = operator.event(issueId, `{"type":"ASSIGN","agentId":"${to.id}"}`);
      const granted = await grant;
      const ms = performance.now() - since;
      await reassigned;
      if (granted.issueId !== issueId) throw new Error('another issue was granted');
      if (n >= WARM) taken.push(ms);
      await successor.event(issueId, succeeded(granted));
      await operator.event(issueId, `{"type":"ASSIGN","agentId":null}`);
      await operator.event(issueId, `{"type":"ASSIGN","agentId":"${from.id}"}`);
      const again = await claim(worker, 1000);
      await worker.event(issueId, succeeded(again));
    }
    const other = background.stop();
    for (const socket of [operator, ...pairs.flatMap((pair) => [pair.worker, pair.successor])])
      socket.close();
    return {
      figures: [
        { what: 'reassign → grant, p99', value: rounded(quantile(taken, 0.99)), unit: 'ms', atMost: 10 },
      ],
      parts: {
        p50: rounded(quantile(taken, 0.5)),
        p90: rounded(quantile(taken, 0.9)),
        most: rounded(Math.max(...taken)),
        samples: taken.length,
        backgroundPerSecond: other.perSecond,
        backgroundMs: { p50: rounded(other.p50), p99: rounded(other.p99) },
      },
    };
  },
};

async function claim(socket: BenchSocket, waitMs: number): Promise<Granted> {
  const [grant] = grantsIn(await socket.ask('claim', `"max":1,"waitMs":${waitMs}`));
  if (!grant) throw new Error('nothing was granted');
  return grant;
}

function failed({ runId, fence }: Granted): string {
  return `{"type":"RUN.FAILED","runId":"${runId}","fence":${fence},"error":"429 overloaded","errorFamily":"transient_upstream"}`;
}

function succeeded({ runId, fence }: Granted): string {
  return `{"type":"RUN.SUCCEEDED","runId":"${runId}","fence":${fence},"resolution":"open"}`;
}
