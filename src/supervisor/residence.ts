/**
 * Which actors are in memory (architecture A7): bounded by bytes, not by their number. An actor is passivated by
 * forgetting it – every turn already saved it.
 *
 * R1 An actor with uncommitted turns, a slot it holds, or a read under way that may bring it – a load, the recovery of its
 *    partition – is never forgotten: what was read may be older than what was forgotten.
 * R2 The rest go when the budget is exceeded, those not used since the last sweep first (second chance).
 */
import type { Resident } from './resident.ts';

/** Fixed cost of a resident actor beside its JSON: objects, map entries (measured, about 0.6 kB). */
const OVERHEAD_BYTES = 600;
/** JSON text to heap: objects cost about twice their text. */
const HEAP_FACTOR = 2;

export class Residence {
  private readonly actors = new Map<string, Resident>();
  private bytes = 0;
  private readonly budget: number;
  private readonly pinned: (actor: Resident) => boolean;
  private readonly forgotten: (id: string) => void;

  /**
   * `budget` in bytes; `pinned` says which actors must stay whatever the budget says; `forgotten` hears of each that a
   * sweep passivated.
   */
  constructor(
    budget: number,
    pinned: (actor: Resident) => boolean,
    forgotten: (id: string) => void = () => {},
  ) {
    this.budget = budget;
    this.pinned = pinned;
    this.forgotten = forgotten;
  }

  get size(): number {
    return this.actors.size;
  }

  get residentBytes(): number {
    return this.bytes;
  }

  get(id: string): Resident | undefined {
    const actor = this.actors.get(id);
    if (actor) actor.used = true;
    return actor;
  }

  add(actor: Resident, textLength: number): void {
    this.actors.set(actor.id, actor);
    this.weigh(actor, textLength);
  }

  /** Tells what an actor's snapshot and head are long now, as JSON text. */
  weigh(actor: Resident, textLength: number): void {
    const bytes = OVERHEAD_BYTES + HEAP_FACTOR * textLength;
    this.bytes += bytes - actor.bytes;
    actor.bytes = bytes;
  }

  remove(id: string): void {
    const actor = this.actors.get(id);
    if (!actor) return;
    this.bytes -= actor.bytes;
    actor.bytes = 0;
    this.actors.delete(id);
  }

  /** Forgets what is over the budget. Cheap when nothing is. */
  sweep(): void {
    if (this.bytes <= this.budget) return;
    const goal = this.budget * 0.9;
    for (let round = 0; round < 2 && this.bytes > goal; round++) {
      for (const actor of this.actors.values()) {
        if (this.bytes <= goal) return;
        if (this.pinned(actor)) continue;
        if (actor.used) {
          actor.used = false;
          continue;
        }
        this.remove(actor.id);
        this.forgotten(actor.id);
      }
    }
  }

  all(): IterableIterator<Resident> {
    return this.actors.values();
  }
}
