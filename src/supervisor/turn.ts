/**
 * The turn. Read this first.
 *
 *   event → known key? expected version? → judge → stamp → transition → draft ─┐
 *     ▲                                                                        │ what it tells others,
 *     └──────────── grants of the pools that changed ◄─────────────────────────┘ what slots it frees
 *
 * A turn is synchronous and touches one company. It drafts: nothing it decides is visible before `adopt`, and nothing
 * leaves the node before the lane has committed it (A2, A3). When it needs an actor that is not in memory it is put
 * aside, everything it drafted is forgotten, and it is made again once the actor is loaded – so a turn never waits in
 * its middle and order per actor is kept.
 *
 * It knows actors by their kind contract only (machines/kind.ts); no word of a domain stands here.
 */
import type { Clock, Random } from '../clock.ts';
import { partitionOf } from '../ids.ts';
import type { Actor, Facts, Slot, Stamp } from '../machines/kind.ts';
import { unborn } from '../machines/step.ts';
import { advance } from './advance.ts';
import type { PendingClaim } from './claims.ts';
import { type Call, type EntryDraft, type Outcome, refused, Turn, type Work } from './draft.ts';
import type { Residence } from './residence.ts';
import { type AnyKind, earliest, Resident, type Timer, type Version } from './resident.ts';
import type { Pool, Slots } from './slots.ts';
import { Endless, guarded, Missing, Thrown } from './turn-exits.ts';

/** More events than this caused by one turn, and the whole turn is refused: a loop between actors. */
const MOST_CAUSED = 1000;
/** Type letter of the ids that stamps draw. */
const DRAWN_LETTER = 'm';
const SYSTEM: Actor = { kind: 'system', id: 'baton' };

export type Made =
  | {
      readonly is: 'made';
      readonly turn: Turn;
      readonly outcome: Outcome;
      /** Turns not yet committed that it looked at, each once. */
      readonly judgedOn: readonly Turn[];
    }
  /** These actors must be loaded first (or be found not to exist). */
  | { readonly is: 'missing'; readonly ids: readonly string[] }
  /** A machine threw: this actor must be put aside (A9). */
  | { readonly is: 'thrown'; readonly actor: Resident; readonly event: string; readonly error: Error }
  | { readonly is: 'endless' };

/** What a turn is made from. */
export interface TurnRoom {
  readonly clock: Clock;
  readonly random: Random;
  readonly slots: Slots;
  readonly residence: Residence;
  /** A heartbeat was accepted. */
  renewed(actor: Resident, runId: string, progress: number | undefined, note: string | undefined): void;
  ignored(type: string): void;
}

/** Makes a turn. Answers what came of it; only `made` has left a trace (in the slots), which `adopt` makes good. */
export function makeTurn(room: TurnRoom, call: Call): Made {
  const making = new Making(room, call);
  try {
    return making.run();
  } catch (error) {
    making.undo();
    if (error instanceof Missing) return { is: 'missing', ids: error.ids };
    if (error instanceof Thrown)
      return { is: 'thrown', actor: error.actor, event: error.event, error: error.error };
    if (error instanceof Endless) return { is: 'endless' };
    throw error;
  }
}

class Making {
  private readonly turn: Turn;
  private readonly work: Work[];
  private readonly undone: (() => void)[] = [];
  private readonly born: Resident[] = [];
  /** Of `born`, how many this turn makes; the births of one call are of one kind. */
  private newborn = 0;
  private readonly judgedOn: Turn[] = [];
  private caused = 0;
  private readonly room: TurnRoom;
  private readonly call: Call;

  constructor(room: TurnRoom, call: Call) {
    this.room = room;
    this.call = call;
    this.turn = new Turn(call.company, call.partition);
    this.work = [...call.works];
  }

  run(): Made {
    let outcome: Outcome = { is: 'ignored' };
    const asked = this.work.length;
    for (let i = 0; this.work.length > 0; i++) {
      const work = this.work.shift()!;
      if (i >= asked && ++this.caused > MOST_CAUSED) throw new Endless();
      const ended = work.birth ? this.bear(work, work.birth) : this.process(work);
      if (i === 0) outcome = ended;
      if (ended.is === 'refused' && (work.birth || work.first)) {
        this.undo();
        const detail = asked > 1 ? { ...ended.detail, index: i } : ended.detail;
        return this.made(new Turn(this.call.company, this.call.partition), { ...ended, detail });
      }
    }
    if (this.call.claim) this.turn.pools.add(this.call.claim.claim.pool);
    this.grantAll();
    if (this.born.length > 0) outcome = { is: 'born', actors: this.born, duplicate: this.turn.empty };
    return this.made(this.turn, outcome);
  }

  /** Takes back what the turn did to the slots (L3). */
  undo(): void {
    while (this.undone.length > 0) this.undone.pop()!();
  }

  private made(turn: Turn, outcome: Outcome): Made {
    return { is: 'made', turn, outcome, judgedOn: this.judgedOn };
  }

  // -- finding -------------------------------------------------------------------------------

  /** The actor, or null when it does not exist in this company; throws Missing when that is not known yet. */
  private find(id: string): Resident | null {
    const actor = this.turn.drafts.get(id)?.actor ?? this.room.residence.get(id);
    if (!actor) {
      // Everything of a company has its partition (A12): another one may be another node's, and is never loaded here.
      if (this.call.absent.has(id) || partitionOf(id) !== this.call.partition) return null;
      throw new Missing([id, ...this.lacking(id)]);
    }
    if (actor.companyId !== this.call.company.id) return null;
    if (actor.pending) {
      this.turn.builtOn.push(id);
      if (!this.judgedOn.includes(actor.pending)) this.judgedOn.push(actor.pending);
    }
    return actor;
  }

  /** What else the call lacks: all is asked for at once, for the turn begins anew each time. */
  private lacking(id: string): string[] {
    const { works, absent } = this.call;
    const ids = works.filter((work) => !work.birth || work.key !== undefined).map((work) => work.actorId);
    return ids.filter((other) => other !== id && !absent.has(other) && !this.room.residence.get(other));
  }

  private newest(actor: Resident): Version | null {
    return this.turn.drafts.get(actor.id)?.after ?? actor.newest;
  }

  private stampFor(kind: AnyKind, event: { type: string }, before: Version | null): Stamp {
    const facts: Record<string, Facts> = {};
    for (const id of kind.reads(event, before?.state ?? null)) {
      const actor = this.find(id);
      const version = actor && this.newest(actor);
      if (actor && version) facts[id] = actor.kind.facts(version.state);
    }
    const ids: string[] = [];
    for (let n = kind.draws(event); n > 0; n--) {
      ids.push(this.room.random.id(DRAWN_LETTER, this.call.partition));
    }
    const u = Math.floor(this.room.random.u() * 1e6) / 1e6;
    return { at: this.room.clock.now(), u, ids, facts };
  }

  // -- one event -----------------------------------------------------------------------------

  private process(work: Work): Outcome {
    const actor = this.find(work.actorId);
    const before = actor && this.newest(actor);
    if (!actor) return refused('NOT_FOUND', 'there is no such actor', {});
    if (actor.quarantine || !before) return this.quarantined(actor, work);
    const scope = work.key === undefined ? null : `${work.by.kind}:${work.by.id}:${work.key}`;
    if (scope !== null) {
      const known = before.keys.find(([accepted]) => accepted === scope);
      if (known) return { is: 'duplicate', actor, version: known[1], ids: [] };
    }
    if (work.expectedVersion !== undefined && work.expectedVersion !== before.version) {
      return refused('CONFLICT', `it is at version ${before.version}, not ${work.expectedVersion}`, {
        version: before.version,
      });
    }
    return guarded(actor, work.event, () => {
      if (work.due) return this.fireDue(actor, before, work);
      if (work.first) {
        const led = this.judged(actor, before, work.first, work.by, null);
        if (led.is === 'refused') return led;
      }
      return this.judged(actor, this.newest(actor) ?? before, work.event, work.by, scope);
    });
  }

  private quarantined(actor: Resident, work: Work): Outcome {
    if (work.by.kind === 'system') return { is: 'ignored' };
    return refused('NOT_ALLOWED', `it is quarantined: ${actor.quarantine?.reason ?? 'unreadable'}`, {
      state: 'quarantined',
      substate: null,
      allowed: [],
    });
  }

  /** Runs the earliest timer that is due, and comes again for the next. */
  private fireDue(actor: Resident, before: Version, work: Work): Outcome {
    const now = this.room.clock.now();
    let timer: Timer | null = null;
    for (const t of before.timers) if (t.due <= now && (!timer || t.due < timer.due)) timer = t;
    if (!timer) return { is: 'ignored' };
    const left = { ...before, timers: before.timers.filter((t) => t !== timer) };
    const outcome = this.judged(actor, left, timer.event, SYSTEM, null);
    if (outcome.is !== 'accepted') {
      const draft = this.turn.drafts.get(actor.id);
      if (draft) draft.after = left;
      else actor.newest = left;
    }
    const due = earliest((this.newest(actor) ?? left).timers);
    if (due !== null && due <= now) this.work.unshift(work);
    return outcome;
  }

  private judged(
    actor: Resident,
    before: Version,
    event: { type: string },
    by: Actor,
    scope: string | null,
  ): Outcome {
    const kind = actor.kind;
    const stamp = this.stampFor(kind, event, before);
    const verdict = kind.judge({ stamp, by, ...event }, before.state);
    switch (verdict.is) {
      case 'unchanged':
        return { is: 'unchanged', actor, version: before.version, ids: [] };
      case 'ignored':
        this.room.ignored(kind.names[event.type] ?? event.type);
        return { is: 'ignored' };
      case 'renew':
        this.room.renewed(actor, verdict.runId, verdict.progress, verdict.note);
        return { is: 'renewed', actor, version: before.version };
      case 'refused':
        if (verdict.then) this.judged(actor, before, verdict.then, by, null);
        return refused(verdict.code, verdict.message, verdict.detail);
      case 'apply':
        return this.apply(actor, before, verdict.event ?? event, stamp, by, scope);
    }
  }

  private apply(
    actor: Resident,
    before: Version | null,
    event: { type: string },
    stamp: Stamp,
    by: Actor,
    scope: string | null,
  ): Outcome {
    const { kind } = actor;
    const made = guarded(actor, event, () => advance(kind, before, event, stamp, by, scope));
    if (!made) {
      if (by.kind === 'system') return { is: 'ignored' };
      const { state, substate } = kind.columns(before?.state ?? unborn(kind.machine));
      return refused('NOT_ALLOWED', `${event.type} is not handled here`, { state, substate, allowed: [] });
    }
    const { after, stepped, headChanged } = made;
    const effects: EntryDraft['effects'][number][] = [];
    for (const out of stepped.out) {
      switch (out.out) {
        case 'effect':
          effects.push({ type: out.type, data: out.data });
          break;
        case 'record':
          this.turn.records.push({ actorId: actor.id, at: stamp.at, record: out });
          break;
        case 'head':
          break;
        case 'notify':
          this.turn.notices.push({
            actorId: actor.id,
            pool: this.room.slots.slotOf(actor.id)?.pool ?? null,
            notice: out,
          });
          break;
        case 'tell':
          for (const id of this.room.slots.find(out.pool)?.holds ?? []) {
            this.work.push({ actorId: id, event: out.event, by: SYSTEM });
          }
          break;
        case 'spread':
          this.turn.spreads.push({ actorId: actor.id, spread: out });
          break;
      }
    }
    const draft = this.turn.drafts.get(actor.id);
    if (draft) {
      draft.after = after;
      draft.headChanged ||= headChanged;
    } else {
      this.turn.drafts.set(actor.id, { actor, after, headChanged, before: null });
    }
    const type = kind.names[event.type] ?? event.type;
    this.turn.entries.push({ actor, before, after, type, event, stamp, by, key: scope, effects });
    this.move(actor.id, kind.slot(after.state));
    const capacity = kind.capacity?.(after.state);
    if (capacity) {
      const { slots } = this.room;
      const offered = slots.offer(capacity);
      this.undone.push(() => (offered ? slots.offer(offered) : slots.retract(capacity.pool)));
      this.turn.pools.add(capacity.pool);
    }
    return { is: 'accepted', actor, version: after.version, ids: stamp.ids };
  }

  private move(actorId: string, slot: Slot | null): void {
    const before = this.room.slots.place(actorId, slot);
    if (before === slot) return;
    this.undone.push(() => this.room.slots.place(actorId, before));
    if (before) this.turn.pools.add(before.pool);
    if (slot) this.turn.pools.add(slot.pool);
  }

  // -- births --------------------------------------------------------------------------------

  private bear(work: Work, birth: NonNullable<Work['birth']>): Outcome {
    const existing = work.key === undefined ? null : this.find(work.actorId);
    if (existing) {
      if (!existing.newest) return this.quarantined(existing, work);
      this.born.push(existing);
      return { is: 'duplicate', actor: existing, version: 1, ids: [] };
    }
    const { company } = this.call;
    const { kind } = birth;
    const ordinal = company.nextOrdinal(kind.kind, this.newborn++);
    const actor = new Resident(
      { id: work.actorId, kind, companyId: company.id, partition: this.call.partition, ordinal },
      null,
    );
    const event = kind.born(birth.asked, { id: actor.id, prefix: company.prefix, ordinal });
    const stamp = this.stampFor(kind, event, null);
    const refusal = kind.judgeBirth({ stamp, by: work.by, ...event });
    if (refusal) return refused(refusal.code, refusal.message, refusal.detail);
    this.born.push(actor);
    return this.apply(actor, null, event, stamp, work.by, null);
  }

  // -- grants --------------------------------------------------------------------------------

  /** The one grant function: no path gives a slot but this (L1). */
  private grantAll(): void {
    for (const id of this.turn.pools) {
      const pool = this.room.slots.find(id);
      if (!pool) continue;
      for (;;) {
        const claim = this.nextClaim(pool);
        const actorId = pool.wants.peek();
        if (!claim || actorId === undefined) break;
        if (!pool.capacity) this.learnCapacity(pool);
        if (!pool.capacity?.open || pool.holds.size >= pool.capacity.max) break;
        if (++this.caused > MOST_CAUSED) throw new Endless();
        this.grant(actorId, claim);
      }
    }
  }

  private nextClaim(pool: Pool): PendingClaim | null {
    for (const claim of pool.claims) {
      if (claim.state !== 'waiting') continue;
      if ((this.turn.grants.get(claim)?.length ?? 0) < claim.claim.max) return claim;
    }
    return null;
  }

  private learnCapacity(pool: Pool): void {
    const owner = this.find(pool.id);
    const version = owner && this.newest(owner);
    const capacity = version && owner.kind.capacity?.(version.state);
    if (capacity) this.room.slots.offer(capacity);
  }

  private grant(actorId: string, claim: PendingClaim): void {
    const outcome = this.process({
      actorId,
      event: this.grantEvent(actorId, claim),
      by: SYSTEM,
    });
    const actor = this.find(actorId);
    if (outcome.is !== 'accepted' || this.room.slots.slotOf(actorId)?.mode !== 'holds') {
      if (!actor) throw new Error(`${actorId} wants a slot and does not exist`);
      throw new Thrown(actor, 'grant', new Error('it wants a slot and does not take it'));
    }
    const granted = this.turn.grants.get(claim);
    if (granted) granted.push(actorId);
    else this.turn.grants.set(claim, [actorId]);
  }

  private grantEvent(actorId: string, claim: PendingClaim): { type: string } {
    const actor = this.find(actorId);
    if (!actor?.kind.grant) throw new Error(`${actorId} wants a slot and cannot be granted one`);
    return actor.kind.grant(claim.claim.claimId);
  }
}
