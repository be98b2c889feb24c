/**
 * A node: the only mutable state of the runtime, put together (architecture, rooms). It owns partitions, makes turns of
 * what comes in, hands them to the lanes, and lets the world know of what has landed.
 *
 *   call ─► mailbox of its partition ─► makeTurn ─► adopt ─► lane ─► landed: answers, grants, publish, stops
 *                   ▲    │ missing: load, then again
 *   timers, leases ─┘    └ thrown: quarantine, then again
 */
import type { Clock, Random } from '../clock.ts';
import { PARTITIONS, partitionOf } from '../ids.ts';
import type { ActorRow, Held, Owned, Store } from '../persistence/store.ts';
import { Alarms } from './alarms.ts';
import type { PendingClaim } from './claims.ts';
import type { Company } from './company.ts';
import type { Turn } from './draft.ts';
import { FeedMemory } from './feed.ts';
import { fail, land } from './landing.ts';
import { type LandedTurn, Lane, type LaneRoom, type Rejection } from './lane.ts';
import { Loader } from './loader.ts';
import { Mailbox } from './mailbox.ts';
import type { Gauges, Meter } from './meter.ts';
import { Partition } from './partition.ts';
import { poison } from './poison.ts';
import { draining, unavailable } from './refusals.ts';
import { Residence } from './residence.ts';
import { type AnyKind, earliest, Resident, revive, type Version } from './resident.ts';
import type { Refusal } from './router.ts';
import { RunLeases } from './run-leases.ts';
import { Sessions } from './sessions.ts';
import { Showing } from './showing.ts';
import { Slots } from './slots.ts';
import { Timers } from './timers.ts';
import type { TurnRoom } from './turn.ts';

/** Two connections commit, partition → lane by remainder (A4): more cost MultiXacts and gain nothing on 2–4 cores. */
export const LANES = 2;
/** Timers due within this many ms are in memory (A6). */
export const HORIZON_MS = 60_000;
/** Uncommitted turns of a lane beyond which new work is refused (A5). */
const MOST_BACKLOG = 20_000;
/** New work is refused once the database has been silent for this long, ms. */
const SILENCE_MS = 1000;

export interface NodeOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly meter: Meter;
  readonly kinds: readonly AnyKind[];
  /** Fresh per boot. */
  readonly name: string;
  readonly residentBytes: number;
  /** Something a person should know happened. */
  log(level: 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): void;
}

export class Node implements LaneRoom, TurnRoom {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly meter: Meter;
  readonly node: string;
  readonly log: NodeOptions['log'];
  readonly kinds: ReadonlyMap<string, AnyKind>;
  readonly partitions = new Map<number, Partition>();
  readonly slots = new Slots();
  readonly sessions = new Sessions();
  readonly feedMemory = new FeedMemory();
  readonly residence: Residence;
  readonly timers: Timers;
  readonly leases: RunLeases;
  readonly showing: Showing;
  readonly loader: Loader;
  readonly lanes: readonly Lane[];
  readonly mailbox = new Mailbox(this);
  readonly alarms = new Alarms(this);
  draining = false;
  /** True while the node's lease holds by its monotonic clock: said by its ownership. */
  serving: () => boolean = () => true;
  /** Hears that partitions were lost, which nobody may own by now. */
  dropped: () => void = () => {};
  /** True for a row that the database was asked to delete, whatever became of that: said by retention. */
  condemned: (row: ActorRow) => boolean = () => false;
  /** Timers due before this (epoch ms) are in the heap. */
  horizon = 0;
  quarantines = 0;

  constructor(options: NodeOptions) {
    this.store = options.store;
    this.clock = options.clock;
    this.random = options.random;
    this.meter = options.meter;
    this.node = options.name;
    this.log = options.log;
    this.kinds = new Map(options.kinds.map((kind) => [kind.kind, kind]));
    this.timers = new Timers(this.clock, (key, due) => this.alarms.fired(key, due));
    this.leases = new RunLeases(this.clock, this.timers);
    this.showing = new Showing(this.clock, this.slots, this.leases);
    this.loader = new Loader(
      this.store,
      this.clock,
      (id) => this.partitions.get(partitionOf(id)),
      (row) => this.arrived(row),
    );
    this.residence = new Residence(
      options.residentBytes,
      (actor) =>
        actor.pending !== null ||
        actor.quarantine !== null ||
        this.slots.slotOf(actor.id)?.mode === 'holds' ||
        this.loader.loading(actor.id) ||
        this.partitions.get(actor.partition)?.state === 'recovering' ||
        this.mailbox.needs(actor.id),
      (id) => this.slots.tidy(id),
    );
    this.lanes = Array.from({ length: LANES }, () => new Lane(this));
  }

  // -- what comes in -------------------------------------------------------------------------

  /** The partition if it may be asked now, else why not. Waits for none. */
  partition(id: string): Partition | Refusal {
    if (this.draining) return draining();
    const partition = this.partitions.get(partitionOf(id));
    if (!partition) return unavailable('another node owns this partition, or none yet');
    return partition;
  }

  /** Refuses outside work while the database cannot keep up; what the runtime itself does goes on. */
  overload(partition: number): Refusal | null {
    const lane = this.laneOf(partition);
    if (lane.silentMs > SILENCE_MS) return unavailable('the database does not answer');
    if (lane.backlog > MOST_BACKLOG) return unavailable('too much is waiting to be committed');
    return null;
  }

  laneOf(partition: number): Lane {
    return this.lanes[partition % LANES]!;
  }

  // -- TurnRoom ------------------------------------------------------------------------------

  renewed(actor: Resident, runId: string, progress: number | undefined, note: string | undefined): void {
    this.leases.renew(actor.id, runId, progress, note);
    const pool = this.slots.slotOf(actor.id)?.pool;
    if (pool !== undefined) this.slots.heard(pool, this.clock.now());
    actor.shown = null;
  }

  ignored(type: string): void {
    this.meter.ignored(type);
  }

  // -- LaneRoom ------------------------------------------------------------------------------

  epochOf(partition: number): number | undefined {
    return this.partitions.get(partition)?.epoch;
  }

  showView(actor: Resident, version: Version): string {
    return actor.committed === version ? this.showing.committed(actor) : this.showing.view(actor, version);
  }

  landed(turns: readonly LandedTurn[]): void {
    land(this, turns);
  }

  poisoned(turn: Turn, dependents: readonly Turn[], rejection: Rejection): void {
    poison(this, turn, dependents, rejection);
  }

  lost(partitions: readonly number[]): void {
    this.log('warn', 'lost partitions to another node', { partitions });
    this.lose(new Set(partitions));
  }

  broken(partitions: readonly number[], error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.log('error', 'memory could not follow a commit; taking the partitions anew', {
      partitions,
      error: text,
    });
    this.lose(new Set(partitions));
  }

  loseAll(): void {
    this.lose(new Set(this.partitions.keys()));
  }

  /** Forgets partitions: what is unanswered is refused with a retryable code, their subscribers are reset (A5). */
  private lose(numbers: ReadonlySet<number>): void {
    const refusal = unavailable(
      'the partition moved to another node; whether this was committed is not known: send it again',
    );
    const gone: Partition[] = [];
    for (const number of numbers) {
      const partition = this.partitions.get(number);
      if (!partition) continue;
      this.partitions.delete(number);
      partition.becomeLost();
      gone.push(partition);
    }
    const theirs = (id: string) => numbers.has(partitionOf(id));
    for (const pool of this.slots.all()) {
      if (theirs(pool.id)) for (const claim of pool.claims) claim.answer(refusal);
    }
    for (const lane of this.lanes) for (const turn of lane.forget(numbers)) fail(turn, refusal);
    for (const actor of [...this.residence.all()]) {
      if (!numbers.has(actor.partition)) continue;
      this.timers.cancel(actor.id);
      this.leases.drop(actor.id);
      this.residence.remove(actor.id);
      if (actor.quarantine) this.quarantines--;
    }
    this.slots.forget(theirs);
    for (const partition of gone) for (const company of partition.companies.values()) company.feed.close();
    this.meter.partitions(this.partitions.size);
    this.dropped();
  }

  // -- actors coming and going ---------------------------------------------------------------

  /** A row read from the database: into memory, unless it is there already. Answers the actor, null: it is as good as none. */
  arrived(row: ActorRow): Resident | null {
    const existing = this.residence.get(row.id);
    if (existing) return existing;
    const kind = this.kinds.get(row.kind);
    if (!kind || !this.partitions.has(row.partition) || this.condemned(row)) return null;
    let version: Version | null = null;
    let failure: Error | null = null;
    try {
      version = revive(kind, row);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    const actor = new Resident(
      { id: row.id, kind, companyId: row.companyId, partition: row.partition, ordinal: row.ordinal },
      version,
    );
    this.residence.add(actor, row.snapshot.length + (row.head?.length ?? 0));
    if (failure) {
      this.quarantine(actor, null, failure);
      // Its worker may live: the slot is not given to another.
      const { pool, holds, rank } = row;
      if (holds && pool !== null)
        this.slots.place(actor.id, { pool, mode: 'holds', rank: rank ?? 0, claim: null });
    }
    if (version) {
      this.slots.place(actor.id, kind.slot(version.state));
      const capacity = kind.capacity?.(version.state);
      if (capacity) this.slots.offer(capacity);
      this.leases.settle(actor.id, kind.lease?.(version.state) ?? null);
      this.armTimers(actor);
    }
    return actor;
  }

  /** A row as it is shown, with what only this node knows of it; null for a kind it does not know. */
  showRow(row: ActorRow): string | null {
    const kind = this.kinds.get(row.kind);
    return kind ? this.showing.row(kind, row, this.residence.get(row.id)?.quarantine ?? null) : null;
  }

  /** Puts the actor's earliest timer into the heap when it is due before the horizon, else out of it. */
  armTimers(actor: Resident): void {
    const due = actor.quarantine ? null : earliest(actor.newest?.timers ?? []);
    if (due !== null && due < this.horizon) this.timers.set(actor.id, due);
    else this.timers.cancel(actor.id);
  }

  /** Puts an actor aside (A9): it is shown, its committed snapshot stays as it is, and nothing reaches it any more. */
  quarantine(actor: Resident, event: string | null, error: Error): void {
    if (this.slots.slotOf(actor.id)?.mode === 'wants') this.slots.place(actor.id, null);
    if (actor.quarantine) return;
    actor.quarantine = { reason: error.message, at: this.clock.now(), event };
    actor.shown = null;
    this.quarantines++;
    this.timers.cancel(actor.id);
    this.leases.drop(actor.id);
    this.meter.quarantined(actor.id, error.message);
    this.log('error', 'an actor was quarantined', { actor: actor.id, event, reason: error.message });
  }

  // -- claims --------------------------------------------------------------------------------

  /** Ends a waiting claim with nothing; a grant already made stands and is answered when it has landed. */
  withdraw(claim: PendingClaim): void {
    if (claim.state !== 'waiting') return;
    const pool = this.slots.find(claim.claim.pool);
    pool?.claims.delete(claim);
    if (pool) this.slots.heard(pool.id, this.clock.now());
    claim.answer({ is: 'granted', grants: [] });
  }

  /** Ends every waiting claim with nothing: the node is stopping. */
  withdrawAll(): void {
    for (const pool of [...this.slots.all()]) for (const claim of [...pool.claims]) this.withdraw(claim);
  }

  // -- partitions ----------------------------------------------------------------------------

  /** Makes room for partitions just acquired; they are `recovering` until recovery says otherwise. */
  take(owned: readonly Owned[]): Partition[] {
    const taken = owned.map(({ partition, epoch }) => new Partition(partition, epoch));
    for (const partition of taken) this.partitions.set(partition.number, partition);
    this.meter.partitions(this.partitions.size);
    return taken;
  }

  /** The company, if it lives in a partition of this node that is ready. */
  company(id: string): Company | null {
    return this.partitions.get(partitionOf(id))?.companies.get(id) ?? null;
  }

  gauges(): Gauges {
    let subscriptions = 0;
    let claims = 0;
    for (const partition of this.partitions.values()) {
      for (const company of partition.companies.values()) subscriptions += company.feed.listeners;
    }
    for (const pool of this.slots.all()) claims += pool.claims.size;
    return {
      resident: this.residence.size,
      residentBytes: this.residence.residentBytes,
      timers: this.timers.size,
      leases: this.leases.size,
      claims,
      subscriptions,
      quarantined: this.quarantines,
      backlog: this.lanes.reduce((sum, lane) => sum + lane.backlog, 0),
      partitions: this.partitions.size,
    };
  }

  get owned(): ReadonlySet<number> {
    return new Set(this.partitions.keys());
  }

  /** What this node believes to hold, as the database is asked to prove it. */
  get held(): Held {
    const epochs = new Map([...this.partitions].map(([number, { epoch }]) => [number, epoch]));
    return { owner: this.node, epochs };
  }

  get ownsAll(): boolean {
    return this.partitions.size === PARTITIONS;
  }
}
