/**
 * A partition this node owns (architecture A1): its epoch, its companies, and the calls that wait for an actor to be
 * loaded. `recovering` → `ready` → `lost`; it never comes back from `lost`: taken again, it is a new object with a
 * higher epoch.
 */
import type { PendingClaim } from './claims.ts';
import type { Company } from './company.ts';
import type { Outcome, Turn, Work } from './draft.ts';
import type { Refusal } from './router.ts';

/** Something asked of a partition, with the ways to answer. Exactly one of them is called, once. */
export interface PendingCall {
  readonly company: Company;
  readonly works: readonly Work[];
  readonly claim?: PendingClaim;
  readonly absent: Set<string>;
  /** The turn was made; `after` must be committed before the outcome may leave (null: nothing uncommitted was seen). */
  ended(outcome: Outcome, after: Turn | null): void;
  failed(refusal: Refusal): void;
}

export class Partition {
  readonly number: number;
  readonly epoch: number;
  state: 'recovering' | 'ready' | 'lost' = 'recovering';
  readonly companies = new Map<string, Company>();
  /** First actor of the call → calls in order; the first of them waits for a load. */
  readonly waiting = new Map<string, PendingCall[]>();
  /** True when it became ready, false when it was lost before. */
  readonly settled: Promise<boolean>;
  private settle!: (ready: boolean) => void;

  constructor(number: number, epoch: number) {
    this.number = number;
    this.epoch = epoch;
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  becomeReady(): void {
    if (this.state !== 'recovering') return;
    this.state = 'ready';
    this.settle(true);
  }

  becomeLost(): void {
    this.state = 'lost';
    this.settle(false);
  }
}
