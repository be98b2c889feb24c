/**
 * A company on this node: its numbering (A8) and its feed of committed entries. `seq` is given when a batch is sealed,
 * so that a turn refused before that leaves no gap; `committedSeq` is what the world has seen.
 */
import type { Counters } from '../persistence/store.ts';
import { Feed, type FeedMemory } from './feed.ts';

export class Company {
  readonly id: string;
  readonly prefix: string;
  /** Last seq given to a sealed entry. */
  seq: number;
  readonly ordinals: Map<string, number>;
  readonly feed: Feed;

  constructor(counters: Counters, memory: FeedMemory) {
    this.id = counters.companyId;
    this.prefix = counters.prefix;
    this.seq = counters.seq;
    this.ordinals = new Map(Object.entries(counters.ordinals));
    this.feed = new Feed(counters.seq, memory);
  }

  /** The number the next actor of a kind would get, `ahead` births of this turn being before it. */
  nextOrdinal(kind: string, ahead: number): number {
    return (this.ordinals.get(kind) ?? 0) + ahead + 1;
  }
}
