/**
 * The realistic mix, over 64 WebSocket connections with 16 requests in flight each. Three quarters of the connections are
 * workers, one an agent: WAKE an issue, claim, comment (every second time), RUN.SUCCEEDED open – so that runs begin and
 * end, slots move and records are written. The others are operators, who re-rank, comment and edit whatever is there.
 * Each request is answered after its commit; what is counted is what was acknowledged as a new version.
 */
import { BenchSocket, committed, grantIn, versionIn } from './bench-socket.ts';
import type { Agent, Company, TownPlan } from './town.ts';

export const CONNECTIONS = 64;
export const IN_FLIGHT = 16;
/** Operators for each company. */
const OPERATORS = 2;

/** What the mix is made for: 8 × (6 workers + 2 operators) = 64 connections, 1,536 issues. */
export const LOAD_TOWN: TownPlan = { companies: 8, agents: 6, issuesPerAgent: 2 * IN_FLIGHT };

const PRIORITIES = ['critical', 'high', 'medium', 'low'] as const;
const COMMENT = JSON.stringify({
  type: 'COMMENT',
  body: 'The certificate was issued; the old one is valid until Sunday. Reloading the proxies one by one now.',
});
const WAKE = JSON.stringify({ type: 'WAKE', reason: 'schedule', source: 'automation' });

export interface Window<P> {
  /** Events acknowledged as committed within it. */
  readonly events: number;
  readonly seconds: number;
  readonly rate: number;
  /** The probe at its begin and its end. */
  readonly from: P;
  readonly to: P;
}

export class Load {
  /** Hears each acknowledged version. */
  acknowledged: ((issueId: string, version: number) => void) | null = null;
  readonly #workers: { socket: BenchSocket; agent: Agent }[] = [];
  readonly #operators: { socket: BenchSocket; issues: readonly string[] }[] = [];
  #running = false;
  #events = 0;

  static async open(url: string, town: readonly Company[]): Promise<Load> {
    const load = new Load();
    for (const { agents } of town) {
      for (const agent of agents) {
        load.#workers.push({ socket: await BenchSocket.open(url, agent.token), agent });
      }
      const issues = agents.flatMap((agent) => agent.issues);
      for (let n = 0; n < OPERATORS; n++) {
        load.#operators.push({ socket: await BenchSocket.open(url), issues });
      }
    }
    return load;
  }

  /**
   * Runs the mix: `warmMs` uncounted, `ms` counted, then until nothing is in flight.
   * @param probe read when counting begins and when it ends.
   */
  async run<P>(warmMs: number, ms: number, probe: () => Promise<P>): Promise<Window<P>> {
    const ended = this.start();
    await pause(warmMs);
    const from = await probe();
    const since = performance.now();
    const before = this.#events;
    await pause(ms);
    const events = this.#events - before;
    const seconds = (performance.now() - since) / 1000;
    const to = await probe();
    this.stop();
    await ended;
    return { events, seconds, rate: events / seconds, from, to };
  }

  /** Begins; resolves once it was stopped and nothing is in flight, rejects when a request fails. */
  start(): Promise<void> {
    this.#running = true;
    const slots: Promise<void>[] = [];
    for (let n = 0; n < IN_FLIGHT; n++) {
      for (const { socket, agent } of this.#workers) slots.push(this.#work(socket, agent, n));
      for (const { socket, issues } of this.#operators) slots.push(this.#operate(socket, issues, n));
    }
    return Promise.all(slots).then(() => {});
  }

  stop(): void {
    this.#running = false;
  }

  close(): void {
    for (const { socket } of [...this.#workers, ...this.#operators]) socket.close();
  }

  /** One worker's slot: whole cycles, so that nothing is left executing. */
  async #work(socket: BenchSocket, agent: Agent, slot: number): Promise<void> {
    const claim = `"max":1,"waitMs":0`;
    for (let n = slot; this.#running; n += IN_FLIGHT) {
      const issueId = agent.issues[n % agent.issues.length]!;
      this.#count(issueId, await socket.event(issueId, WAKE));
      const grant = grantIn(await socket.ask('claim', claim));
      if (grant === null) continue;
      this.#events++;
      if ((n / IN_FLIGHT) & 1) this.#count(grant.issueId, await socket.event(grant.issueId, COMMENT));
      const { runId, fence } = grant;
      const done = `{"type":"RUN.SUCCEEDED","runId":"${runId}","fence":${fence},"resolution":"open","result":{"changed":3,"log":"renewed, reloaded, verified"}}`;
      this.#count(grant.issueId, await socket.event(grant.issueId, done));
    }
  }

  async #operate(socket: BenchSocket, issues: readonly string[], slot: number): Promise<void> {
    for (let n = slot * 7919; this.#running; n++) {
      const issueId = issues[(n * 31) % issues.length]!;
      const event =
        n % 20 < 10
          ? `{"type":"PRIORITY","priority":"${PRIORITIES[(n >> 2) % 4]}"}`
          : n % 20 < 17
            ? COMMENT
            : `{"type":"EDIT","title":"Renew the certificate of host ${n} before it expires"}`;
      this.#count(issueId, await socket.event(issueId, event));
    }
  }

  #count(issueId: string, answer: Buffer): void {
    if (!committed(answer)) return;
    this.#events++;
    this.acknowledged?.(issueId, versionIn(answer));
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
