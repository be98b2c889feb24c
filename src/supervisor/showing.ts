/** How actors are shown: their state plus what only the runtime knows (lease, pool, quarantine). */
import type { Clock } from '../clock.ts';
import type { Runtime } from '../machines/kind.ts';
import type { ActorRow } from '../persistence/store.ts';
import { type AnyKind, type Quarantine, type Resident, revive, type Version } from './resident.ts';
import type { RunLeases } from './run-leases.ts';
import type { Slots } from './slots.ts';

/** An agent counts as online for this long after its last claim ended or its last heartbeat, ms. */
export const ONLINE_MS = 60_000;

/** What showing needs to know of an actor, in memory or not. */
export interface Showable {
  readonly id: string;
  readonly companyId: string;
  readonly kind: AnyKind;
  readonly quarantine: Quarantine | null;
}

export class Showing {
  private readonly clock: Clock;
  private readonly slots: Slots;
  private readonly leases: RunLeases;

  constructor(clock: Clock, slots: Slots, leases: RunLeases) {
    this.clock = clock;
    this.slots = slots;
    this.leases = leases;
  }

  runtimeOf(actor: Showable, version: Version): Runtime {
    const wanted = actor.kind.lease?.(version.state) ?? null;
    const lease = wanted && this.leases.of(actor.id);
    const armed = lease && lease.runId === wanted.runId ? lease : null;
    const pool = actor.kind.capacity?.(version.state)?.pool ?? actor.kind.columns(version.state).assignee;
    return {
      id: actor.id,
      companyId: actor.companyId,
      version: version.version,
      leaseUntil: armed?.until ?? null,
      progress: armed?.progress ?? null,
      note: armed?.note ?? null,
      pool: pool === null ? null : this.slots.stateOf(pool, this.clock.now(), ONLINE_MS),
      quarantined: actor.quarantine && { reason: actor.quarantine.reason, at: actor.quarantine.at },
    };
  }

  /** The view of one version, as JSON text. */
  view(actor: Showable, version: Version): string {
    return JSON.stringify(actor.kind.view(version.state, version.head, this.runtimeOf(actor, version)));
  }

  /** A row read from the database. One that cannot be read is shown by its columns, and says so (A9). */
  row(kind: AnyKind, row: ActorRow, quarantine: Quarantine | null): string {
    try {
      const actor = { id: row.id, companyId: row.companyId, kind, quarantine };
      return this.view(actor, revive(kind, row));
    } catch (error) {
      const text = `its stored state cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      return JSON.stringify({
        id: row.id,
        companyId: row.companyId,
        state: row.state,
        substate: row.substate,
        version: row.version,
        why: { code: 'quarantined', text },
      });
    }
  }

  /** The newest committed view; written once per version, so what only the runtime knows may be a moment old in it. */
  committed(actor: Resident): string {
    const version = actor.committed;
    if (!version) throw new Error(`${actor.id} is not committed yet`);
    if (actor.shown?.version !== version.version) {
      actor.shown = { version: version.version, text: this.view(actor, version) };
    }
    return actor.shown.text;
  }
}
