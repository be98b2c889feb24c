/** A client with a good credential and bad intentions: other companies' issues, events from inside, texts that are no frames. */
import type { Chance } from './chance.ts';
import { ClientSocket, eventBySocket } from './client-socket.ts';
import type { Company, World } from './world.ts';

const MEAN_WAIT_MS = 1500;

/** What no client may say: the runtime's own events, and XState's. */
const INSIDE = [
  { type: 'GRANT', claim: 'x' },
  { type: 'LEASE.EXPIRED' },
  { type: 'RETRY.DUE' },
  { type: 'AGENT.TERMINATED' },
  { type: 'xstate.after.retryDelay.issue.scheduled-retry' },
  { type: 'xstate.init' },
  { type: 'xstate.stop' },
];
const NO_FRAMES = [
  '',
  '{',
  'null',
  '[]',
  '{"t":"event"}',
  '{"t":7,"id":"x"}',
  `${'['.repeat(5000)}`,
  '{"t":"ev\\u0000',
];

export class Intruder {
  private readonly company: Company;
  private readonly socket: ClientSocket;
  private readonly world: World;
  private readonly chance: Chance;

  constructor(world: World) {
    this.world = world;
    this.chance = world.chance.split('intruder');
    this.company = this.chance.pick(world.companies);
    const principal = {
      role: 'operator',
      id: 'intruder',
      companyId: this.company.id,
      agentId: null,
      keyId: null,
    } as const;
    this.socket = new ClientSocket(world, this.chance, principal, () => {});
  }

  async live(): Promise<void> {
    const { world, chance } = this;
    while (world.active) {
      await world.sleep(chance.wait(MEAN_WAIT_MS));
      await this.act();
    }
  }

  private async act(): Promise<void> {
    const { world, chance, company, socket } = this;
    const host = chance.pick(world.hosts);
    const foreign = world.companies.filter((other) => other !== company).flatMap((other) => other.issues);
    const deed = chance.weighed({ foreign: foreign.length > 0 ? 2 : 0, inside: 2, noise: 1 });
    if (deed === 'noise') return socket.throwAt(host, chance.pick(NO_FRAMES));
    const issues = deed === 'foreign' ? foreign : company.issues;
    if (issues.length === 0) return;
    await eventBySocket(world, socket, host, {
      by: 'intruder',
      of: company.id,
      issueId: chance.pick(issues),
      event: deed === 'foreign' ? ({ type: 'COMMENT', body: 'mine' } as never) : chance.pick(INSIDE),
      key: null,
    });
  }
}
