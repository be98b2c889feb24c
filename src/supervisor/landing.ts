/**
 * What follows a commit (A3): memory and world catch up, in this order – committed states and leases, claims and
 * answers, published entries and frames to workers, spreads. And what follows a turn that will never be committed.
 */
import type { PendingClaim } from './claims.ts';
import type { Turn } from './draft.ts';
import type { LandedTurn } from './lane.ts';
import type { Node } from './node.ts';
import { internal, unavailable } from './refusals.ts';
import type { Resident } from './resident.ts';
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
  for (const { turn } of turns) {
    for (const [claim, ids] of turn.grants) answerClaim(node, turn, claim, ids);
    for (const settled of turn.settled) settled(null);
  }
  for (const { turn, entries } of turns) {
    for (const entry of entries) turn.company.feed.publish(entry);
    for (const { notice, pool } of turn.notices) node.sessions.send(notice.runId, pool, notice.frame);
  }
  for (const { turn } of turns) {
    for (const { actorId, spread } of turn.spreads) void spreadOut(node, turn.company, actorId, spread);
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
  node.slots.pool(claim.claim.pool).seenAt = node.clock.now();
  claim.answer({ is: 'granted', grants });
}

/** A turn's data could not be stored: it is refused, its actor put aside, and what built on it fails too (A5). */
export function poison(node: Node, turn: Turn, dependents: readonly Turn[], error: Error): void {
  const [first] = turn.entries;
  const refusal = unavailable('an actor this was built on could not be stored');
  const touched = new Set<Resident>();
  for (const t of [turn, ...dependents]) {
    for (const { actor } of t.drafts.values()) touched.add(actor);
  }
  // Memory was ahead of the database: what these actors are is what was committed last.
  for (const actor of touched) {
    actor.newest = actor.committed;
    actor.pending = null;
    actor.shown = null;
    if (actor.committed) {
      node.slots.place(actor.id, actor.kind.slot(actor.committed.state));
      node.armTimers(actor);
    } else {
      node.slots.place(actor.id, null);
      node.residence.remove(actor.id);
    }
  }
  if (first) node.quarantine(first.actor, first.type, error);
  fail(turn, internal());
  for (const dependent of dependents) fail(dependent, refusal);
}

/** Answers everybody who waited for a turn that will not be committed. */
export function fail(turn: Turn, refusal: Refusal): void {
  for (const claim of turn.grants.keys()) claim.answer(refusal);
  for (const settled of turn.settled) settled(refusal);
}
