/**
 * A claim that is waited for without a socket of its own: HTTP and MCP. It ends when it is granted, when its wait is
 * over, when whoever asked is gone, when its key is revoked, or when the server stops.
 */
import type { Claim, Claimed } from '../supervisor/router.ts';
import type { Doors } from './doors.ts';

/** How long a withdrawn claim may take to say whether it was granted just before, ms. */
const LAST_WORD_MS = 250;

const NOTHING: Claimed = { is: 'granted', grants: [] };

export interface PollAsked extends Pick<Claim, 'pool' | 'companyId'> {
  readonly max?: number | undefined;
  readonly waitMs?: number | undefined;
  readonly claimId?: string | undefined;
  /** The key it waits on the strength of; null where there is none to revoke. */
  readonly keyId: string | null;
}

/** @param gone aborted when nobody listens any more; the claim is withdrawn then. */
export async function longPoll(
  { router, random, clock, holds }: Pick<Doors, 'router' | 'random' | 'clock' | 'holds'>,
  asked: PollAsked,
  gone: AbortSignal,
): Promise<Claimed> {
  const { pool, companyId, keyId, max = 1, waitMs = 0, claimId = random.secret(16) } = asked;
  const { answer, withdraw } = router.claim({ pool, companyId, claimId, max, waitMs, session: null });
  let release: (claimed: Claimed) => void = () => {};
  const cutShort = new Promise<Claimed>((resolve) => {
    release = resolve;
  });
  let disarm = () => {};
  // The grant of a claim withdrawn in the same moment stands, so it is waited for a little.
  const giveUp = () => {
    withdraw();
    disarm();
    disarm = clock.after(LAST_WORD_MS, () => release(NOTHING));
  };
  const done = holds.add({ keyId, revoked: giveUp, drained: giveUp });
  gone.addEventListener('abort', giveUp);
  // Gone already, while its credential and its agent were looked up: nobody would say so again.
  if (gone.aborted) giveUp();
  try {
    return await Promise.race([answer, cutShort]);
  } finally {
    gone.removeEventListener('abort', giveUp);
    done();
    disarm();
  }
}
