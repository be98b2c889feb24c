/**
 * The demo: a company with three agents whose workers are real processes, 24 issues, and what happens to anybody's
 * agents sooner or later, within half a minute: one agent's service is busy (a retry counts down), one issue is
 * reassigned out of its backoff, one worker is killed (its run is lost and another worker takes it over), one issue is
 * cancelled. Everything goes through the public protocol; nothing is acted.
 *
 *     playing ──all issues over, none to come──► over
 *        └──────────────── stop() ─────────────► stopped ──resume()──► playing
 *
 * Gone on with after it was stopped, it finishes what was left: workers, but no new issues, no killing, no cancelling.
 */
import type { Client } from '../../client/client.ts';
import type { Change } from '../../client/frames.ts';
import type { Company, HttpApi } from '../../client/http.ts';
import { RemoteError } from '../../client/remote-error.ts';
import type { Clock } from '../../clock.ts';
import type { IssueEvent } from '../../machines/events.ts';
import type { IssueView } from '../../machines/view.ts';
import { freshCompany } from '../fresh-company.ts';
import { revokeLeft } from '../job/worker-key.ts';
import { later } from '../waits.ts';
import { BUILDER, CALLER, CAST, CHECKER, COMPANY, type Part } from './cast.ts';
import type { Interrupted } from './interrupted.ts';
import { type Moment, momentOf, trouble } from './moment.ts';
import { type Errand, errands } from './titles.ts';
import { openUpstream, type Upstream } from './upstream.ts';
import { WorkerProcess } from './worker-process.ts';

export interface DemoOptions {
  readonly client: Client;
  readonly url: string;
  readonly token: string | null;
  readonly clock: Clock;
  /** One more issue every few seconds until there are so many; never fewer than the first 24. */
  readonly issues: number;
  /** Hears what happens. */
  readonly told: (moment: Moment) => void;
}

export const FIRST_ISSUES = 24;
export const MORE_EVERY_MS = 5000;
/** Of the run that is lost: so much of it is done when its worker is killed. */
const KILL_AFTER_MS = 1500;
/** The lost run is taken over by then; its worker is started again. */
const REPLACE_AFTER_MS = 12_000;
const REASSIGN_AFTER_MS = 4000;
const CANCEL_AFTER_MS = 6000;
/** Revoking what killed workers left: a server that stops has no more time than 10 s in all. */
const REVOKE_MS = 1000;

export class Demo {
  readonly company: Company;
  /** Resolves when all issues are over; never when it is stopped before. */
  readonly over: Promise<void>;
  readonly #options: DemoOptions;
  readonly #upstream: Upstream;
  readonly #agents: ReadonlyMap<Part, string>;
  readonly #workers = new Set<WorkerProcess>();
  readonly #cancels = new Set<() => void>();
  /** Issues of the demo's own, each with its assignee: what people make in its company does not keep it from being over. */
  readonly #own = new Map<string, string | null>();
  readonly #open = new Set<string>();
  readonly #waiting: Errand[];
  #made = 0;
  #backoffs = 0;
  #doomed: { identifier: string; is: 'waiting' | 'killed' } | null = null;
  #stopped = false;
  #finish!: () => void;

  private constructor(
    options: DemoOptions,
    company: Company,
    agents: ReadonlyMap<Part, string>,
    upstream: Upstream,
    waiting: Errand[],
  ) {
    this.#options = options;
    this.company = company;
    this.#agents = agents;
    this.#upstream = upstream;
    this.#waiting = waiting;
    this.over = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Makes the company, its agents and the first issues, and starts the workers. */
  static async start(options: DemoOptions): Promise<Demo> {
    const { http } = options.client;
    const waiting = await errands(Math.max(FIRST_ISSUES, options.issues));
    const company = await freshCompany(http, COMPANY.name, COMPANY.prefix);
    const agents = new Map<Part, string>();
    for (const part of CAST) agents.set(part, await hire(http, company, part));
    const demo = new Demo(options, company, agents, await openUpstream(), waiting);
    return await demo.#whole(demo.#begin());
  }

  /** Goes on with one that was interrupted, until what was left of it is over. */
  static async resume(options: DemoOptions, { company, agents, issues }: Interrupted): Promise<Demo> {
    const demo = new Demo(options, company, agents, await openUpstream(), []);
    return await demo.#whole(demo.#goOn(issues));
  }

  async #whole(beginning: Promise<void>): Promise<this> {
    try {
      await beginning;
      return this;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Safe to repeat. Resolves when no process of the demo is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
    await this.#upstream.stop();
    const { client, clock } = this.#options;
    const revoked = revokeLeft(client.http, this.company.id, this.#agents.values());
    await Promise.race([revoked, later(clock, REVOKE_MS)]);
  }

  async #watch(): Promise<void> {
    const change = (change: unknown) => this.#see(change as Change);
    await this.#options.client.subscribe(`company:${this.company.id}`, {}, { change });
  }

  async #goOn(issues: readonly string[]): Promise<void> {
    const { http } = this.#options.client;
    await this.#watch();
    for (const id of issues) this.#begun(await http.issue(id));
    this.#made = issues.length;
    this.#putToWork();
    this.#endIfOver();
  }

  #putToWork(): void {
    for (const part of CAST) for (let n = 0; n < part.workers; n++) this.#work(part);
  }

  async #begin(): Promise<void> {
    const { client } = this.#options;
    await this.#watch();
    const first = this.#waiting.splice(0, FIRST_ISSUES);
    // One of the builder's is urgent, so that it is begun first, and again first when it was lost.
    const asked = first.map((errand, n) => ({
      ...errand,
      ...(CAST[n % CAST.length] === BUILDER && n < CAST.length ? { priority: 'critical' as const } : {}),
      assigneeAgentId: this.#agentFor(n),
    }));
    const { items } = await client.http.createIssues(this.company.id, asked);
    for (const issue of items) this.#begun(issue);
    this.#made = items.length;
    const urgent = items.find(({ assigneeAgentId, priority }) => {
      return priority === 'critical' && assigneeAgentId === this.#agents.get(BUILDER);
    });
    if (urgent !== undefined) this.#doomed = { identifier: urgent.identifier, is: 'waiting' };
    this.#putToWork();
    this.#later(CANCEL_AFTER_MS, () => this.#cancelOne());
    this.#later(MORE_EVERY_MS, () => this.#more());
  }

  #begun(issue: IssueView): void {
    this.#own.set(issue.id, issue.assigneeAgentId);
    if (!isAtRest(issue)) this.#open.add(issue.id);
  }

  #agentFor(n: number): string {
    return this.#agents.get(CAST[n % CAST.length] as Part) as string;
  }

  #work(part: Part): void {
    const { url, token, clock, told } = this.#options;
    const at = { url, token, upstream: this.#upstream.url, clock };
    const worker: WorkerProcess = new WorkerProcess(part, this.#agents.get(part) as string, at, {
      started: (issue) => this.#started(worker, part, issue),
      failed: (why) => {
        this.#workers.delete(worker);
        if (!this.#stopped) told(trouble(`A worker of ${part.name} ended by itself: ${why}`));
      },
    });
    this.#workers.add(worker);
  }

  /** The worker that has the urgent issue is killed in the middle of it. */
  #started(worker: WorkerProcess, part: Part, identifier: string): void {
    if (this.#doomed?.is !== 'waiting' || this.#doomed.identifier !== identifier) return;
    this.#doomed = { identifier, is: 'killed' };
    this.#later(KILL_AFTER_MS, () => {
      worker.kill();
      this.#workers.delete(worker);
      const text = `${identifier} worker of ${part.name} killed, and nobody tells the server`;
      this.#options.told({ what: 'killed', issue: identifier, text, isOfNote: true });
      this.#later(REPLACE_AFTER_MS, () => this.#work(part));
    });
  }

  #see(change: Change): void {
    const { issue } = change;
    if (issue === undefined || !this.#own.has(issue.id)) return;
    this.#tell(change, issue);
    if (issue.state === 'scheduled-retry' && issue.retry?.reason === 'transient_failure') {
      this.#backoffs++;
      // The first one is left to its countdown.
      if (this.#backoffs === 2) this.#later(REASSIGN_AFTER_MS, () => this.#reassign(issue));
    }
    if (isAtRest(issue)) this.#open.delete(issue.id);
    else this.#open.add(issue.id);
    this.#endIfOver();
  }

  #tell(change: Change, issue: IssueView): void {
    const assignee = this.#own.get(issue.id) ?? null;
    const before = {
      assignee: assignee === null ? null : this.#nameOf(assignee),
      isKilled: this.#doomed?.identifier === issue.identifier && this.#doomed.is === 'killed',
      isFirstRetry: this.#backoffs === 0,
    };
    const moment = momentOf(change, issue, before, (id) => this.#nameOf(id));
    this.#own.set(issue.id, issue.assigneeAgentId);
    if (moment !== null) this.#options.told(moment);
    if (moment?.what === 'taken over') this.#doomed = null;
  }

  /** Of the demo's agents; anybody else's id stands for itself. */
  #nameOf(agentId: string | null): string {
    for (const [part, id] of this.#agents) if (id === agentId) return part.name;
    return agentId ?? 'nobody';
  }

  async #reassign({ id }: IssueView): Promise<void> {
    const agentId = this.#agents.get(CHECKER) as string;
    await this.#send(id, { type: 'ASSIGN', agentId, reason: 'its service is busy, somebody else is free' });
  }

  async #cancelOne(): Promise<void> {
    const caller = this.#agents.get(CALLER) as string;
    let last: IssueView | null = null;
    const query = { state: 'running', assignee: caller };
    for await (const issue of this.#options.client.http.issues(this.company.id, query)) {
      if (issue.substate === 'queued') last = issue;
    }
    if (last !== null) await this.#send(last.id, { type: 'CANCEL', reason: 'no longer needed' });
  }

  async #more(): Promise<void> {
    const errand = this.#made < this.#options.issues ? this.#waiting.shift() : undefined;
    if (errand === undefined) return this.#endIfOver();
    const assigneeAgentId = this.#agentFor(this.#made++);
    const issue = await this.#options.client.http.createIssue(this.company.id, {
      ...errand,
      assigneeAgentId,
    });
    this.#begun(issue);
    this.#later(MORE_EVERY_MS, () => this.#more());
  }

  /** What is refused by then is over, and that is fine. */
  async #send(issueId: string, event: IssueEvent): Promise<void> {
    await this.#options.client.http.sendEvent(issueId, event).catch((error: unknown) => {
      if (!(error instanceof RemoteError) || error.code !== 'NOT_ALLOWED') throw error;
    });
  }

  #endIfOver(): void {
    const isLast = this.#made >= Math.max(FIRST_ISSUES, this.#options.issues) || this.#waiting.length === 0;
    if (isLast && this.#open.size === 0) this.#finish();
  }

  #later(ms: number, f: () => void | Promise<void>): void {
    const cancel = this.#options.clock.after(ms, () => {
      this.#cancels.delete(cancel);
      if (this.#stopped) return;
      // The server is away or stopping: the demo misses one of its scenes.
      void Promise.resolve(f()).catch((error: unknown) => this.#options.told(trouble(String(error))));
    });
    this.#cancels.add(cancel);
  }
}

/** Ended; or it failed for good, or was taken from its agent, and the demo will do nothing about it. */
function isAtRest({ state }: IssueView): boolean {
  return state === 'done' || state === 'cancelled' || state === 'idle';
}

function hire(http: HttpApi, company: Company, part: Part): Promise<string> {
  const settings = {
    name: part.name,
    adapterType: 'process',
    maxConcurrentRuns: part.workers * part.slotsEach,
    retry: part.retry,
  };
  return http.createAgent(company.id, settings).then(({ id }) => id);
}
