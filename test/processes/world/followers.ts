/** Those who follow what a cluster does: a company of each node, and one issue's journal. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/clock.ts';
import { Follower } from './follower.ts';
import type { Load } from './load.ts';
import type { CampaignPostgres } from './postgres.ts';

/** What was committed last has arrived within this, ms. */
const ARRIVES_WITHIN_MS = 10_000;

export class Followers {
  readonly all: readonly Follower[];

  /** @param every of so many companies one is followed */
  constructor({ companies, doors }: Load, every: number, chance: Random) {
    const followed = companies.filter((_, n) => n % every === 0);
    this.all = [
      ...followed.map(
        ({ id }, n) =>
          new Follower(
            { name: `f${n}`, companyId: id, topic: 'company', actorId: null, isPatient: n > 0 },
            doors,
            chance,
          ),
      ),
      new Follower(
        {
          name: 'journal',
          companyId: followed[0]!.id,
          topic: 'journal',
          actorId: followed[0]!.issues[0]!,
          isPatient: false,
        },
        doors,
        chance,
      ),
    ];
  }

  get changes(): number {
    return this.all.reduce((sum, { changes }) => sum + changes, 0);
  }

  get resumes(): number {
    return this.all.reduce((sum, { resumes }) => sum + resumes, 0);
  }

  /** Waits until each has been sent all there is; whoever has not is found by its check. The database must be at rest. */
  async arrived(postgres: CampaignPostgres): Promise<void> {
    for (const follower of this.all) follower.settle();
    const heads = await Promise.all(this.all.map(({ followed }) => headOf(postgres, followed)));
    const until = performance.now() + ARRIVES_WITHIN_MS;
    while (performance.now() < until) {
      if (this.all.every(({ cursor }, n) => (cursor ?? -1) >= heads[n]!)) return;
      await sleep(20);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((follower) => follower.close()));
  }
}

/** The last number of the topic. */
async function headOf(
  postgres: CampaignPostgres,
  { companyId, actorId }: Follower['followed'],
): Promise<number> {
  const [row] = await postgres.query<{ head: string | null }>(
    actorId === null
      ? "select max(seq) as head from journal where company_id = $1 and actor_id like 'i%'"
      : 'select max(version) as head from journal where actor_id = $1',
    [actorId ?? companyId],
  );
  return Number(row?.head ?? 0);
}
