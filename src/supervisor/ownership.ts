/**
 * Which partitions this node owns (architecture A1; guarantees, "Fencing on Postgres"). The node says that it lives
 * every fifth of the TTL, looks for partitions nobody owns, and stops serving by its own monotonic clock at
 * *heartbeat sent + TTL − margin*, whatever the database says later. What it holds is compared with what the database
 * says is its own at every beat; while others may take it for gone (`onDoubt`) it serves nothing.
 */
import { PARTITIONS } from '../ids.ts';
import type { Node } from './node.ts';
import { recover, SWEEP_MS, sweep } from './recovery.ts';

/** Heartbeats are this part of the TTL apart. */
export const BEAT_EVERY = 1 / 5;
/** How often partitions without an owner are looked for, ms. */
const LOOK_MS = 200;
/** Wait after reading the next timers failed, ms; doubled as often as it fails again, up to the second. */
const SWEEP_AGAIN_MS = [500, 2000] as const;
/** The part of the TTL that is kept as margin against a clock that runs slow and a loop that is late. */
const MARGIN = 0.2;

export class Ownership {
  /** Monotonic ms until which this node may serve. */
  private servingUntil = Number.NEGATIVE_INFINITY;
  /** What the database's clock said at the last beat, epoch ms. */
  private beatenAt = Number.POSITIVE_INFINITY;
  /** How often the lease was found to have run out. */
  private lapses = 0;
  /** Of these, up to the last beat that was answered. */
  private lapsesSeen = 0;
  /** Sweeps that failed in a row. */
  private sweepsFailed = 0;
  /** How often others may have taken this node for gone, and up to which of these it has asked what is still its own. */
  private doubts = 0;
  private resolved = 0;
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
  /** Why the last beat and the last look failed, for the log; absent where they did not. */
  private readonly troubles = new Map<'beat' | 'look', string>();

  constructor(node: Node, ttlMs: number) {
    this.node = node;
    node.serving = () => this.serving;
    node.dropped = () => this.lookSoon();
    node.store.onDoubt(node.node, () => this.doubt());
    this.ttlMs = ttlMs;
  }

  start(): void {
    void this.beat();
    this.every('sweep', SWEEP_MS, () => this.sweepAll());
    const watch = Math.max(10, this.ttlMs / 20);
    this.every('watch', watch, async () => {
      this.watch();
      return watch;
    });
  }

  /** True while the lease holds and nobody may take this node for gone. */
  get serving(): boolean {
    return this.leased && this.doubts === this.resolved;
  }

  /** True while the lease holds by the monotonic clock. */
  private get leased(): boolean {
    return this.node.clock.monotonic() < this.servingUntil;
  }

  /** Others may take this node for gone: a beat says otherwise, and what they took meanwhile is asked for. */
  private doubt(): void {
    this.doubts++;
    if (this.stopped || this.beating) return;
    this.callOffs.get('beat')?.();
    void this.beat();
  }

  /** Drops what the database says is another's, though no commit has been refused for it yet. */
  private async compare(): Promise<void> {
    const { node } = this;
    const { epochs: held } = node.held;
    const lost: number[] = [];
    for (const { partition, owner, epoch } of await node.store.owners([...held.keys()])) {
      const mine = held.get(partition);
      if ((owner !== node.node || epoch !== mine) && node.epochOf(partition) === mine) lost.push(partition);
    }
    if (lost.length > 0) node.lost(lost);
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

  /** `f` answers how long to wait until it is called again, ms. */
  private every(name: string, ms: number, f: () => Promise<number>): void {
    const run = () => {
      if (this.stopped) return;
      void f().then((wait) => {
        if (!this.stopped) this.callOffs.set(name, this.node.clock.after(wait, run));
      });
    };
    this.callOffs.set(name, this.node.clock.after(ms, run));
  }

  private async beat(): Promise<void> {
    if (this.stopped || this.beating) return;
    this.beating = true;
    const { clock, store } = this.node;
    const sentAt = clock.monotonic();
    const { doubts } = this;
    let ok = false;
    try {
      const { databaseNow, owned } = await store.beat(this.node.node);
      clock.anchor(databaseNow, clock.monotonic());
      // A node that was stopped for longer than its lease may be answered before its watch comes round. What it held may
      // have another owner by now, and this beat must not make it believe otherwise: it gives up and asks anew.
      this.watch();
      // The monotonic clock of a machine that was suspended stood still with it. By the database's clock, which others
      // go by, a whole TTL lay between two beats all the same.
      if (databaseNow - this.beatenAt > this.ttlMs) this.lapse();
      // What was sent before the lease ran out may never be answered, and what is taken now must not wait for that.
      if (this.lapses !== this.lapsesSeen && Number.isFinite(this.beatenAt)) store.renew();
      this.lapsesSeen = this.lapses;
      this.beatenAt = databaseNow;
      if (doubts !== this.resolved || owned < this.node.partitions.size) await this.compare();
      this.resolved = doubts;
      this.servingUntil = Math.max(this.servingUntil, sentAt + this.ttlMs * (1 - MARGIN));
      this.troubles.delete('beat');
      ok = true;
    } catch (error) {
      this.trouble('beat', error);
    }
    this.beating = false;
    if (this.stopped) return;
    if (ok) this.lookAgain();
    const soon = Math.min(LOOK_MS, this.ttlMs / 10);
    const wait = !ok ? soon : this.doubts === this.resolved ? this.ttlMs * BEAT_EVERY : 0;
    this.callOffs.set(
      'beat',
      clock.after(wait, () => void this.beat()),
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
      this.troubles.delete('look');
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
      this.trouble('look', error);
    }
    this.looking = false;
    if (!this.node.ownsAll) this.lookSoon();
  }

  /** Told when it begins and when its cause is another one, not at every try: those are a fraction of a second apart. */
  private trouble(of: 'beat' | 'look', error: unknown): void {
    // That of a name with several addresses has no message, only what became of each.
    const cause =
      (error instanceof Error && error.message) || String((error as { code?: string }).code ?? error);
    if (this.troubles.get(of) === cause) return;
    this.troubles.set(of, cause);
    this.node.log('warn', 'the database does not answer', { error: cause });
  }

  private lookSoon(): void {
    if (this.stopped) return;
    // A beat looks too: the look that was to come is put off, else there would be one chain of them more with each.
    this.callOffs.get('look')?.();
    this.callOffs.set(
      'look',
      this.node.clock.after(LOOK_MS, () => this.lookAgain()),
    );
  }

  /** Reads the timers of the next horizon. A timer that was not read fires late: what failed is soon tried again. */
  private async sweepAll(): Promise<number> {
    try {
      if (this.node.partitions.size > 0) await sweep(this.node, this.node.owned);
      this.sweepsFailed = 0;
      return SWEEP_MS;
    } catch (error) {
      const [least, most] = SWEEP_AGAIN_MS;
      const wait = Math.min(most, least * 2 ** this.sweepsFailed++);
      this.node.log('warn', 'reading the next timers failed and is tried again', {
        error: String(error),
        inMs: wait,
      });
      return wait;
    }
  }

  /** The lease ran out without an answer: nothing is ours any more. */
  private watch(): void {
    if (!this.leased) this.lapse();
  }

  private lapse(): void {
    this.lapses++;
    if (this.node.partitions.size === 0) return;
    this.node.log('warn', 'the node lease ran out: giving up all partitions', {
      partitions: this.node.partitions.size,
      error: this.troubles.get('beat') ?? null,
    });
    this.node.loseAll();
  }
}
