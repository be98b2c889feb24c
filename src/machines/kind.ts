/**
 * THE contract between the machines and the runtime: all that the runtime knows of an actor (decision
 * 0002). A kind is a pure XState machine and a handful of pure functions about its persisted state. The
 * runtime names no kind; `issue`, `agent` and `key` are three, `test/support/lamp-kind.ts` is another.
 *
 * Nothing in this room knows time, chance or I/O: whatever a machine may know beyond its own state comes in the
 * event's stamp (architecture A11), so that a replayed journal gives the snapshots byte for byte.
 */
import type { AnyStateMachine } from 'xstate';
import type { z } from 'zod';

/** What the runtime draws for one event and journals with it (A11). */
export interface Stamp {
  /** Epoch ms. */
  readonly at: number;
  /** One uniform draw in [0, 1), six decimals. */
  readonly u: number;
  /** As many fresh ids as the kind's `draws` asked for. */
  readonly ids: readonly string[];
  /** The facts of the actors that the kind's `reads` named; one that does not exist in this company is absent. */
  readonly facts: Readonly<Record<string, Facts>>;
}
export type Facts = Readonly<Record<string, unknown>>;

/** Who sent an event. `system` is the runtime itself (timers, leases, grants). */
export interface Actor {
  readonly kind: 'operator' | 'agent' | 'system';
  readonly id: string;
}

/** An event as its machine sees it. */
export type Stamped<E> = E & { readonly stamp: Stamp; readonly by: Actor };

/** An actor's state as stored: JSON, no Date, undefined, Map or NaN in it. */
export interface Persisted<C = unknown> {
  readonly value: unknown;
  readonly context: C;
}

/**
 * What a transition announces besides its next state: the machine leaves it in `context.out`, `step()` takes it off
 * before anything is stored.
 * - `effect`: a line of the journal row; `phase` 0 what ends, 1 what changes, 2 what begins (protocol section 5).
 * - `record`: something finished with, stored once, that only history reads (an ended run, a comment).
 * - `head`: what rarely changes, merged into the actor's head.
 * - `notify`: a frame for the worker session that holds (or held) the grant of `runId`, sent after the commit.
 * - `tell`: an internal event for every actor that holds a slot of `pool`, in the same turn.
 * - `spread`: an internal event for every actor about `id` in one of `states`, sent in pages after the commit;
 *   when none is left the announcing actor is sent `done`.
 */
export type Out =
  | { out: 'effect'; phase: 0 | 1 | 2; type: string; data: Record<string, unknown> }
  | { out: 'record'; kind: string; id: string; record: Record<string, unknown> }
  | { out: 'head'; patch: Record<string, unknown> }
  | { out: 'notify'; runId: string; frame: Record<string, unknown> }
  | { out: 'tell'; pool: string; event: { type: string } & Record<string, unknown> }
  | {
      out: 'spread';
      id: string;
      states: readonly string[];
      event: { type: string } & Record<string, unknown>;
      done: { type: string } & Record<string, unknown>;
    };

/**
 * What is to be done with an event, decided purely before the transition.
 * - `apply`: run the transition, with `event` in place of the one sent where given (the journal then shows that one).
 * - `unchanged`: already so; nothing is journalled.
 * - `renew`: renew the actor's lease; not journalled, no version (a heartbeat). `progress`, `note`: shown, not stored.
 * - `ignored`: a stale internal event; counted, nothing else.
 * - `refused`: answered with `code`; `then` is the internal event it still causes (a detached run's last word).
 */
export type Verdict<E> =
  | { readonly is: 'apply'; readonly event?: E }
  | { readonly is: 'unchanged' }
  | { readonly is: 'renew'; readonly runId: string; readonly progress?: number; readonly note?: string }
  | { readonly is: 'ignored' }
  | {
      readonly is: 'refused';
      readonly code: 'FENCED' | 'NOT_ALLOWED' | 'NOT_FOUND' | 'FORBIDDEN' | 'VALIDATION';
      readonly message: string;
      readonly detail: Record<string, unknown>;
      readonly then?: E;
    };

/**
 * An actor's place in a pool of slots. `wants` waits for one (smallest `rank` first, ties by id), `holds` has one.
 * `claim` is the id of the claim it was granted to, so that a repeated claim finds it.
 */
export interface Slot {
  readonly pool: string;
  readonly mode: 'wants' | 'holds';
  readonly rank: number;
  readonly claim: string | null;
}

/** What an actor offers to a pool: `max` slots, granted only while `open`. `closed` says why not. */
export interface Capacity {
  readonly pool: string;
  readonly max: number;
  readonly open: boolean;
  readonly closed: string | null;
}

/** What the runtime knows of a pool, for `view`. A claim that waits or something heard of lately makes it `online`. */
export interface PoolState {
  readonly max: number;
  readonly held: number;
  readonly wanting: number;
  readonly open: boolean;
  readonly closed: string | null;
  readonly online: boolean;
  /** True while a claim waits. */
  readonly asking: boolean;
  /** Epoch ms of the last claim's end or heartbeat; null: none since this node has it. */
  readonly seenAt: number | null;
}

/** What the runtime adds to an actor's own state when it is shown. */
export interface Runtime {
  readonly id: string;
  readonly companyId: string;
  readonly version: number;
  /** Epoch ms, null where no lease is armed. */
  readonly leaseUntil: number | null;
  readonly progress: number | null;
  readonly note: string | null;
  /** The state of the pool `columns().assignee` names, null where there is none or it is not known. */
  readonly pool: PoolState | null;
  readonly quarantined: { readonly reason: string; readonly at: number } | null;
}

/** The columns by which actors are listed. */
export interface Columns {
  readonly state: string;
  readonly substate: string | null;
  readonly assignee: string | null;
  /** 0 first. */
  readonly priority: number;
}

export interface ActorKind<C = unknown, E extends { type: string } = { type: string }, V = unknown> {
  readonly kind: string;
  /** The type letter of its ids. */
  readonly letter: string;
  /** Version of the persisted shape, from 1. */
  readonly version: number;
  readonly machine: AnyStateMachine;
  readonly context: z.ZodType<C>;
  readonly head: z.ZodType;
  /** All events from outside, strict. Internal types must not be among them. */
  readonly events: z.ZodType<E>;
  /** Event types only the runtime sends. */
  readonly internal: readonly string[];
  /** XState's name of an event → the journal's (`xstate.after.retryDelay…` → `RETRY.DUE`). */
  readonly names: Readonly<Record<string, string>>;
  /** How many fresh ids the event needs in its stamp. */
  draws(event: E): number;
  /** Ids of the actors whose facts are stamped on the event. Pure, by the state before. */
  reads(event: E, s: Persisted<C> | null): readonly string[];
  /** What others may read of me; best the same object for the same state, it is written down at many events. */
  facts(s: Persisted<C>): Facts;
  /** Before the transition. `s` is never null: birth is not judged. */
  judge(event: Stamped<E>, s: Persisted<C>): Verdict<E>;
  /**
   * The event that makes an actor, from what its creator asked for; birth = initial state + this event, version 1.
   * `identity` is the company's prefix and the actor's number among its kind in the company (`ACME`, 7).
   */
  born(asked: unknown, identity: { id: string; prefix: string; ordinal: number }): E;
  /** A refusal of a birth (an assignee that does not exist), or null. */
  judgeBirth(event: Stamped<E>): Extract<Verdict<E>, { is: 'refused' }> | null;
  slot(s: Persisted<C>): Slot | null;
  capacity?(s: Persisted<C>): Capacity | null;
  /** The runtime's event that gives a wanted slot to a claim. A kind that has it is *work*: company topics carry it. */
  grant?(claim: string): E;
  /** Armed in memory, never stored; `expired` is sent when nobody renewed it for `ms`. */
  lease?(s: Persisted<C>): { readonly runId: string; readonly ms: number; readonly expired: E } | null;
  /** States in which an actor still concerns its assignee though it has no slot (a pool topic's snapshot lists them). */
  readonly concerns?: readonly string[];
  /** States in which an actor has ended: retention may delete it once it is old. */
  readonly ended?: readonly string[];
  /** Frames owed to the worker of a run as of this state: sent again when the worker's agent says hello. */
  owed?(s: Persisted<C>): readonly { readonly runId: string; readonly frame: Record<string, unknown> }[];
  /** What will be a `record` and is not one yet (a current run), in the shape of its record: history reads it too. */
  unfinished?(
    s: Persisted<C>,
  ): readonly { readonly kind: string; readonly id: string; readonly record: Record<string, unknown> }[];
  /** Pools (topics) whose watchers are told of a change between these two states. */
  watchers(before: Persisted<C> | null, after: Persisted<C>): readonly string[];
  columns(s: Persisted<C>): Columns;
  view(s: Persisted<C>, head: unknown, r: Runtime): V;
  /** What a claim is answered with, null unless this state was granted. */
  granted?(s: Persisted<C>, head: unknown, r: Runtime): Record<string, unknown> | null;
  /** The `data` of a journal row: the event's own fields worth keeping in public, without secrets. */
  data(event: E): Record<string, unknown>;
  /** Moves a snapshot from schema version `from` to the current one; throws when it cannot. */
  migrate(from: number, s: unknown): Persisted<C>;
}
