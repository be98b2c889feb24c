/**
 * A worker of an agent: claims, and works on what it is granted as its draw says – well, badly, not at all, or too late
 * with a fence that is long gone. When all is calm every worker works well, and quickly.
 */
import type { WorkerSession } from '../../../src/supervisor/router.ts';
import type { Chance } from './chance.ts';
import { ClientSocket, eventBySocket } from './client-socket.ts';
import type { Host } from './host.ts';
import type { Behaviour } from './plan.ts';
import type { Company, World } from './world.ts';

interface Grant {
  readonly issue: { readonly id: string; readonly version: number };
  readonly run: { readonly id: string };
  readonly fence: number;
  readonly leaseMs: number;
}

const CALM_RUN_MS = 50;

export class Worker {
  private claims = 0;
  private keys = 0;
  private slot: number;
  private readonly stops = new Set<string>();
  private readonly session: WorkerSession = {
    send: (frame) => {
      this.stops.add(String(frame.runId));
    },
  };
  private readonly world: World;
  private readonly agentId: string;
  private readonly name: string;
  private readonly chance: Chance;

  private readonly company: Company;
  /** Null: it asks the router. */
  private readonly socket: ClientSocket | null;

  constructor(world: World, company: Company, agentId: string, n: number) {
    this.world = world;
    this.company = company;
    this.agentId = agentId;
    this.name = `w${n}`;
    this.chance = world.chance.split(`worker ${n}`);
    this.slot = this.chance.whole(0, world.plan.nodes - 1);
    const principal = { role: 'agent', id: 'key', companyId: company.id, agentId, keyId: null } as const;
    this.socket = this.chance.is(world.plan.bySocket)
      ? new ClientSocket(world, this.chance, principal, (runId) => this.stops.add(runId))
      : null;
  }

  async live(): Promise<void> {
    const { world, chance } = this;
    if (!this.socket && chance.is(0.7)) void this.stayAttached();
    while (!world.over) {
      const claimId = `${this.name}-${++this.claims}`;
      let grants = await this.claim(claimId);
      // A repeat of the same claim finds what the lost answer had.
      for (let tries = 0; grants === null && tries < 4 && chance.is(0.7); tries++) {
        await world.sleep(chance.wait(300));
        grants = await this.claim(claimId);
      }
      if (grants === null) {
        await world.sleep(chance.wait(world.active ? 500 : 100));
        continue;
      }
      const works = grants.map((grant) => this.work(grant));
      if (world.active && chance.is(0.7)) await Promise.all(works);
    }
  }

  private async claim(claimId: string): Promise<Grant[] | null> {
    const { world, chance } = this;
    const waitMs = world.active ? chance.pick([0, 1000, 10_000, 25_000]) : 25_000;
    const max = world.active ? chance.pick([1, 1, 2]) : 3;
    const texts = this.socket
      ? await this.claimBySocket(this.socket, claimId, max, waitMs)
      : await this.claimDirectly(claimId, max, waitMs);
    if (texts === null && chance.is(0.6)) this.slot = (this.slot + 1) % world.plan.nodes;
    if (texts === null || texts === 'refused') return null;
    const grants = texts.map((text) => JSON.parse(text) as Grant);
    for (const { issue, run } of grants) {
      world.witness.told.push({
        actorId: issue.id,
        type: 'claim',
        is: 'granted',
        version: issue.version,
        shown: issue.version,
        key: claimId,
        by: this.agentId,
        of: this.company.id,
        runId: run.id,
        code: null,
      });
    }
    return grants;
  }

  /** Grants as JSON texts; null: not known, ask again. */
  private async claimDirectly(
    claimId: string,
    max: number,
    waitMs: number,
  ): Promise<readonly string[] | 'refused' | null> {
    const { world, chance } = this;
    const host = world.hosts[this.slot]!;
    const reply = await world.call(
      host,
      `claim ${claimId}`,
      (router) => {
        const { answer, withdraw } = router.claim({
          pool: this.agentId,
          companyId: this.company.id,
          claimId,
          max,
          waitMs,
          session: this.session,
        });
        // Its connection closes: withdrawn in the turn that sees it.
        if (world.active && chance.is(0.03)) host.after(chance.wait(waitMs / 2), withdraw);
        return answer;
      },
      waitMs,
      (host, claimed) => {
        if (claimed.is !== 'granted') return;
        for (const text of claimed.grants) {
          const { issue } = JSON.parse(text) as Grant;
          world.witness.said(host, issue.id, issue.version, 'grant', false);
        }
      },
    );
    if (reply.is === 'unknown' || reply.value.is === 'retry') return null;
    return reply.value.is === 'refused' ? 'refused' : reply.value.grants;
  }

  private async claimBySocket(
    socket: ClientSocket,
    claimId: string,
    max: number,
    waitMs: number,
  ): Promise<readonly string[] | 'refused' | null> {
    const { world } = this;
    const frame = { t: 'claim', claimId, max, waitMs };
    const sent = await socket.ask(world.hosts[this.slot]!, frame, waitMs, (host, { grants = [] }) => {
      for (const { issue } of grants as Grant[])
        world.witness.said(host, issue.id, issue.version, 'grant', false);
    });
    if (sent === null || sent.retryable) return null;
    return sent.t === 'error' ? 'refused' : sent.grants!.map((grant) => JSON.stringify(grant));
  }

  private async work(grant: Grant): Promise<void> {
    const { world, chance } = this;
    const behaviour: Behaviour = world.active
      ? chance.weighed(world.plan.work)
      : chance.pick(['succeed', 'open']);
    const length = world.active ? chance.wait(world.plan.runMs) : CALM_RUN_MS;
    if (behaviour === 'vanish') return;
    if (behaviour === 'zombie') {
      await world.sleep(grant.leaseMs * chance.between(0.8, 3));
      await this.report(grant, chance.pick(['succeed', 'open', 'transient']));
      return;
    }
    const until = world.now + length;
    const heeds = chance.is(0.7);
    while (world.now < until) {
      await world.sleep(Math.min(until - world.now, (grant.leaseMs / 3) * chance.between(0.7, 1)));
      if (heeds && this.stops.has(grant.run.id)) return this.stopped(grant);
      if (world.now >= until) break;
      const beat = await this.say(grant, { type: 'RUN.HEARTBEAT' }, null);
      if (beat === 'FENCED' && heeds) return this.stopped(grant);
    }
    await this.report(grant, behaviour);
  }

  private async stopped(grant: Grant): Promise<void> {
    const { chance, world } = this;
    if (chance.is(0.3)) return;
    await world.sleep(chance.wait(200));
    await this.repeated(grant, { type: 'RUN.STOPPED' });
  }

  private report(grant: Grant, behaviour: Behaviour): Promise<void> {
    switch (behaviour) {
      case 'succeed':
        return this.repeated(grant, { type: 'RUN.SUCCEEDED', resolution: 'done' });
      case 'open':
        return this.repeated(grant, { type: 'RUN.SUCCEEDED', resolution: 'open' });
      case 'complete':
        return this.repeated(grant, { type: 'COMPLETE' });
      case 'permanent':
        return this.repeated(grant, { type: 'RUN.FAILED', error: 'broken' });
      default: {
        const notBefore = this.world.now + this.chance.wait(3000);
        return this.repeated(grant, {
          type: 'RUN.FAILED',
          error: '429',
          errorFamily: 'transient_upstream',
          ...(this.chance.is(0.2) ? { resultJson: { retryNotBefore: Math.floor(notBefore) } } : {}),
        });
      }
    }
  }

  private async repeated(grant: Grant, event: { type: string } & Record<string, unknown>): Promise<void> {
    const { world, chance } = this;
    const key = `${this.name}-k${++this.keys}`;
    for (let tries = 0; tries < 10; tries++) {
      if ((await this.say(grant, event, key)) !== null && !chance.is(0.03)) return;
      await world.sleep(chance.wait(300));
    }
  }

  /** The code of a refusal, `ok`, or null: not known, ask again. */
  private async say(
    grant: Grant,
    event: { type: string } & Record<string, unknown>,
    key: string | null,
  ): Promise<string | null> {
    const { world, chance } = this;
    const ofRun = event.type === 'COMPLETE' ? {} : { runId: grant.run.id };
    const full = { ...event, ...ofRun, fence: grant.fence };
    const host = world.hosts[this.slot]!;
    const { id } = grant.issue;
    const answer = this.socket
      ? await this.sayBySocket(this.socket, host, id, full, key)
      : await world.sendBy(host, id, full, { kind: 'agent', id: this.agentId }, key);
    if (answer === null && chance.is(0.6)) this.slot = (this.slot + 1) % world.plan.nodes;
    return answer;
  }

  private sayBySocket(
    socket: ClientSocket,
    host: Host,
    issueId: string,
    event: { type: string; runId?: string },
    key: string | null,
  ): Promise<string | null> {
    return eventBySocket(this.world, socket, host, {
      by: this.agentId,
      of: this.company.id,
      issueId,
      event,
      key,
    });
  }

  /** Its connection, for stop frames: again whenever the node is another one. */
  private async stayAttached(): Promise<void> {
    const { world, chance } = this;
    let attached = null as { host: Host; incarnation: number; detach: () => void } | null;
    while (!world.over) {
      const host = world.hosts[this.slot]!;
      if (attached?.host !== host || attached.incarnation !== host.incarnation) {
        if (attached && attached.incarnation === attached.host.incarnation) {
          const { detach } = attached;
          attached.host.after(0, detach);
        }
        attached = null;
        const { incarnation } = host;
        const reply = await world.call(
          host,
          `attach ${this.name}`,
          (r) => r.attach(this.agentId, this.session),
          6000,
        );
        if (reply.is === 'answered') attached = { host, incarnation, detach: reply.value.detach };
      }
      await world.sleep(chance.between(500, 1500));
    }
  }
}
