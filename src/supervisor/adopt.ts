/** From a turn to memory: the step after which later turns build on it (A2). */
import type { Turn } from './draft.ts';
import type { TurnRoom } from './turn.ts';

/** Makes a turn's drafts the newest versions in memory. From here on later turns build on them; the world does not. */
export function adopt(room: TurnRoom, turn: Turn): void {
  for (const draft of turn.drafts.values()) {
    const { actor, after } = draft;
    draft.before = actor.newest && { version: actor.newest, turn: actor.pending };
    if (actor.newest === null && actor.committed === null) {
      room.residence.add(actor, 1000);
      const { ordinals } = turn.company;
      ordinals.set(actor.kind.kind, Math.max(ordinals.get(actor.kind.kind) ?? 0, actor.ordinal));
    }
    actor.newest = after;
    actor.pending = turn;
  }
  for (const claim of turn.grants.keys()) {
    claim.state = 'granted';
    room.slots.find(claim.claim.pool)?.claims.delete(claim);
  }
}
