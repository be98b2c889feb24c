/**
 * What follows a turn whose data could not be stored (architecture A5): it is refused and its actor put aside (but see
 * `deleted`). Memory was ahead of the database, so everything that it and the turns that rest on it (`Turn.restsOn`) had
 * changed – states, slots, capacities, timers, numbers – is again what it was before them.
 */
import type { PendingClaim } from './claims.ts';
import type { Draft, Turn } from './draft.ts';
import { fail } from './landing.ts';
import type { Rejection } from './lane.ts';
import type { Node } from './node.ts';
import { internal, unavailable } from './refusals.ts';
import type { Refusal } from './router.ts';

export function poison(node: Node, turn: Turn, dependents: readonly Turn[], rejection: Rejection): void {
  const turns = [turn, ...dependents];
  // The last first, so that numbers are given back in the order they were taken.
  for (const t of turns.toReversed())
    for (const draft of [...t.drafts.values()].reverse()) takeBack(node, t, draft);
  const [first] = turn.entries;
  const isOfKeptKey = rejection.journalled && turn.entries.some(({ before }) => before === null);
  if (first && !isOfKeptKey) node.quarantine(first.actor, first.type, rejection.error);
  const refusal = unavailable('what this was built on could not be stored');
  // Whoever asked for work is not to blame.
  for (const claim of turn.grants.keys()) claim.answer(refusal);
  fail(turn, isOfKeptKey ? deleted() : internal());
  for (const dependent of dependents) fail(dependent, refusal);
  for (const pool of new Set(turns.flatMap((t) => [...t.pools]))) serve(node, turn, pool);
}

/**
 * A birth of which the journal knows: its id was made from an idempotency key (decision 0003), and what the key made has
 * since been deleted by retention, whose entries go later. Nobody is to blame, and the first thing cannot be answered.
 */
function deleted(): Refusal {
  return {
    is: 'refused',
    code: 'CONFLICT',
    message: 'what this idempotency key made has been deleted since, being over and old',
    detail: { hint: 'If it is to be made again, send it with another key.' },
  };
}

/** The actor is as the turn had found it: as committed, or as an earlier turn left it that stands and is still to come. */
function takeBack(node: Node, turn: Turn, { actor, after, before }: Draft): void {
  const { kind, committed } = actor;
  const stands = before !== null && before.version.version > (committed?.version ?? 0);
  actor.newest = before?.version ?? null;
  actor.pending = stands ? before.turn : null;
  actor.shown = null;
  const offered = kind.capacity?.(after.state);
  if (!before) {
    node.slots.place(actor.id, null);
    if (offered) node.slots.retract(offered.pool);
    node.timers.cancel(actor.id);
    node.residence.remove(actor.id);
    const { ordinals } = turn.company;
    if (ordinals.get(kind.kind) === actor.ordinal) ordinals.set(kind.kind, actor.ordinal - 1);
    return;
  }
  const slot = kind.slot(before.version.state);
  node.slots.place(actor.id, actor.quarantine && slot?.mode === 'wants' ? null : slot);
  const offers = offered && kind.capacity?.(before.version.state);
  if (offers) node.slots.offer(offers);
  node.armTimers(actor);
  // Its lease may have fired on a state that never came to be: it begins anew, as after a takeover.
  node.leases.drop(actor.id);
  if (committed && !actor.quarantine) node.leases.settle(actor.id, kind.lease?.(committed.state) ?? null);
}

/** The room in a pool is another than it seemed: the claims that wait are looked at again. */
function serve(node: Node, { company, partition }: Turn, pool: string): void {
  const at = node.partitions.get(partition);
  const [claim]: Iterable<PendingClaim> = node.slots.find(pool)?.claims ?? [];
  if (!at || !claim) return;
  node.mailbox.post(at, { company, works: [], claim, absent: new Set(), ended() {}, failed() {} });
}
