/**
 * What follows a commit (A3): memory and world catch up, in this order – committed states and leases, claims and
 * answers, published entries and frames to workers, spreads. (A turn that will never be committed: poison.ts.)
 */
import type { PendingClaim } from './claims.ts';
import type { Turn } from './draft.ts';
import type { LandedTurn } from './lane.ts';
import type { Node } from './node.ts';
import type { Refusal } from './router.ts';
import { spreadOut } from './spread.ts';

/** These turns are durable, in order. */
export function land(node: Node, turns: readonly LandedTurn[]): void {
  for (const { turn } of turns) {
    for (const { actor, after } of turn.drafts.values()) {
      actor.committed = after;
      if (actor.pending === turn) actor.pending = null;
      node.residence.weigh(actor, actor.textLength);
      node.leases.settle(actor.id, actor.kind.lease?.(after.state) ?? null);
      node.armTimers(actor);
    }
  }
  for (const { turn, entries } of turns) {
    for (const [claim, ids] of turn.grants) answerClaim(node, turn, claim, ids);
    for (const settled of turn.settled) settled(null, entries);
  }
  for (const { turn, entries } of turns) {
    for (const entry of entries) turn.company.feed.publish(entry);
    for (const { notice, pool } of turn.notices) node.sessions.send(notice.runId, pool, notice.frame);
  }
  for (const { turn } of turns) {
    for (const { actorId, spread } of turn.spreads) void spreadOut(node, turn.company, actorId, spread);
    // Everybody has it: a text per actor kept on would be the bulk of what outlives the young generation.
    for (const { actor } of turn.drafts.values()) actor.shown = null;
  }
  node.residence.sweep();
}

function answerClaim(node: Node, turn: Turn, claim: PendingClaim, ids: readonly string[]): void {
  const grants: string[] = [];
  for (const id of ids) {
    const draft = turn.drafts.get(id)!;
    const { actor, after } = draft;
    const runtime = node.showing.runtimeOf(actor, after);
    const granted = actor.kind.granted?.(after.state, after.head, runtime);
    if (!granted) continue;
    const runId = actor.kind.lease?.(after.state)?.runId;
    if (runId !== undefined && claim.claim.session) node.sessions.granted(runId, claim.claim.session);
    grants.push(JSON.stringify(granted));
  }
  node.slots.heard(claim.claim.pool, node.clock.now());
  claim.answer({ is: 'granted', grants });
}

/** Answers everybody who waited for a turn that will not be committed. */
export function fail(turn: Turn, refusal: Refusal): void {
  for (const claim of turn.grants.keys()) claim.answer(refusal);
  for (const settled of turn.settled) settled(refusal, []);
}
