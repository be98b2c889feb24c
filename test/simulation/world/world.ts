/**
 * One history: nodes, a database, operators, workers and subscribers under one virtual clock and one seed. It has an
 * active part with faults, then a calm one in which faults are over and time passes, so that rest can be looked at.
 */
import { BatonError } from '../../../src/errors.ts';
import { agentKind } from '../../../src/machines/agent-kind.ts';
import { DEFAULT_POLICY } from '../../../src/machines/facts.ts';
import { issueKind } from '../../../src/machines/issue-kind.ts';
import type { Actor } from '../../../src/machines/kind.ts';
import type { AnyKind } from '../../../src/supervisor/resident.ts';
import type { Router } from '../../../src/supervisor/router.ts';
import { startNode } from '../../../src/supervisor/start-node.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { Chance } from './chance.ts';
import { Database } from './database.ts';
import { Host } from './host.ts';
import { Intruder } from './intruder.ts';
import { Mischief } from './mischief.ts';
import { Operator } from './operator.ts';
import { type AgentPlan, type Plan, worldBegins } from './plan.ts';
import { Scheduler } from './scheduler.ts';
import { gatewayOver } from './socket.ts';
import { Subscriber } from './subscriber.ts';
import { Trace } from './trace.ts';
import { Witness } from './witness.ts';
import { Worker } from './worker.ts';

/** A client waits this long for an answer, beyond what it asked the node to wait, ms. */
export const PATIENCE_MS = 10_000;

export interface Company {
  readonly id: string;
  readonly agents: { readonly id: string; readonly plan: AgentPlan }[];
  readonly issues: string[];
}

export type Reply<T> = { readonly is: 'answered'; readonly value: T } | { readonly is: 'unknown' };

export class World {
  readonly plan: Plan;
  readonly chance: Chance;
  readonly trace = new Trace();
  readonly scheduler: Scheduler;
  readonly database: Database;
  readonly witness: Witness;
  readonly hosts: readonly Host[];
  readonly companies: readonly Company[];
  readonly kinds: readonly AnyKind[];
  /** What nobody expected: a rejected call, a throw, a promise nobody caught. */
  readonly surprises: string[] = [];
  /** Actors that some node put aside. */
  readonly putAside = new Set<string>();
  /** What was thrown out of a callback of a node: it would have ended the process. */
  readonly thrown: string[] = [];
  readonly mischief: Mischief;
  /** Faults and work are on. */
  active = true;
  /** Operators' deeds that are not done yet: some go on into the calm. */
  deeds = 0;
  /** The history ends: clients go home. */
  over = false;
  private readonly net: Chance;
  private readonly mutant: Mutant | null;

  constructor(plan: Plan, mutant: Mutant | null) {
    this.plan = plan;
    this.mutant = mutant;
    this.chance = new Chance(`history ${plan.seed}`);
    this.net = this.chance.split('net');
    this.scheduler = new Scheduler(worldBegins(plan.seed), (error) =>
      this.thrown.push(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
    this.database = new Database(plan, this.scheduler, this.chance.split('database'), this.trace);
    this.companies = Array.from({ length: plan.companies }, (_, n) => ({
      id: this.chance.id('c', plan.partitions.at(-1 - (n % plan.partitions.length))!),
      agents: [],
      issues: [],
    }));
    this.witness = new Witness(
      this.database.store,
      this.scheduler,
      this.companies.map(({ id }) => id),
    );
    const kinds: AnyKind[] = [agentKind(DEFAULT_POLICY), issueKind()];
    this.kinds = mutant?.kinds?.(kinds) ?? kinds;
    this.hosts = Array.from(
      { length: plan.nodes },
      (_, n) => new Host(n, this.scheduler, this.chance.split(`host ${n}`)),
    );
    this.mischief = new Mischief(this);
  }

  get now(): number {
    return this.scheduler.now;
  }

  log(text: string): void {
    this.trace.line(`${this.now.toFixed(2)} ${text}`);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.scheduler.after(ms, resolve);
    });
  }

  // -- the parts of a history ----------------------------------------------------------------

  async begin(): Promise<void> {
    const { catalog } = this.database.store;
    for (const [n, { id }] of this.companies.entries())
      await catalog.createCompany({ id, name: 'c', prefix: `ACME${n}`, createdAt: this.now });
    for (const host of this.hosts) this.boot(host);
    const setUp = this.setUp();
    let done = false;
    const end = () => {
      done = true;
    };
    setUp.then(end, end);
    while (!done) await this.run(this.now + 1000);
    await setUp;
    for (let n = 0; n < this.plan.operators; n++) void new Operator(this, n).live();
    let worker = 0;
    for (const company of this.companies)
      for (const { id, plan } of company.agents)
        for (let n = 0; n < plan.workers; n++) void new Worker(this, company, id, worker++).live();
    for (let n = 0; n < this.plan.subscribers; n++) void new Subscriber(this, n).live();
    if (this.plan.intruder) void new Intruder(this).live();
    this.mischief.begin();
  }

  private async setUp(): Promise<void> {
    const by: Actor = { kind: 'operator', id: 'setup' };
    for (const [n, plan] of this.plan.agents.entries()) {
      const asked = {
        name: `agent ${n}`,
        adapterType: plan.adapterType,
        maxConcurrentRuns: plan.maxConcurrentRuns,
        wakeOnDemand: plan.wakeOnDemand,
        retry: {
          delaysMs: [...plan.delaysMs],
          jitter: 0.25,
          leaseMs: plan.leaseMs,
          stopGraceMs: plan.stopGraceMs,
        },
      };
      const company = this.companies[plan.company]!;
      for (const id of await this.create(company, 'agent', [asked], by, `agent ${n}`))
        company.agents.push({ id, plan });
    }
  }

  /** Time passes until then. */
  run(until: number): Promise<void> {
    const { scheduler, database, witness } = this;
    return scheduler.run(until, () => {
      if (!database.applied) return;
      database.applied = false;
      void witness.observe();
    });
  }

  /** Faults are over; every host is up and goes on. */
  becomeCalm(): void {
    this.active = false;
    this.mischief.end();
    this.database.calm = true;
    this.database.down = false;
    for (const host of this.hosts) {
      host.cut = false;
      host.resume();
      if (!host.up) this.boot(host);
    }
    this.log('calm');
  }

  // -- nodes ---------------------------------------------------------------------------------

  boot(host: Host): void {
    host.incarnation++;
    const { plan, mutant, database } = this;
    const reached = database.reachedFrom(host);
    const clock = host.clock();
    const random = this.chance.split(`node ${host.label}`);
    const running = startNode({
      store: mutant?.store?.(reached, database.store) ?? reached,
      catalog: database.store.catalog,
      clock: mutant?.clock?.(clock, host.timeSource()) ?? clock,
      random,
      kinds: this.kinds,
      nodeTtlMs: plan.ttlMs,
      residentBytes: plan.residentBytes,
      retentionMs: plan.retentionMs,
      log: (level, message, data) => {
        this.log(`${host.label} ${level} ${message} ${data ? JSON.stringify(data) : ''}`);
        if (message === 'an actor was quarantined') this.putAside.add(String(data?.actor));
      },
    });
    // This world has fewer partitions than 4,096; a node that owns them all need not look for more.
    Object.defineProperty(running.node, 'ownsAll', {
      get: () => running.node.partitions.size === plan.partitions.length,
    });
    mutant?.node?.(running);
    host.running = running;
    host.gateway = gatewayOver(running);
    this.log(`${host.label} boots as ${running.node.node}`);
  }

  /** Its process is gone. `known`: the database sees it at once (its connection broke), else by the silence. */
  crash(host: Host, known: boolean): void {
    const { running } = host;
    if (!running) return;
    this.log(`${host.label} crashes`);
    host.end();
    running.crash();
    if (known) this.database.store.nodeGone(running.node.node);
  }

  // -- what clients do -----------------------------------------------------------------------

  /** Asks a node; unknown when nothing is heard in time. `answered` is called on the node as it answers. */
  call<T>(
    host: Host,
    what: string,
    ask: (router: Router) => Promise<T>,
    waitMs: number,
    answered?: (host: Host, value: T) => void,
  ): Promise<Reply<T>> {
    const { scheduler, net, plan } = this;
    return new Promise((resolve) => {
      let open = true;
      const finish = (reply: Reply<T>) => {
        if (!open) return;
        open = false;
        callOff();
        resolve(reply);
      };
      const unknown = () => finish({ is: 'unknown' });
      const callOff = scheduler.after(waitMs + PATIENCE_MS, unknown);
      const lossy = this.active ? plan.faults.netLost : 0;
      if (net.is(lossy)) return;
      const arrives = net.between(0.05, 1);
      if (!host.up) {
        scheduler.after(arrives, unknown);
        return;
      }
      const { incarnation } = host;
      const broken = () => void scheduler.after(0.1, unknown);
      const call = { what, since: this.now, patience: waitMs, broken };
      const id = host.opened(call);
      const asked = () => {
        const { running } = host;
        if (!running) return;
        // Where the host was held still, it hears of it only now.
        call.since = this.now;
        ask(running.router).then(
          (value) => {
            if (host.incarnation !== incarnation) return;
            host.open.delete(id);
            answered?.(host, value);
            if (net.is(lossy)) return;
            scheduler.after(net.between(0.05, 1), () => finish({ is: 'answered', value }));
          },
          (error: unknown) => {
            if (host.incarnation !== incarnation) return;
            host.open.delete(id);
            if (!(error instanceof BatonError)) this.surprises.push(`${what} was rejected: ${String(error)}`);
            broken();
          },
        );
      };
      host.after(arrives, asked, true);
    });
  }

  /** Makes actors, trying until it is known, for `patienceMs` at most; answers their ids, none when it was refused. */
  async create(
    company: Company,
    kind: string,
    asked: readonly unknown[],
    by: Actor,
    key: string,
    patienceMs = Number.POSITIVE_INFINITY,
  ): Promise<string[]> {
    const companyId = company.id;
    for (const until = this.now + patienceMs; this.now < until; ) {
      const host = this.net.pick(this.hosts);
      const reply = await this.call(
        host,
        `create ${kind}`,
        (router) => router.create({ kind, companyId, asked, by, key }),
        0,
        (on, born) => {
          if (born.is !== 'accepted' && born.is !== 'duplicate') return;
          for (const item of born.items) this.witness.said(on, item.id, item.version, 'birth', false);
        },
      );
      if (reply.is === 'answered') {
        const born = reply.value;
        this.log(`${by.id} creates ${kind}: ${born.is}`);
        if (born.is === 'refused') return [];
        if (born.is !== 'retry') {
          for (const { id } of born.items) {
            const base = { actorId: id, type: 'CREATED', key, by: by.id, of: null, runId: null, code: null };
            this.witness.told.push({ ...base, is: 'born', version: 1, shown: undefined });
          }
          return born.items.map((item) => item.id);
        }
      }
      await this.sleep(this.net.wait(200));
    }
    return [];
  }

  /** Sends an operator's event to some node. `again`: not known, or not possible now. */
  async send(
    actorId: string,
    event: { type: string },
    by: Actor,
    key: string | null,
  ): Promise<'final' | 'again'> {
    const answer = await this.sendBy(this.net.pick(this.hosts), actorId, event, by, key);
    return answer === null ? 'again' : 'final';
  }

  /** Sends an event to this node: `ok`, the code of a refusal, or null when it is to be sent again. */
  async sendBy(
    host: Host,
    actorId: string,
    event: { type: string },
    by: Actor,
    key: string | null,
  ): Promise<string | null> {
    const { type } = event;
    const askedAt = this.now;
    const reply = await this.call(
      host,
      `${type} ${actorId}`,
      (router) => router.send({ actorId, event, by, ...(key === null ? {} : { key }) }),
      0,
      (on, answer) => {
        if (answer.is === 'retry') return;
        const version = answer.is === 'refused' ? null : answer.version;
        const judged = answer.is === 'refused' || answer.is === 'unchanged';
        this.witness.said(on, actorId, version, `${type} ${answer.is}`, judged, askedAt);
      },
    );
    if (reply.is === 'unknown') {
      this.log(`${by.id} ${type} ${actorId} unknown`);
      return null;
    }
    const answer = reply.value;
    const code = answer.is === 'refused' || answer.is === 'retry' ? answer.code : null;
    const version = answer.is === 'refused' || answer.is === 'retry' ? null : answer.version;
    const shown = 'view' in answer ? (JSON.parse(answer.view) as { version: number }).version : undefined;
    this.log(`${by.id} ${type} ${actorId} ${answer.is} ${version ?? code}`);
    if (answer.is === 'retry') return null;
    const runId = (event as { runId?: string }).runId ?? null;
    const told = { actorId, type, is: answer.is, version, shown, key, by: by.id, of: null, runId, code };
    this.witness.told.push(told);
    return code ?? 'ok';
  }
}
