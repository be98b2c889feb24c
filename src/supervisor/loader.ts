/**
 * Brings actors into memory, many at a time (architecture A7). Asking for an actor that is already on its way joins
 * that load.
 */
import type { Clock } from '../clock.ts';
import type { ActorRow, Store } from '../persistence/store.ts';

/** Actors per statement. */
const MOST_PER_LOAD = 500;
/** How long a load is tried again before whoever waits is told that the database does not answer, ms. */
const PATIENCE_MS = 2000;
const RETRY_MS = 50;

export class Loader {
  private readonly underWay = new Map<string, Promise<boolean>>();
  private next: { ids: string[]; done: Promise<Set<string>> } | null = null;
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly ownership: (id: string) => unknown;
  private readonly arrived: (row: ActorRow) => object | null;

  /**
   * `arrived` is called for each row found, before the load is answered (null: of no use) – unless `ownership`, an object for
   * as long as the actor's partition is owned without a break, is another one by then: the row may be of before another
   * owner. It is read again where the partition is owned again (undefined: it is not).
   */
  constructor(
    store: Store,
    clock: Clock,
    ownership: (id: string) => unknown,
    arrived: (row: ActorRow) => object | null,
  ) {
    this.store = store;
    this.clock = clock;
    this.ownership = ownership;
    this.arrived = arrived;
  }

  /** True while the actor is on its way: it must not be forgotten meanwhile (R1). */
  loading(id: string): boolean {
    return this.underWay.has(id);
  }

  /**
   * Loads the actors; answers those that do not exist.
   * @throws Error when the database does not answer within `PATIENCE_MS`.
   */
  async load(ids: readonly string[]): Promise<string[]> {
    const absent: string[] = [];
    await Promise.all(
      ids.map(async (id) => {
        let load = this.underWay.get(id);
        if (!load) {
          load = this.join(id);
          this.underWay.set(id, load);
        }
        if (!(await load)) absent.push(id);
      }),
    );
    return absent;
  }

  private async join(id: string): Promise<boolean> {
    if (!this.next || this.next.ids.length >= MOST_PER_LOAD) {
      const ids: string[] = [];
      this.next = { ids, done: Promise.resolve().then(() => this.run(ids)) };
    }
    const batch = this.next;
    batch.ids.push(id);
    try {
      return (await batch.done).has(id);
    } finally {
      this.underWay.delete(id);
    }
  }

  private async run(ids: string[]): Promise<Set<string>> {
    if (this.next?.ids === ids) this.next = null;
    const since = this.clock.monotonic();
    const found = new Set<string>();
    for (let wanted = ids; ; ) {
      try {
        const owned = new Map(wanted.map((id) => [id, this.ownership(id)]));
        const rows = await this.store.load(wanted);
        const moved = (id: string) => owned.get(id) !== this.ownership(id);
        for (const row of rows) {
          // One that is of no use here (of a kind this node does not know) is as good as none: asked for again, it would
          // be of no use again.
          if (moved(row.id) || this.arrived(row)) found.add(row.id);
        }
        // Lost and taken again meanwhile: whoever asked since then has joined this load, and asked for what is so now.
        wanted = wanted.filter((id) => moved(id) && this.ownership(id) !== undefined);
        if (wanted.length === 0) return found;
        for (const id of wanted) found.delete(id);
      } catch (error) {
        if (this.clock.monotonic() - since > PATIENCE_MS) throw error;
        await new Promise<void>((resolve) => this.clock.after(RETRY_MS, resolve));
      }
    }
  }
}
