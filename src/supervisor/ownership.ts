/**
 * Which partitions this node owns (architecture A1; guarantees, "Fencing on Postgres"). The node says that it lives
 * every fifth of the TTL, looks for partitions nobody owns, and stops serving by its own monotonic clock at
 * *heartbeat sent + TTL − margin*, whatever the database says later.
 */
import { PARTITIONS } from '../ids.ts';
import type { Node } from './node.ts';
import { recover, SWEEP_MS, sweep } from './recovery.ts';

/** How often partitions without an owner are looked for, ms. */
const LOOK_MS = 200;
/** The part of the TTL that is kept as margin against a clock that runs slow and a loop that is late. */
const MARGIN = 0.2;

export class Ownership {
  /** Monotonic ms until which this node may serve. */
  private servingUntil = Number.NEGATIVE_INFINITY;
  /** What the database's clock said at the last beat, epoch ms. */
  private beatenAt = Number.POSITIVE_INFINITY;
  /** How often the lease was found to have run out. */
  private lapses = 0;
  private stopped = false;
  private beating = false;
  private looking = false;
  /** The look under way, or the last one. */
  private looked: Promise<void> = Promise.resolve();
  /** Partitions that were given after it was stopped. */
  private late: readonly number[] = [];
  private readonly callOffs = new Map<string, () => void>();
  private readonly node: Node;
  private readonly ttlMs: number;
  /** What was recovered so far, for the first lines a person sees. */
  readonly recovered = { live: 0, timers: 0 };
  lastError: string | null = null;

  constructor(node: Node, ttlMs: number) {
    this.node = node;
    node.serving = () => this.serving;
    this.ttlMs = ttlMs;
  }

  start(): void {
    void this.beat();
    this.every('sweep', SWEEP_MS, () => this.sweepAll());
    this.every('watch', Math.max(10, this.ttlMs / 20), async () => this.watch());
  }

  /** True while the lease holds by the monotonic clock. */
  get serving(): boolean {
    return this.node.clock.monotonic() < this.servingUntil;
  }

  /** Gives everything up so that another node takes over at once; bounded by the caller. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const callOff of this.callOffs.values()) callOff();
    await this.looked;
    const owned = [...this.node.partitions.keys(), ...this.late];
    if (owned.length > 0) await this.node.store.release(this.node.node, owned);
  }

  /** Falls silent without giving anything up: what a crash looks like to the others (simulation). */
  abandon(): void {
    this.stopped = true;
    for (const callOff of this.callOffs.values()) callOff();
  }

  private every(name: string, ms: number, f: () => Promise<void>): void {
    const run = () => {
      if (this.stopped) return;
      void f().finally(() => {
        if (!this.stopped) this.callOffs.set(name, this.node.clock.after(ms, run));
      });
    };
    this.callOffs.set(name, this.node.clock.after(ms, run));
  }

  private async beat(): Promise<void> {
    if (this.stopped || this.beating) return;
    this.beating = true;
    const { clock, store } = this.node;
    const sentAt = clock.monotonic();
    let ok = false;
    try {
      const { databaseNow } = await store.beat(this.node.node);
      clock.anchor(databaseNow, clock.monotonic());
      // A node that was stopped for longer than its lease may be answered before its watch comes round. What it held may
      // have another owner by now, and this beat must not make it believe otherwise: it gives up and asks anew.
      this.watch();
      // The monotonic clock of a machine that was suspended stood still with it. By the database's clock, which others
      // go by, a whole TTL lay between two beats all the same.
      if (databaseNow - this.beatenAt > this.ttlMs) this.lapse();
      this.beatenAt = databaseNow;
      this.servingUntil = Math.max(this.servingUntil, sentAt + this.ttlMs * (1 - MARGIN));
      this.lastError = null;
      ok = true;
    } catch (error) {
      this.lastError = error instanceof Error ? error.message : String(error);
    }
    this.beating = false;
    if (this.stopped) return;
    if (ok) this.lookAgain();
    this.callOffs.set(
      'beat',
      clock.after(ok ? this.ttlMs / 5 : Math.min(LOOK_MS, this.ttlMs / 10), () => void this.beat()),
    );
  }

  private lookAgain(): void {
    if (!this.stopped && !this.looking) this.looked = this.look();
  }

  /** Takes what nobody owns, now and again until everything has an owner. */
  private async look(): Promise<void> {
    if (this.node.ownsAll || !this.serving) return;
    this.looking = true;
    try {
      const { store, node } = this.node;
      const { lapses } = this;
      const owned = await store.acquire(node, this.ttlMs, PARTITIONS, this.node.owned);
      if (this.stopped) this.late = owned.map(({ partition }) => partition);
      // An answer from before the lease ran out is worth nothing: another node may have come in between.
      if (owned.length > 0 && !this.stopped && this.serving && lapses === this.lapses) {
        const partitions = this.node.take(owned);
        void recover(this.node, partitions).then(({ live, timers }) => {
          this.recovered.live += live;
          this.recovered.timers += timers;
        });
      }
    } catch (error) {
      this.lastError = error instanceof Error ? error.message : String(error);
    }
    this.looking = false;
    if (!this.stopped && !this.node.ownsAll) {
      // A beat looks too: the look that was to come is put off, else there would be one chain of them more with each.
      this.callOffs.get('look')?.();
      this.callOffs.set(
        'look',
        this.node.clock.after(LOOK_MS, () => this.lookAgain()),
      );
    }
  }

  private async sweepAll(): Promise<void> {
    try {
      if (this.node.partitions.size > 0) await sweep(this.node, this.node.owned);
    } catch (error) {
      this.node.log('warn', 'reading the next timers failed; the next sweep makes it up', {
        error: String(error),
      });
    }
  }

  /** The lease ran out without an answer: nothing is ours any more. */
  private watch(): void {
    if (!this.serving) this.lapse();
  }

  private lapse(): void {
    this.lapses++;
    if (this.node.partitions.size === 0) return;
    this.node.log('warn', 'the node lease ran out: giving up all partitions', {
      partitions: this.node.partitions.size,
      error: this.lastError,
    });
    this.node.loseAll();
  }
}
