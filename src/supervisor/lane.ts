/**
 * A lane: turns wait, are sealed into a batch, and are committed one batch at a time (architecture A4, A5).
 *
 *   queue ──seal──► batch ──commit──► committed ─► landed(turns)            adopt, answer, publish
 *                     ▲                 │  a partition not proved ─► lost(partition)
 *                     └──── unknown ────┘  the same batch again: it is a no-op where it had landed
 *                                       rejected ─► its turns again, one by one; the one that fails alone is poisoned
 *
 * N1 At most one batch of a lane is in flight, so never two for one partition.
 * N2 A batch holds whole turns, in order; one row per actor: the latest.
 * N3 `seq` is given when a batch is sealed and taken back when it is rejected.
 */
import type { Clock } from '../clock.ts';
import type { ActorRow, Batch, Committed, EntryRow, RecordRow, Store } from '../persistence/store.ts';
import type { Draft, Turn } from './draft.ts';
import { SealedEntry } from './entry.ts';
import type { Meter } from './meter.ts';
import { earliest, type Resident, snapshotText, type Version } from './resident.ts';

/** Journal rows per batch at most: beyond that a larger batch only adds latency (measured by the store's author). */
const BATCH_ENTRIES = 512;
/** First and longest wait before an unknown outcome is asked again, ms. */
const REPEAT_FIRST_MS = 25;
const REPEAT_LONGEST_MS = 1000;

/** Why a batch could not be stored. */
export type Rejection = Extract<Committed, { is: 'rejected' }>;

export interface LaneRoom {
  readonly store: Store;
  readonly node: string;
  readonly clock: Clock;
  readonly meter: Meter;
  /** The epoch this node holds the partition at, undefined when it does not. */
  epochOf(partition: number): number | undefined;
  showView(actor: Resident, version: Version): string;
  /** These turns are durable, in order. */
  landed(turns: readonly LandedTurn[]): void;
  /** Another node owns these partitions now. */
  lost(partitions: readonly number[]): void;
  /** A defect while memory followed a commit: what these partitions are is in the database, not here any more. */
  broken(partitions: readonly number[], error: unknown): void;
  /** This turn alone was rejected: its data cannot be stored. The turns that built on it fail too. */
  poisoned(turn: Turn, dependents: readonly Turn[], rejection: Rejection): void;
}

export interface LandedTurn {
  readonly turn: Turn;
  readonly entries: readonly SealedEntry[];
}

interface Sealed {
  readonly turns: LandedTurn[];
  readonly batch: Batch;
}

export class Lane {
  private queue: Turn[] = [];
  private inFlight: Sealed | null = null;
  /** Turns of a rejected batch still to be committed one by one. */
  private oneByOne = 0;
  private kicked = false;
  private stopped = false;
  /** Monotonic ms since when the outcome of the batch in flight is unknown; null when all is well. */
  private unknownSince: number | null = null;
  private readonly room: LaneRoom;

  constructor(room: LaneRoom) {
    this.room = room;
  }

  /** Turns not yet committed. */
  get backlog(): number {
    return this.queue.length + (this.inFlight?.turns.length ?? 0);
  }

  /** How long the database has not answered, ms. */
  get silentMs(): number {
    return this.unknownSince === null ? 0 : this.room.clock.monotonic() - this.unknownSince;
  }

  submit(turn: Turn): void {
    this.queue.push(turn);
    this.kick();
  }

  /** Takes out every turn of lost partitions and answers them. A batch in flight keeps its rows; the fence stops them. */
  forget(partitions: ReadonlySet<number>): Turn[] {
    const gone = this.queue.filter((t) => partitions.has(t.partition));
    if (gone.length > 0) this.queue = this.queue.filter((t) => !partitions.has(t.partition));
    const flying = (this.inFlight?.turns ?? [])
      .map(({ turn }) => turn)
      .filter((t) => partitions.has(t.partition));
    return [...flying, ...gone];
  }

  /** No batch is sent from now on. */
  stop(): void {
    this.stopped = true;
  }

  private kick(): void {
    if (this.kicked || this.inFlight) return;
    this.kicked = true;
    queueMicrotask(() => {
      this.kicked = false;
      if (this.inFlight || this.queue.length === 0 || this.stopped) return;
      const sealed = this.sealed();
      if (sealed) void this.commit(sealed);
    });
  }

  /** The next batch; null where a defect keeps it from being written down: then its partitions are taken anew. */
  private sealed(): Sealed | null {
    const { queue } = this;
    try {
      return this.seal();
    } catch (error) {
      this.queue = queue;
      this.room.broken([...new Set(this.queue.map((turn) => turn.partition))], error);
      return null;
    }
  }

  private seal(): Sealed {
    const epochs = new Map<number, number>();
    const turns: LandedTurn[] = [];
    const latest = new Map<string, { draft: Draft; after: Version; headChanged: boolean }>();
    const entryRows: EntryRow[] = [];
    const recordRows: RecordRow[] = [];
    const most = this.oneByOne > 0 ? 1 : BATCH_ENTRIES;
    let taken = 0;
    while (taken < this.queue.length && (turns.length === 0 || entryRows.length < most)) {
      const turn = this.queue[taken++]!;
      const { company, partition } = turn;
      const epoch = this.room.epochOf(partition);
      if (epoch === undefined) continue;
      epochs.set(partition, epoch);
      const entries: SealedEntry[] = [];
      for (const draft of turn.entries) {
        const entry = new SealedEntry(company.id, ++company.seq, draft, this.room);
        entries.push(entry);
        entryRows.push(entry.row(partition, epoch));
      }
      for (const draft of turn.drafts.values()) {
        const known = latest.get(draft.actor.id);
        if (known) {
          known.after = draft.after;
          known.headChanged ||= draft.headChanged;
        } else {
          latest.set(draft.actor.id, { draft, after: draft.after, headChanged: draft.headChanged });
        }
      }
      for (const { actorId, at, record } of turn.records) {
        recordRows.push({
          partition,
          companyId: company.id,
          actorId,
          kind: record.kind,
          id: record.id,
          at,
          record: JSON.stringify(record.record),
        });
      }
      turns.push({ turn, entries });
    }
    this.queue = this.queue.slice(taken);
    if (this.oneByOne > 0) this.oneByOne--;
    const rows: ActorRow[] = [];
    for (const { draft, after, headChanged } of latest.values()) {
      rows.push(rowOf(draft.actor, after, headChanged));
    }
    return {
      turns,
      batch: { owner: this.room.node, epochs, rows, entries: entryRows, records: recordRows },
    };
  }

  private async commit(sealed: Sealed): Promise<void> {
    const { clock, meter, store } = this.room;
    this.inFlight = sealed;
    const sentAt = clock.monotonic();
    const rows = sealed.batch.entries.length;
    let wait = REPEAT_FIRST_MS;
    try {
      while (this.held(sealed)) {
        const outcome = await store.commit(sealed.batch);
        const ms = clock.monotonic() - sentAt;
        if (outcome.is === 'unknown') {
          meter.committed('unknown', ms, rows);
          this.unknownSince ??= sentAt;
          await new Promise<void>((resolve) => clock.after(wait, resolve));
          wait = Math.min(2 * wait, REPEAT_LONGEST_MS);
          // It stays in flight for ever: whoever stopped the lane finds its turns by `forget`.
          if (this.stopped) return;
          continue;
        }
        this.unknownSince = null;
        if (outcome.is === 'rejected') {
          meter.committed('rejected', ms, rows);
          this.rejected(sealed, outcome);
        } else {
          const all = outcome.proved.size === sealed.batch.epochs.size;
          meter.committed(all ? 'committed' : 'fenced', ms, rows);
          this.committed(sealed, outcome.proved);
        }
        break;
      }
    } catch (error) {
      this.room.broken([...sealed.batch.epochs.keys()], error);
    }
    this.inFlight = null;
    this.unknownSince = null;
    this.kick();
  }

  /** True while this node holds one of the batch's partitions at the epoch that the batch names. */
  private held({ batch }: Sealed): boolean {
    for (const [partition, epoch] of batch.epochs) if (this.room.epochOf(partition) === epoch) return true;
    return false;
  }

  private committed(sealed: Sealed, proved: ReadonlySet<number>): void {
    const mine = sealed.turns.filter(
      ({ turn: { partition } }) =>
        proved.has(partition) && this.room.epochOf(partition) === sealed.batch.epochs.get(partition),
    );
    if (mine.length > 0) this.room.landed(mine);
    const lost: number[] = [];
    for (const [partition, epoch] of sealed.batch.epochs) {
      if (!proved.has(partition) && this.room.epochOf(partition) === epoch) lost.push(partition);
    }
    // All at once: each loss goes through everything in memory.
    if (lost.length > 0) this.room.lost(lost);
  }

  private rejected(sealed: Sealed, rejection: Rejection): void {
    for (const { turn, entries } of sealed.turns) turn.company.seq -= entries.length;
    const turns = sealed.turns
      .map(({ turn }) => turn)
      .filter(({ partition }) => this.room.epochOf(partition) === sealed.batch.epochs.get(partition));
    // One that is left of many may not be the one to blame: it goes alone first.
    if (sealed.turns.length > 1) {
      this.queue = [...turns, ...this.queue];
      this.oneByOne = turns.length;
      return;
    }
    const [turn] = turns;
    if (!turn) return;
    const lost = { actors: new Set(turn.drafts.keys()), pools: new Set(turn.pools) };
    const dependents: Turn[] = [];
    this.queue = this.queue.filter((later) => {
      if (!later.restsOn(lost)) return true;
      for (const id of later.drafts.keys()) lost.actors.add(id);
      for (const id of later.pools) lost.pools.add(id);
      dependents.push(later);
      return false;
    });
    this.room.poisoned(turn, dependents, rejection);
  }
}

function rowOf(actor: Resident, after: Version, headChanged: boolean): ActorRow {
  const { kind } = actor;
  const columns = kind.columns(after.state);
  const slot = kind.slot(after.state);
  const snapshot = snapshotText(after);
  const head = headChanged ? JSON.stringify(after.head) : null;
  actor.textLength = snapshot.length + (head?.length ?? 300);
  return {
    partition: actor.partition,
    id: actor.id,
    companyId: actor.companyId,
    kind: kind.kind,
    ordinal: actor.ordinal,
    state: columns.state,
    substate: columns.substate,
    assignee: columns.assignee,
    priority: columns.priority,
    pool: slot?.pool ?? null,
    holds: slot?.mode === 'holds',
    rank: slot?.rank ?? null,
    dueAt: earliest(after.timers),
    version: after.version,
    machineVersion: kind.version,
    snapshot,
    head,
    updatedAt: after.updatedAt,
  };
}
