/**
 * One actor in memory. It has two states: the newest one adopted by a turn, and the newest one committed. Turns build on
 * the first, everything that leaves the node shows the second (A3). States are immutable objects, so that holding both
 * costs nothing while they are equal.
 */
import type { ActorKind, Persisted } from '../machines/kind.ts';
import type { ActorRow } from '../persistence/store.ts';
import type { Turn } from './draft.ts';

/** A delayed event of a machine with its absolute due time, epoch ms (A6). Stored with the snapshot. */
export interface Timer {
  readonly id: string;
  readonly due: number;
  readonly event: { readonly type: string };
}

/** An accepted idempotency key: its scope and the version it got. The last `KEPT_KEYS` are stored with the snapshot. */
export type AcceptedKey = readonly [scope: string, version: number];
export const KEPT_KEYS = 16;

/** What a version of an actor consists of. */
export interface Version {
  readonly state: Persisted;
  readonly head: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly timers: readonly Timer[];
  readonly keys: readonly AcceptedKey[];
  /** Epoch ms of its event's stamp. */
  readonly updatedAt: number;
}

/** Why an actor was put aside (A9). Its last committed snapshot is untouched. */
export interface Quarantine {
  readonly reason: string;
  readonly at: number;
  readonly event: string | null;
}

// biome-ignore lint/suspicious/noExplicitAny: the runtime holds kinds of every context and event type at once
export type AnyKind = ActorKind<any, any, any>;

export class Resident {
  readonly id: string;
  readonly kind: AnyKind;
  readonly companyId: string;
  readonly partition: number;
  readonly ordinal: number;
  /** Newest adopted version; null only while the turn of its birth is being made. */
  newest: Version | null;
  /** Newest committed version; null until its birth is committed. */
  committed: Version | null;
  /** The latest turn that changed it and is not committed yet. */
  pending: Turn | null = null;
  quarantine: Quarantine | null = null;
  /** Rough cost in memory: what the residence counts. */
  bytes = 0;
  /** Length of its snapshot and head as last written, characters. */
  textLength = 0;
  /** Set on use, cleared by the residence's sweep (second chance). */
  used = true;
  /** The committed view as JSON text and the version it shows, while answers and subscribers are given it. */
  shown: { readonly version: number; readonly text: string } | null = null;

  constructor(
    of: Pick<Resident, 'id' | 'kind' | 'companyId' | 'partition' | 'ordinal'>,
    version: Version | null,
  ) {
    this.id = of.id;
    this.kind = of.kind;
    this.companyId = of.companyId;
    this.partition = of.partition;
    this.ordinal = of.ordinal;
    this.newest = version;
    this.committed = version;
  }
}

interface StoredSnapshot {
  value: unknown;
  context: unknown;
  timers?: Timer[];
  keys?: AcceptedKey[];
}

/** The snapshot column of a version: what a crash must not lose, timers and keys only where there are any. */
export function snapshotText(v: Version): string {
  const stored: StoredSnapshot = { value: v.state.value, context: v.state.context };
  if (v.timers.length > 0) stored.timers = v.timers as Timer[];
  if (v.keys.length > 0) stored.keys = v.keys as AcceptedKey[];
  return JSON.stringify(stored);
}

/**
 * Brings a stored row back to life.
 * @throws Error when the snapshot does not parse, or is of a version that cannot be migrated: quarantine it (A9).
 */
export function revive(
  kind: AnyKind,
  row: Pick<ActorRow, 'snapshot' | 'machineVersion' | 'head' | 'version' | 'updatedAt'>,
): Version {
  const stored = JSON.parse(row.snapshot) as StoredSnapshot;
  if (typeof stored !== 'object' || stored === null || stored.value === undefined) {
    throw new Error('the snapshot has no state');
  }
  const state = kind.migrate(row.machineVersion, { value: stored.value, context: stored.context });
  return {
    state,
    head: JSON.parse(row.head ?? '{}') as Record<string, unknown>,
    version: row.version,
    timers: stored.timers ?? [],
    keys: stored.keys ?? [],
    updatedAt: row.updatedAt,
  };
}

/** Epoch ms of the earliest timer, null without one. */
export function earliest(timers: readonly Timer[]): number | null {
  let due: number | null = null;
  for (const timer of timers) if (due === null || timer.due < due) due = timer.due;
  return due;
}
