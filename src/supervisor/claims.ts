/**
 * Claims of workers (domain section 4): a long poll that is answered with the first grants, else empty at its deadline.
 * A claim is granted within a turn and answered when that turn is committed (A3).
 */
import type { Claim, Claimed } from './router.ts';

/** Where a claim stands: `waiting` in its pool; `granted` in a turn not yet committed; `answered`. */
export type ClaimState = 'waiting' | 'granted' | 'answered';

export class PendingClaim {
  readonly claim: Claim;
  state: ClaimState = 'waiting';
  private readonly resolve: (answer: Claimed) => void;

  constructor(claim: Claim, resolve: (answer: Claimed) => void) {
    this.claim = claim;
    this.resolve = resolve;
  }

  /** Answers the claimant, once; later answers are dropped. */
  answer(answer: Claimed): void {
    if (this.state === 'answered') return;
    this.state = 'answered';
    this.resolve(answer);
  }
}
