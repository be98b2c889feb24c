/**
 * Leases of runs (domain section 2, architecture A11): runtime state, armed when the version that needs it is
 * committed, renewed by heartbeats, never stored; after a takeover every executing run gets a full one. An expired
 * lease becomes the kind's own `expired` event.
 */
import type { Clock } from '../clock.ts';
import type { Timers } from './timers.ts';

export interface RunLease {
  readonly runId: string;
  readonly ms: number;
  readonly expired: { readonly type: string };
  until: number;
  progress: number | null;
  note: string | null;
}

/** Key of a lease among the node's timers; actors' own timers are keyed by their plain id. */
export const leaseKey = (actorId: string) => `lease ${actorId}`;

export class RunLeases {
  private readonly leases = new Map<string, RunLease>();
  private readonly clock: Clock;
  private readonly timers: Timers;

  constructor(clock: Clock, timers: Timers) {
    this.clock = clock;
    this.timers = timers;
  }

  get size(): number {
    return this.leases.size;
  }

  of(actorId: string): RunLease | undefined {
    return this.leases.get(actorId);
  }

  /** Makes the actor's lease what its committed state asks for. A lease of the same run goes on as it is. */
  settle(
    actorId: string,
    wanted: {
      readonly runId: string;
      readonly ms: number;
      readonly expired: { readonly type: string };
    } | null,
  ): void {
    const now = this.leases.get(actorId);
    if (!wanted) {
      if (!now) return;
      this.leases.delete(actorId);
      this.timers.cancel(leaseKey(actorId));
      return;
    }
    if (now?.runId === wanted.runId && now.expired.type === wanted.expired.type) return;
    const until = this.clock.now() + wanted.ms;
    this.leases.set(actorId, { ...wanted, until, progress: null, note: null });
    this.timers.set(leaseKey(actorId), until);
  }

  /** A heartbeat. The timer stays where it is and is moved when it fires: heartbeats are many, expiries few. */
  renew(actorId: string, runId: string, progress: number | undefined, note: string | undefined): void {
    const lease = this.leases.get(actorId);
    if (lease?.runId !== runId) return;
    lease.until = this.clock.now() + lease.ms;
    if (progress !== undefined) lease.progress = progress;
    if (note !== undefined) lease.note = note;
  }

  /** The timer fired: the event to send, or null when a heartbeat has moved the expiry (then the timer is set again). */
  expire(actorId: string): { readonly type: string } | null {
    const lease = this.leases.get(actorId);
    if (!lease) return null;
    if (lease.until > this.clock.now()) {
      this.timers.set(leaseKey(actorId), lease.until);
      return null;
    }
    return lease.expired;
  }

  /** Takes the lease away without a word (its partition is lost). */
  drop(actorId: string): void {
    if (this.leases.delete(actorId)) this.timers.cancel(leaseKey(actorId));
  }
}
