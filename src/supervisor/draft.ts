/**
 * What a turn is made of and what it leaves: the events asked of it, its drafts, its journal rows to be, and everything
 * that will be said to the world once it is committed.
 */
import type { ErrorCode } from '../errors.ts';
import type { Actor, Out, Stamp } from '../machines/kind.ts';
import type { PendingClaim } from './claims.ts';
import type { Company } from './company.ts';
import type { SealedEntry } from './entry.ts';
import type { AnyKind, Resident, Version } from './resident.ts';
import type { Refusal } from './router.ts';

/** One event for one actor. `due`: whatever timer of the actor is due; `birth`: make it. */
export interface Work {
  readonly actorId: string;
  readonly event: { readonly type: string };
  /** Made before `event`, for the same actor; both or neither. */
  readonly first?: { readonly type: string };
  readonly by: Actor;
  readonly key?: string | undefined;
  readonly expectedVersion?: number | undefined;
  readonly due?: boolean;
  readonly birth?: { readonly kind: AnyKind; readonly asked: unknown };
}

/** What is asked of a turn: events in order, or a claim to be served. */
export interface Call {
  readonly company: Company;
  readonly partition: number;
  readonly works: readonly Work[];
  readonly claim?: PendingClaim;
  /** Actors that were looked for and do not exist. */
  readonly absent: ReadonlySet<string>;
}

/** An actor as this turn would leave it. */
export interface Draft {
  readonly actor: Resident;
  after: Version;
  headChanged: boolean;
  /** The newest version when this one was adopted, and the turn that had left it; null: it is born by this turn. */
  before: { readonly version: Version; readonly turn: Turn | null } | null;
}

/** A journal row to be. */
export interface EntryDraft {
  readonly actor: Resident;
  readonly before: Version | null;
  readonly after: Version;
  readonly type: string;
  readonly event: { readonly type: string };
  readonly stamp: Stamp;
  readonly by: Actor;
  readonly key: string | null;
  readonly effects: readonly { type: string; data: Record<string, unknown> }[];
}

type OutOf<K extends Out['out']> = Extract<Out, { out: K }>;

/** How the call's first event ended. */
export type Outcome =
  | {
      readonly is: 'accepted' | 'duplicate' | 'unchanged';
      readonly actor: Resident;
      readonly version: number;
      readonly ids: readonly string[];
    }
  | { readonly is: 'born'; readonly actors: readonly Resident[]; readonly duplicate: boolean }
  | {
      readonly is: 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      readonly detail: Record<string, unknown>;
    }
  | { readonly is: 'renewed'; readonly actor: Resident; readonly version: number }
  | { readonly is: 'ignored' };

/** Everything one turn changed, as one whole: a batch holds whole turns (A4). */
export class Turn {
  readonly company: Company;
  readonly partition: number;
  readonly drafts = new Map<string, Draft>();
  readonly entries: EntryDraft[] = [];
  readonly records: { actorId: string; at: number; record: OutOf<'record'> }[] = [];
  readonly notices: { actorId: string; pool: string | null; notice: OutOf<'notify'> }[] = [];
  readonly spreads: { actorId: string; spread: OutOf<'spread'> }[] = [];
  readonly grants = new Map<PendingClaim, string[]>();
  /** Actors it looked at whose newest version was not committed: it stands and falls with them (A5). */
  readonly builtOn: string[] = [];
  /** Pools whose slots or capacity it changed, or that it was to serve. */
  readonly pools = new Set<string>();
  /** Called once: null and its journal rows when the turn is committed, else why it never will be (or that nobody knows). */
  readonly settled: ((failure: Refusal | null, entries: readonly SealedEntry[]) => void)[] = [];

  constructor(company: Company, partition: number) {
    this.company = company;
    this.partition = partition;
  }

  get empty(): boolean {
    return this.entries.length === 0;
  }

  /** True when it was decided by what any of `lost` would have left: an actor, or the room in a pool it granted from. */
  restsOn(lost: { readonly actors: ReadonlySet<string>; readonly pools: ReadonlySet<string> }): boolean {
    for (const id of this.builtOn) if (lost.actors.has(id)) return true;
    for (const { claim } of this.grants.keys()) if (lost.pools.has(claim.pool)) return true;
    return false;
  }
}

/** The outcome of work that is not taken, as its sender is told it. */
export function refused(code: ErrorCode, message: string, detail: Record<string, unknown>): Outcome {
  return { is: 'refused', code, message, detail };
}
