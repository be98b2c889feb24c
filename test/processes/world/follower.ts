/**
 * Somebody who follows a topic across all that happens to the nodes: one real WebSocket after another, each with the cursor
 * that the last one came to, at whichever node serves the topic now. All that it is sent is kept, for the check of P8.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import type { Random } from '../../../src/clock.ts';
import type { Listened, Seen } from '../../simulation/world/witness.ts';
import type { Doors } from './doors.ts';

export interface Followed {
  readonly name: string;
  readonly companyId: string;
  readonly topic: 'company' | 'journal';
  /** Of a journal topic. */
  readonly actorId: string | null;
  /**
   * Stays until it is told that its subscription is over, however silent that is: a node that lost the partition has to
   * say so. Who is not patient leaves a silent node, and any node now and again.
   */
  readonly isPatient: boolean;
}

/** What a node sends to a subscription, as far as it matters here. */
interface Sent {
  readonly t: string;
  readonly owner?: string;
  readonly recovered?: boolean;
  readonly seq?: number;
  readonly prev?: number;
  readonly items?: readonly unknown[];
  readonly change?: { readonly seq: number; readonly version: number; readonly issueId: string };
}

/** One connection: what came, and when, epoch ms by this machine's clock, which is the database's too. */
export interface Sitting {
  readonly since: number | null;
  readonly heard: { readonly at: number; readonly sent: Sent }[];
  open: boolean;
}

/** How long who is not patient stays, ms. */
const STAYS_MS = { least: 1000, most: 6000 } as const;
const PATIENCE_MS = 1500;
const AGAIN_MS = 25;

export class Follower {
  readonly followed: Followed;
  readonly sittings: Sitting[] = [];
  /** The number it has come to, as the topic counts. */
  cursor: number | null;
  changes = 0;
  /** Subscriptions that went on from a cursor. */
  resumes = 0;
  readonly #doors: Doors;
  readonly #chance: Random;
  readonly #ended: Promise<void>;
  #place: number | null = null;
  #isSettled = false;
  #isOver = false;
  #leave = () => {};

  constructor(followed: Followed, doors: Doors, chance: Random) {
    this.followed = followed;
    this.cursor = followed.topic === 'journal' ? 0 : null;
    this.#doors = doors;
    this.#chance = chance;
    this.#ended = this.#follow();
  }

  /** Stays where it is from now on, however silent that is. */
  settle(): void {
    this.#isSettled = true;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#leave();
    await this.#ended;
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      const { places } = this.#doors;
      if (this.#place === null || !places.includes(this.#place)) {
        this.#place = places[Math.floor(this.#chance.u() * places.length)] ?? null;
      }
      if (this.#place !== null) {
        const next = await this.#sit(this.#doors.urlOf(this.#place));
        if (next !== 'here') this.#place = (next === null ? null : this.#doors.placeNamed(next)) ?? null;
      }
      await sleep(AGAIN_MS);
    }
  }

  /** One connection from its beginning to its end: the name of the node to ask next, null for any. */
  #sit(url: string): Promise<string | 'here' | null> {
    const sitting: Sitting = { since: this.cursor, heard: [], open: false };
    this.sittings.push(sitting);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, ['baton.v1']);
    const stays = STAYS_MS.least + this.#chance.u() * (STAYS_MS.most - STAYS_MS.least);
    return new Promise((resolve) => {
      let isOver = false;
      let quiet: NodeJS.Timeout | undefined;
      const over = (next: string | 'here' | null) => {
        if (isOver) return;
        isOver = true;
        sitting.open = false;
        clearTimeout(quiet);
        clearTimeout(leaving);
        socket.terminate();
        resolve(next);
      };
      const leaving = setTimeout(() => this.#isSettled || this.followed.isPatient || over('here'), stays);
      /** A node that has not let it in is not waited for, whoever waits. */
      const listen = () => {
        clearTimeout(quiet);
        if (sitting.open && this.followed.isPatient) return;
        quiet = setTimeout(() => (sitting.open && this.#isSettled) || over(null), PATIENCE_MS);
      };
      this.#leave = () => over(null);
      socket.on('error', () => over(null));
      socket.on('close', () => over(null));
      socket.on('open', () => socket.send('{"t":"hello"}'));
      socket.on('message', (data) => {
        if (isOver) return;
        listen();
        const sent = JSON.parse(String(data)) as Sent;
        if (sent.t === 'welcome') {
          const topic = `${this.followed.topic}:${this.followed.actorId ?? this.followed.companyId}`;
          socket.send(JSON.stringify({ t: 'sub', id: 's', topic, since: sitting.since }));
        } else if (sent.t === 'error') {
          over(sent.owner ?? null);
        } else if (sent.t !== 'ping') {
          this.#heard(sitting, sent);
          if (sent.t === 'reset' || sent.t === 'bye') over(null);
        } else {
          socket.send('{"t":"pong"}');
        }
      });
      listen();
    });
  }

  #heard(sitting: Sitting, sent: Sent): void {
    // The clock's milliseconds are cut off, those of a commit are not.
    sitting.heard.push({ at: Date.now() + 1, sent });
    if (sent.t === 'ok') {
      sitting.open = true;
      if (sent.recovered) this.resumes++;
    }
    if (sent.t === 'snapshot') this.cursor = sent.seq!;
    if (sent.t !== 'change') return;
    this.changes++;
    this.cursor = sent.change!.seq;
  }
}

/**
 * What a follower was sent, beside what was committed by then: as the checks of the simulation read it.
 * @param entries the journal, in order of seq
 */
export function asListened(
  { followed, sittings }: Pick<Follower, 'followed' | 'sittings'>,
  entries: readonly Seen[],
): Listened[] {
  const { name, companyId, topic, actorId } = followed;
  const isCompany = topic === 'company';
  const mine = entries.filter(({ row }) =>
    isCompany ? row.companyId === companyId : row.actorId === actorId,
  );
  const orderOf = ({ row }: Seen) => (isCompany ? row.seq : row.version);
  const byOrder = new Map(mine.map((seen) => [orderOf(seen), seen]));
  /** Commits of one company are in order. */
  const headAt = (at: number) => {
    const last = mine.findLast(({ appliedAt }) => appliedAt <= at);
    return last === undefined ? 0 : orderOf(last);
  };
  return sittings.map(({ since, heard, open }, n) => ({
    name: `${name}.${n}`,
    companyId,
    topic,
    actorId,
    where: null,
    since,
    open,
    frames: heard.flatMap(({ at, sent }): Listened['frames'] => {
      switch (sent.t) {
        case 'ok':
          return [{ is: 'opened', recovered: sent.recovered!, seq: sent.seq!, head: headAt(at) }];
        case 'snapshot':
          return [{ is: 'snapshot', seq: sent.seq!, items: sent.items!.map((item) => JSON.stringify(item)) }];
        case 'change': {
          const { seq, version, issueId } = sent.change!;
          const seen = byOrder.get(seq);
          const committed = seen !== undefined && seen.appliedAt <= at;
          const text = JSON.stringify(sent.change);
          return [{ is: 'change', seq, version, actorId: issueId, text, committed, prev: sent.prev! }];
        }
        case 'reset':
          return [{ is: 'reset' }];
        default:
          return [];
      }
    }),
  }));
}

/** Nothing is deleted in a campaign: whoever comes with a cursor must be sent what it missed, and no snapshot. */
export function startedOver(listened: readonly Listened[]): string[] {
  return listened.flatMap(({ name, since, frames }) =>
    (since ?? 0) > 0 && frames.some((frame) => frame.is === 'opened' && !frame.recovered)
      ? [`${name} came with the cursor ${since} and was made to begin anew`]
      : [],
  );
}
