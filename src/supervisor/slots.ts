/**
 * Pools of slots and the claims that wait for one (domain section 4). Not stored: an index over what actors declare
 * (`slot`, `capacity`), changed only inside a turn and rebuilt on takeover. A pool is named after the actor that
 * declares its capacity.
 *
 * L1 A pool never has more than `max` holders through grants: `next()` is the one place that picks, and it picks only
 *    while the pool is open and `held < max`.
 * L2 The smallest rank goes first, ties by id. Claims are served in order of arrival.
 * L3 A turn that is put aside takes its changes back through `undo`, so the index always mirrors adopted states.
 */
import type { Capacity, PoolState, Slot } from '../machines/kind.ts';
import type { PendingClaim } from './claims.ts';
import { Heap } from './heap.ts';

export interface Pool {
  readonly id: string;
  readonly wants: Heap;
  readonly holds: Set<string>;
  /** Null until the actor that declares it was loaded. */
  capacity: Capacity | null;
  readonly claims: Set<PendingClaim>;
  /** Epoch ms of the last claim's end or heartbeat, 0 for never. */
  seenAt: number;
  /** Whoever was heard of last is known to be gone: its connection closed, or its lease ran out. */
  gone: boolean;
}

export class Slots {
  private readonly pools = new Map<string, Pool>();
  private readonly places = new Map<string, Slot>();

  pool(id: string): Pool {
    let pool = this.pools.get(id);
    if (!pool) {
      pool = {
        id,
        wants: new Heap(),
        holds: new Set(),
        capacity: null,
        claims: new Set(),
        seenAt: 0,
        gone: false,
      };
      this.pools.set(id, pool);
    }
    return pool;
  }

  all(): IterableIterator<Pool> {
    return this.pools.values();
  }

  find(id: string): Pool | undefined {
    return this.pools.get(id);
  }

  slotOf(actorId: string): Slot | null {
    return this.places.get(actorId) ?? null;
  }

  /** Puts an actor into its place, taking it out of its former one. Answers that one, for `undo`. */
  place(actorId: string, slot: Slot | null): Slot | null {
    const before = this.places.get(actorId) ?? null;
    if (
      before &&
      slot &&
      before.pool === slot.pool &&
      before.mode === slot.mode &&
      before.rank === slot.rank
    ) {
      if (before.claim !== slot.claim) this.places.set(actorId, slot);
      return before;
    }
    if (before) {
      const pool = this.pool(before.pool);
      if (before.mode === 'wants') pool.wants.delete(actorId);
      else pool.holds.delete(actorId);
    }
    if (slot) {
      const pool = this.pool(slot.pool);
      if (slot.mode === 'wants') pool.wants.set(actorId, slot.rank);
      else pool.holds.add(actorId);
      this.places.set(actorId, slot);
    } else {
      this.places.delete(actorId);
    }
    return before;
  }

  /** Sets what a pool offers. Answers what it offered before. */
  offer(capacity: Capacity): Capacity | null {
    const pool = this.pool(capacity.pool);
    const before = pool.capacity;
    pool.capacity = capacity;
    return before;
  }

  /** Takes back what a pool offered: the actor that declared it is none after all. */
  retract(id: string): void {
    const pool = this.pools.get(id);
    if (!pool) return;
    pool.capacity = null;
    this.tidy(id);
  }

  /** A claim of the pool ended, or a holder's lease was renewed. */
  heard(id: string, now: number): void {
    const pool = this.pool(id);
    pool.seenAt = now;
    pool.gone = false;
  }

  /** A claimant's connection closed, or a holder's lease ran out: where nobody else claims or holds, nobody is there. */
  left(id: string): void {
    const pool = this.pools.get(id);
    if (pool && pool.claims.size === 0 && pool.holds.size === 0) pool.gone = true;
  }

  /**
   * What `view` may know of a pool; online when somebody claims, or was heard within `onlineMs` before `now` and is not
   * known to be gone.
   */
  stateOf(id: string, now: number, onlineMs: number): PoolState | null {
    const pool = this.pools.get(id);
    if (!pool?.capacity) return null;
    return {
      max: pool.capacity.max,
      held: pool.holds.size,
      wanting: pool.wants.size,
      open: pool.capacity.open,
      closed: pool.capacity.closed,
      online: pool.claims.size > 0 || (!pool.gone && pool.seenAt > 0 && now - pool.seenAt < onlineMs),
      asking: pool.claims.size > 0,
      seenAt: pool.seenAt === 0 ? null : pool.seenAt,
    };
  }

  /** Takes out every actor and claim of the given partition (by id test), when it is lost. */
  forget(belongs: (id: string) => boolean): void {
    for (const id of [...this.places.keys()]) if (belongs(id)) this.place(id, null);
    for (const id of [...this.pools.keys()]) if (belongs(id)) this.pools.delete(id);
  }

  /** Drops a pool nobody wants, holds or claims anything of: it is made again when needed. */
  tidy(id: string): void {
    const pool = this.pools.get(id);
    if (pool && pool.wants.size === 0 && pool.holds.size === 0 && pool.claims.size === 0)
      this.pools.delete(id);
  }
}
