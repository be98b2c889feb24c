/**
 * What a campaign's cluster is kept busy with: companies whose operators send events and whose workers claim, fail,
 * succeed or fall silent – and all that they were told, for the checks.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/clock.ts';
import type { IssueEvent } from '../../../src/machines/events.ts';
import type { GrantView, IssueView } from '../../../src/machines/view.ts';
import type { Told } from '../../simulation/world/witness.ts';
import type { Cluster } from './cluster.ts';
import { Doors, type Sent } from './doors.ts';

/** Between two requests of one loop, ms. */
const PACE_MS = 25;
const AGENTS = 2;
const ISSUES = 6;
const MOST_TRIES = 50;

export interface LoadCompany {
  readonly id: string;
  readonly agents: readonly string[];
  readonly issues: readonly string[];
}

export class Load {
  readonly doors = new Doors();
  readonly companies: LoadCompany[] = [];
  readonly told: Told[] = [];
  /** Events answered as accepted (also: again). */
  acknowledged = 0;
  /** Events whose outcome nobody ever learned. */
  unknown = 0;
  readonly #chance: Random;
  readonly #operators: Promise<void>[] = [];
  readonly #workers: Promise<void>[] = [];
  #isCalm = false;
  #isOver = false;
  #keys = 0;
  #made = 0;
  /** When each company was last answered, monotonic ms. */
  readonly #heardAt = new Map<string, number>();

  constructor(chance: Random) {
    this.#chance = chance;
  }

  /** Makes `perNode` companies at every node – so in partitions that it owns – and begins. */
  async start(cluster: Cluster, perNode: number): Promise<void> {
    cluster.listen(this.doors);
    for (const [place, node] of cluster.nodes.entries()) {
      await this.doors.started(place, node.url);
    }
    for (const place of this.doors.places) {
      for (let n = 0; n < perNode; n++) this.companies.push(await this.#companyNear(place));
    }
    for (const company of this.companies) {
      this.#operators.push(this.#operate(company, true), this.#operate(company, false));
      this.#workers.push(this.#work(company));
    }
  }

  /** Sends one event until it is answered and writes down what was said. */
  async send(company: LoadCompany, issueId: string, event: IssueEvent): Promise<Sent> {
    const key = `k${++this.#keys}`;
    const sent = await this.doors.event(company.id, issueId, event, key, this.#chance.u() < 0.5);
    if (sent.is === 'answered') this.#heardAt.set(company.id, performance.now());
    this.tell(issueId, event.type, key, sent);
    return sent;
  }

  tell(issueId: string, type: string, key: string, sent: Sent): void {
    const by = 'local';
    const base = { actorId: issueId, type, key, by, runId: null } as const;
    if (sent.is === 'unknown') {
      this.unknown++;
    } else if (sent.is === 'refused') {
      this.told.push({ ...base, is: 'refused', version: null, shown: undefined, code: sent.error.code });
    } else {
      const { version, duplicate, unchanged, issue } = sent.answer;
      if (!unchanged) this.acknowledged++;
      const is = duplicate ? 'duplicate' : unchanged ? 'unchanged' : 'accepted';
      this.told.push({ ...base, is, version, shown: issue.version, code: null });
    }
  }

  /** Waits until every company was answered once more; answers those that were not within `ms`. */
  async everyoneHeard(ms: number): Promise<LoadCompany[]> {
    const since = performance.now();
    let left = [...this.companies];
    while (left.length > 0 && performance.now() - since < ms) {
      await sleep(10);
      left = left.filter(({ id }) => (this.#heardAt.get(id) ?? 0) <= since);
    }
    return left;
  }

  /** No new work: operators fall silent, workers carry out what is there, and succeed. */
  async calmDown(): Promise<void> {
    this.#isCalm = true;
    await Promise.all(this.#operators);
  }

  async stop(): Promise<void> {
    this.#isCalm = true;
    this.#isOver = true;
    await Promise.all([...this.#operators, ...this.#workers]);
    this.doors.close();
  }

  /** A company at this place, or at another where this one's node has just lost what it owned. */
  async #companyNear(place: number): Promise<LoadCompany> {
    const { places } = this.doors;
    for (let n = 0; ; n++) {
      try {
        return await this.#company(places[(places.indexOf(place) + n) % places.length]!);
      } catch (error) {
        if (n === MOST_TRIES) throw error;
        await sleep(200);
      }
    }
  }

  /** A company at this place with one issue that nobody touches but its maker. */
  quietCompany(place: number): Promise<LoadCompany> {
    return this.#company(place, 1, false);
  }

  /** An issue at this place whose retry waits for `ms`, and that nobody touches meanwhile. */
  async waitingRetry(place: number, ms: number): Promise<{ company: LoadCompany; dueAt: number }> {
    const company = await this.#company(place, 1);
    const { grants } = await this.#post<{ grants: GrantView[] }>(
      place,
      `/agents/${company.agents[0]}/claim`,
      {
        waitMs: 5000,
      },
    );
    const [grant] = grants;
    if (!grant) throw new Error('the run of a new issue was not granted');
    const { issue } = await this.#post<{ issue: IssueView }>(place, `/runs/${grant.run.id}/fail`, {
      fence: grant.fence,
      error: '429 overloaded',
      errorFamily: 'transient_upstream',
      resultJson: { retryNotBefore: Date.now() + ms },
    });
    return { company, dueAt: issue.retry!.dueAt };
  }

  async #post<T>(place: number, path: string, body: unknown): Promise<T> {
    const answer = await fetch(`${this.doors.urlOf(place)}/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async #company(place: number, count = ISSUES, assigned = true): Promise<LoadCompany> {
    const prefix = `P${(this.#made++).toString(36)}X${Math.floor(this.#chance.u() * 36 ** 5).toString(36)}`;
    const post = <T>(path: string, body: unknown) => this.#post<T>(place, path, body);
    const { id } = await post<{ id: string }>('/companies', { name: 'Load', prefix: prefix.toUpperCase() });
    const agents: string[] = [];
    for (let n = 0; n < AGENTS; n++) {
      const agent = await post<{ id: string }>(`/companies/${id}/agents`, {
        name: `a${n}`,
        maxConcurrentRuns: 2,
      });
      agents.push(agent.id);
    }
    const issues = Array.from({ length: count }, (_, n) => ({
      title: `Issue ${n}`,
      ...(assigned ? { assigneeAgentId: agents[n % AGENTS]! } : {}),
    }));
    const { items } = await post<{ items: IssueView[] }>(`/companies/${id}/issues/bulk`, { issues });
    return { id, agents, issues: items.map((item) => item.id) };
  }

  async #operate(company: LoadCompany, first: boolean): Promise<void> {
    while (!this.#isCalm) {
      await sleep(PACE_MS * (0.5 + this.#chance.u()));
      const mine = company.issues.filter((_, n) => (n % 2 === 0) === first);
      await this.send(company, this.#one(mine), this.#event(company));
    }
  }

  #event(company: LoadCompany): IssueEvent {
    const u = this.#chance.u();
    if (u < 0.35)
      return { type: 'PRIORITY', priority: this.#one(['critical', 'high', 'medium', 'low'] as const) };
    if (u < 0.65) return { type: 'WAKE', reason: 'load', human: true, reopen: true };
    if (u < 0.8) return { type: 'ASSIGN', agentId: this.#one(company.agents) };
    if (u < 0.9) return { type: 'COMMENT', body: 'seen' };
    if (u < 0.95) return { type: 'CANCEL' };
    return { type: 'RETRY.NOW' };
  }

  async #work(company: LoadCompany): Promise<void> {
    let turn = 0;
    while (!this.#isOver) {
      await sleep(PACE_MS * (0.5 + this.#chance.u()));
      const agentId = company.agents[turn++ % AGENTS]!;
      const grants = await this.doors.claim(company.id, agentId, `c${++this.#keys}`, 2);
      await Promise.all(grants.map((grant) => this.#carryOut(company, grant)));
    }
  }

  async #carryOut(company: LoadCompany, grant: GrantView): Promise<void> {
    const issueId = grant.issue.id;
    this.told.push({
      actorId: issueId,
      type: 'claim',
      is: 'granted',
      version: grant.issue.version,
      shown: grant.issue.version,
      key: null,
      by: 'local',
      runId: grant.run.id,
      code: null,
    });
    const run = { runId: grant.run.id, fence: grant.fence };
    const u = this.#isCalm ? 1 : this.#chance.u();
    // Now and again a worker is never heard of again: its lease has to run out.
    if (u < 0.03) return;
    if (u < 0.5) {
      const error = { error: '429 overloaded', errorFamily: 'transient_upstream' } as const;
      await this.send(company, issueId, { type: 'RUN.FAILED', ...run, ...error });
      return;
    }
    await this.send(company, issueId, { type: 'RUN.SUCCEEDED', ...run, resolution: 'open' });
  }

  #one<T>(from: readonly T[]): T {
    return from[Math.floor(this.#chance.u() * from.length)]!;
  }
}
