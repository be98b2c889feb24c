/** An operator: does what people do to issues and agents, with idempotency keys, and repeats what was not answered. */
import type { Actor } from '../../../src/machines/kind.ts';
import type { Chance } from './chance.ts';
import { POISON } from './database.ts';
import type { Company, World } from './world.ts';

/** Times an operation is sent before its operator gives up, and the mean wait in between, ms. */
const MOST_TRIES = 12;
const BETWEEN_TRIES_MS = 400;

type IssueDeed =
  | 'wake'
  | 'machineWake'
  | 'reopenWake'
  | 'assign'
  | 'unassign'
  | 'cancel'
  | 'complete'
  | 'reopen'
  | 'retryNow'
  | 'retryCancel'
  | 'release'
  | 'priority'
  | 'comment'
  | 'edit';

const ISSUE_DEEDS: Readonly<Record<IssueDeed, number>> = {
  wake: 5,
  machineWake: 4,
  reopenWake: 1,
  assign: 5,
  unassign: 1,
  cancel: 2,
  complete: 2,
  reopen: 3,
  retryNow: 2,
  retryCancel: 1,
  release: 1,
  priority: 2,
  comment: 2,
  edit: 1,
};

export class Operator {
  private readonly by: Actor;
  private keys = 0;
  /** Whose things it looks at just now. */
  private company: Company;
  private readonly world: World;
  private readonly chance: Chance;

  constructor(world: World, n: number) {
    this.world = world;
    this.chance = world.chance.split(`operator ${n}`);
    this.by = { kind: 'operator', id: `op${n}` };
    this.company = this.chance.pick(world.companies);
  }

  /** Acts now and again until the calm. */
  async live(): Promise<void> {
    const { world, chance } = this;
    while (world.active) {
      await world.sleep(chance.wait(world.plan.opEvery));
      if (!world.active) return;
      this.company = chance.pick(world.companies);
      const act = this.company.issues.length === 0 || chance.is(0.08) ? this.create() : this.act();
      if (chance.is(0.5)) await act;
    }
  }

  private async act(): Promise<void> {
    this.world.deeds++;
    await (this.chance.is(0.85) ? this.touchIssue() : this.touchAgent());
    this.world.deeds--;
  }

  private async create(): Promise<void> {
    const { world, chance } = this;
    const { company } = this;
    if (company.issues.length >= world.plan.issues) return this.act();
    world.deeds++;
    const asked = {
      title: 'work',
      priority: chance.pick(['critical', 'high', 'medium', 'low']),
      ...(chance.is(0.85) ? { assigneeAgentId: chance.pick(company.agents).id } : {}),
      ...(chance.is(0.1) ? { wake: false } : {}),
    };
    // What is over and old is deleted, with its key in the end (decision 0012): nobody repeats a creation for that long.
    const { retentionMs } = world.plan;
    const patienceMs = retentionMs > 0 ? retentionMs / 2 : undefined;
    const id = await world.create(company, 'issue', [asked], this.by, this.key(), patienceMs);
    for (const one of id) if (!company.issues.includes(one)) company.issues.push(one);
    world.deeds--;
  }

  private touchIssue(): Promise<void> {
    return this.send(this.chance.pick(this.company.issues), this.issueEvent());
  }

  private issueEvent(): { type: string } & Record<string, unknown> {
    const { chance, world } = this;
    // Where some data cannot be stored, that is what people do most.
    const edit = world.plan.faults.poison > 0 ? 12 : ISSUE_DEEDS.edit;
    switch (chance.weighed({ ...ISSUE_DEEDS, edit })) {
      case 'wake':
        return { type: 'WAKE', reason: 'asked', source: 'on_demand', human: true };
      case 'machineWake':
        return { type: 'WAKE', reason: `hook ${chance.whole(1, 3)}`, source: 'automation' };
      case 'reopenWake':
        return { type: 'WAKE', reason: 'again', source: 'on_demand', human: true, reopen: true };
      case 'assign':
        return { type: 'ASSIGN', agentId: this.assignee() };
      case 'unassign':
        return { type: 'ASSIGN', agentId: null };
      case 'cancel':
        return { type: 'CANCEL' };
      case 'complete':
        return { type: 'COMPLETE' };
      case 'reopen':
        return { type: 'REOPEN' };
      case 'retryNow':
        return { type: 'RETRY.NOW' };
      case 'retryCancel':
        return { type: 'RETRY.CANCEL' };
      case 'release':
        return { type: 'FORCE_RELEASE' };
      case 'priority':
        return { type: 'PRIORITY', priority: chance.pick(['critical', 'high', 'medium', 'low']) };
      case 'comment':
        return { type: 'COMMENT', body: 'look', ...(chance.is(0.3) ? { reopen: true } : {}) };
      case 'edit':
        return { type: 'EDIT', title: chance.is(world.plan.faults.poison) ? POISON : 'better' };
    }
  }

  /** An agent of this company; now and then one of another, which must be refused. */
  private assignee(): string {
    const { chance, world } = this;
    const company = chance.is(0.05) ? chance.pick(world.companies) : this.company;
    return chance.pick(company.agents).id;
  }

  private touchAgent(): Promise<void> {
    const { chance } = this;
    const agent = chance.pick(this.company.agents);
    const event = {
      pause: { type: 'PAUSE', ...(chance.is(0.3) ? { drain: true } : {}) },
      resume: { type: 'RESUME' },
      terminate: { type: 'TERMINATE' },
      slots: { type: 'UPDATE', maxConcurrentRuns: chance.whole(1, 3) },
    }[chance.weighed({ pause: 4, resume: 6, terminate: this.company.agents.length > 1 ? 0.4 : 0, slots: 2 })];
    return this.send(agent.id, event);
  }

  private async send(actorId: string, event: { type: string }): Promise<void> {
    const { world, chance } = this;
    const key = chance.is(0.9) ? this.key() : null;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const answer = await world.send(actorId, event, this.by, key);
      if (answer === 'final' && !(key !== null && chance.is(0.04))) return;
      // Without a key a repeat could do it twice: such an operator gives up.
      if (key === null) return;
      await world.sleep(chance.wait(BETWEEN_TRIES_MS));
    }
  }

  private key(): string {
    return `${this.by.id}-${++this.keys}`;
  }
}
