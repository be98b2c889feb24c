/**
 * 5,000 retries due within one second, over several companies: each fires once, none early – by the journal's time and
 * by arrival –, and soon. Late is counted to the end: until a subscriber has the frame of the committed change. A
 * thousand others come due some seconds before, as a rehearsal: the first hundreds of a process that never fired one run
 * code that is not compiled yet. What those were like is among the parts.
 */
import type { Bench } from './bench.ts';
import { BenchSocket, grantsIn } from './support/bench-socket.ts';
import { pause } from './support/load.ts';
import { quantile, rounded } from './support/statistics.ts';
import { buildTown, type Company } from './support/town.ts';

const COMPANIES = 10;
const PER_COMPANY = 500;
const COUNT = COMPANIES * PER_COMPANY;
/** Of each company, due before the others. */
const REHEARSED = 100;
const REHEARSAL_MS = 6000;
/** Longer than it takes to bring all into their retry. */
const AHEAD_MS = 20_000;
const SPREAD_MS = 1000;
const PATIENCE_MS = 10_000;
const SLOTS = 50;

export const retries: Bench = {
  name: 'retries',
  about: `${COUNT} retries due within one second: never early, and soon`,
  withinSeconds: 180,
  async run(room) {
    const cluster = await room.cluster();
    const server = await room.server(await cluster.database(), {
      'retry-delays-ms': '1000,1000,1000,1000',
      'retry-jitter': '0',
    });
    const { url } = server.api;
    const town = await buildTown(server.api, {
      companies: COMPANIES,
      agents: 1,
      issuesPerAgent: REHEARSED + PER_COMPANY,
      wake: true,
    });
    const due = new Map<string, number>();
    const rehearsed = new Map<string, number>();
    const first = Date.now() + AHEAD_MS;
    const put = (into: Map<string, number>, issueId: string, from: number) => {
      const at = from + Math.floor((into.size * SPREAD_MS) / COUNT);
      into.set(issueId, at);
      return at;
    };
    await Promise.all(
      town.map((company) => {
        let n = 0;
        return failAll(url, company, (issueId) =>
          n++ < REHEARSED ? put(rehearsed, issueId, first - REHEARSAL_MS) : put(due, issueId, first),
        );
      }),
    );
    const spareMs = first - Date.now();
    if (due.size !== COUNT || spareMs < REHEARSAL_MS + 1000)
      throw new Error(`only ${due.size} wait, ${spareMs} ms are left`);
    room.say(`${COUNT} wait for their retry; due in ${spareMs} ms`);

    const arrivals: { at: number; frame: Buffer }[] = [];
    const reader = await BenchSocket.open(url);
    for (const { id } of town) await reader.ask('sub', `"topic":"company:${id}"`);
    reader.onFrame = (frame) => arrivals.push({ at: Date.now(), frame });
    await pause(spareMs + SPREAD_MS);
    const until = performance.now() + PATIENCE_MS;
    while (arrivals.length < rehearsed.size + COUNT && performance.now() < until) await pause(50);
    await pause(500);
    reader.close();

    const fired = arrivals.map(({ at, frame }) => ({ at, change: changeIn(frame) }));
    const all = fired.filter(({ change }) => change?.type === 'RETRY.DUE');
    const retried = all.filter(({ change }) => due.has(change!.issueId));
    const cold = all.flatMap(({ at, change }) => {
      const rehearsedAt = rehearsed.get(change!.issueId);
      return rehearsedAt === undefined ? [] : [at - rehearsedAt];
    });
    const late = retried.map(({ at, change }) => at - due.get(change!.issueId)!);
    const journalLate = retried.map(({ change }) => change!.at - due.get(change!.issueId)!);
    const early = late.filter((ms) => ms < 0).length + journalLate.filter((ms) => ms < 0).length;
    const once = new Set(retried.map(({ change }) => change!.issueId)).size;
    return {
      figures: [
        {
          what: 'lateness until a subscriber knew, p99',
          value: rounded(quantile(late, 0.99)),
          unit: 'ms',
          atMost: 50,
        },
        { what: 'early', value: early, unit: '', atMost: 0 },
        { what: 'fired', value: once, unit: '', atLeast: COUNT },
        { what: 'fired twice', value: retried.length - once, unit: '', atMost: 0 },
      ],
      parts: {
        lateMs: {
          p50: rounded(quantile(late, 0.5)),
          p90: rounded(quantile(late, 0.9)),
          most: rounded(Math.max(...late)),
        },
        rehearsalLateMs: { p50: rounded(quantile(cold, 0.5)), p99: rounded(quantile(cold, 0.99)) },
        journalLateMs: { p50: quantile(journalLate, 0.5), p99: quantile(journalLate, 0.99) },
      },
    };
  },
};

/** Brings all issues of a company into a retry due at what `dueOf` says. */
async function failAll(url: string, { agents }: Company, dueOf: (issueId: string) => number): Promise<void> {
  const agent = agents[0]!;
  const worker = await BenchSocket.open(url, agent.token);
  for (let left = agent.issues.length; left > 0; ) {
    const grants = grantsIn(await worker.ask('claim', `"max":${SLOTS},"waitMs":1000`));
    if (grants.length === 0) throw new Error('nothing was granted');
    await Promise.all(
      grants.map(({ issueId, runId, fence }) =>
        worker.event(
          issueId,
          JSON.stringify({
            type: 'RUN.FAILED',
            runId,
            fence,
            error: '429 overloaded',
            errorFamily: 'transient_upstream',
            resultJson: { retryNotBefore: dueOf(issueId) },
          }),
        ),
      ),
    );
    left -= grants.length;
  }
  worker.close();
}

interface Change {
  readonly type: string;
  readonly issueId: string;
  readonly at: number;
}

function changeIn(frame: Buffer): Change | null {
  const { t, change } = JSON.parse(frame.toString()) as { t: string; change?: Change };
  return t === 'change' ? (change ?? null) : null;
}
