/** Where faults happen: a cluster under load, and what was seen of it. */

import type { EventAnswer } from '../../../src/client/index.ts';
import type { Random } from '../../../src/clock.ts';
import { partitionOf } from '../../../src/ids.ts';
import type { IssueEvent } from '../../../src/machines/events.ts';
import { Cluster, type ClusterPlan } from './cluster.ts';
import { Followers } from './followers.ts';
import { FLAGS, judge, rested } from './history.ts';
import { Load, type LoadCompany } from './load.ts';
import { Starvation } from './starvation.ts';

/** A takeover may take the TTL and this, ms (P13). */
export const TAKEOVER_MARGIN_MS = 500;
/** How long anything may take to heal once its fault is over, ms: a statement in a black hole is given 10 s. */
const HEALS_WITHIN_MS = 20_000;

const COMPANIES_PER_NODE = 2;
const ASK_MS = 10_000;
/** The machine has time to spare where somebody waited for a processor for less than this share of the time. */
const CALM = 0.3;

export class Arena {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly chance: Random;
  readonly violations: string[] = [];
  /** From the fault to the first acknowledged event of another owner, ms. */
  readonly takeovers: number[] = [];
  /** Those of them after a kill −9, which need not wait for the TTL. */
  readonly afterKill: number[] = [];
  /** Those of them during which the machine had time to spare. */
  readonly calmTakeovers: number[] = [];
  faults = 0;
  #followers: Followers | null = null;
  readonly #starvation = new Starvation();
  /** What a takeover may take beyond the TTL here, ms. */
  readonly marginMs: number;
  #probes = 0;

  private constructor(cluster: Cluster, load: Load, chance: Random, marginMs: number) {
    this.marginMs = marginMs;
    this.cluster = cluster;
    this.load = load;
    this.chance = chance;
  }

  /** @param marginMs what a takeover may take beyond the TTL, ms */
  static async open(plan: ClusterPlan, chance: Random, marginMs = TAKEOVER_MARGIN_MS): Promise<Arena> {
    const cluster = await Cluster.open({ ...plan, flags: { ...FLAGS, ...plan.flags } });
    const load = new Load(chance);
    const arena = new Arena(cluster, load, chance, marginMs);
    try {
      await load.start(cluster, COMPANIES_PER_NODE);
      arena.#followers = new Followers(load, COMPANIES_PER_NODE, chance);
    } catch (error) {
      await arena.close();
      throw error;
    }
    return arena;
  }

  one<T>(from: readonly T[]): T {
    return from[Math.floor(this.chance.u() * from.length)]!;
  }

  /** The place of the node that owns the company by the database; undefined: none that we know. */
  async ownerOf(company: LoadCompany): Promise<number | undefined> {
    const [row] = await this.cluster.postgres.query<{ owner: string | null }>(
      'select owner from partitions where partition = $1',
      [partitionOf(company.id)],
    );
    return this.load.doors.placeNamed(row?.owner ?? '');
  }

  /** A node that is awake and owns one of the companies; and that company. */
  async victim(): Promise<{ place: number; company: LoadCompany }> {
    for (;;) {
      const company = this.one(this.load.companies);
      const place = await this.ownerOf(company);
      if (place !== undefined && this.cluster.awake.includes(place)) return { place, company };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /**
   * Asks all other nodes for the company until one of them acknowledges an event: what a takeover takes. Too slow is a
   * violation; what the machine had no processor for is not held against it.
   * @param heardMs for how long the database still heard the old owner after `since`
   */
  async takenOver(company: LoadCompany, from: number, since: number, heardMs = 0): Promise<number> {
    const starvedBefore = this.#starvation.ms;
    const issueId = this.one(company.issues);
    const key = `t${++this.#probes}`;
    const event: IssueEvent = {
      type: 'PRIORITY',
      priority: this.one(['critical', 'high', 'medium', 'low'] as const),
    };
    let over = false;
    const until = since + HEALS_WITHIN_MS;
    const probe = async (place: number) => {
      while (!over && performance.now() < until) {
        const answer = await this.ask(place, issueId, event, key);
        if (answer !== null && !over) {
          over = true;
          return { answer, place, ms: performance.now() - since };
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return null;
    };
    // All at once: one that waits for something must not keep another's answer from being seen.
    const places = this.load.doors.places.filter((other) => other !== from);
    const first = await firstOf(places.map(probe));
    over = true;
    if (first === null) {
      this.violations.push(`nobody took ${company.id} over within ${HEALS_WITHIN_MS} ms`);
      return Number.POSITIVE_INFINITY;
    }
    this.load.tell(issueId, event.type, key, { is: 'answered', ...first });
    this.takeovers.push(first.ms);
    const most = heardMs + this.cluster.plan.ttlMs + this.marginMs;
    const starvedMs = this.#starvation.ms - starvedBefore;
    if (starvedMs < first.ms * CALM) this.calmTakeovers.push(first.ms);
    if (first.ms > most + starvedMs)
      this.violations.push(
        `a takeover took ${first.ms.toFixed(0)} ms, more than ${most} (for ${starvedMs.toFixed(0)} ms no processor was free)`,
      );
    return first.ms;
  }

  /** One event over HTTP to the node at this place; null: it was not accepted, or nobody answered for 10 s. */
  async ask(place: number, issueId: string, event: IssueEvent, key: string): Promise<EventAnswer | null> {
    try {
      const answer = await fetch(`${this.load.doors.urlOf(place)}/v1/issues/${issueId}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(ASK_MS),
      });
      const body = (await answer.json()) as EventAnswer;
      return answer.status === 200 ? body : null;
    } catch {
      return null;
    }
  }

  /** Every company is answered again: the fault has healed by itself. */
  async healed(what: string): Promise<void> {
    const left = await this.load.everyoneHeard(HEALS_WITHIN_MS);
    if (left.length > 0)
      this.violations.push(
        `${what}: ${left.length} companies were not answered within ${HEALS_WITHIN_MS} ms`,
      );
  }

  /** Lets everything come to rest, ends the load and asks every check. */
  async verdict(): Promise<{ entries: number; fired: number; lost: number }> {
    // Every retry that waits has to come due, be claimed and end: one that nobody waits for any more never would.
    await this.load.calmDown();
    this.violations.push(...(await rested(this.cluster.postgres)));
    await this.followers.arrived(this.cluster.postgres);
    await this.load.stop();
    const { postgres } = this.cluster;
    const { findings, entries, fired } = await judge(postgres, this.load.told, this.followers.all);
    for (const { check, text } of findings) this.violations.push(`${check}: ${text}`);
    const lost = findings.filter(({ text }) => /not in the journal|not stored/.test(text)).length;
    return { entries, fired, lost };
  }

  /** Who follows what the load does. */
  get followers(): Followers {
    if (this.#followers === null) throw new Error('the load has not begun');
    return this.#followers;
  }

  async close(): Promise<void> {
    this.#starvation.stop();
    await this.#followers?.close();
    this.load.doors.close();
    await this.cluster.close();
    await this.load.stop();
  }
}

/** The first that is not null; null when none is. */
function firstOf<T>(asked: readonly Promise<T | null>[]): Promise<T | null> {
  return new Promise((resolve, reject) => {
    for (const one of asked) one.then((answer) => answer !== null && resolve(answer), reject);
    void Promise.all(asked).then(() => resolve(null), reject);
  });
}
