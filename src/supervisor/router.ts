/**
 * The gateway's only door (architecture A13). `LocalRouter` (local-router.ts) serves one node; a router over NATS can
 * later send to the owner of the id's partition. Everything here is answered only when every version it saw is
 * committed (A3): acknowledgements, refusals and reads alike.
 */
import type { ErrorCode } from '../errors.ts';
import type { Actor, Columns, Persisted } from '../machines/kind.ts';
import type { Appended, CompanyRow, KeyRow, LogLine, Made } from '../persistence/catalog.ts';
import type { ListIndex } from '../persistence/store.ts';

/** An event on its way to its actor; already parsed by the kind's `events` schema. */
export interface Envelope {
  readonly actorId: string;
  readonly event: { readonly type: string };
  /** Another event for the same actor, made before it in the same turn: both or neither. It may change nothing. */
  readonly first?: { readonly type: string };
  readonly by: Actor;
  /** Idempotency key, ≤ 128 characters; its scope is (by, actor, key), the last 16 accepted ones. Of `event`. */
  readonly key?: string;
  readonly expectedVersion?: number;
}

/** Not done, and why. `retry`: the same request may be sent again after `afterMs`. */
export type Refusal =
  | {
      readonly is: 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      readonly detail: Readonly<Record<string, unknown>>;
    }
  | {
      readonly is: 'retry';
      readonly code: 'UNAVAILABLE' | 'DRAINING';
      readonly message: string;
      readonly afterMs: number;
      readonly detail?: Readonly<Record<string, unknown>>;
    };

/** `view`: JSON text of the newest committed view, its version ≥ `version`. */
export type Answer =
  | {
      readonly is: 'accepted' | 'duplicate' | 'unchanged';
      readonly version: number;
      readonly view: string;
      /** Ids that the event's stamp drew (a comment's id); empty for a duplicate. */
      readonly ids: readonly string[];
    }
  | Refusal;

/** Actors to be made, all or none, in one turn: `asked` as the kind's `born` takes it, 1..1000 of one kind. */
export interface Birth {
  readonly kind: string;
  readonly companyId: string;
  readonly asked: readonly unknown[];
  readonly by: Actor;
  readonly key?: string;
}
export type Born =
  | {
      readonly is: 'accepted' | 'duplicate';
      readonly items: readonly { readonly id: string; readonly version: number; readonly view: string }[];
    }
  | Refusal;

/** A worker's connection, for `stop` frames. `send` must not throw. */
export interface WorkerSession {
  send(frame: Readonly<Record<string, unknown>>): void;
}

export interface Claim {
  /** The pool, that is the agent's id. */
  readonly pool: string;
  readonly companyId: string;
  /** Repeating it returns what it was granted. Made up by the gateway when the client gave none. */
  readonly claimId: string;
  /** 1..50. */
  readonly max: number;
  /** Long poll, 0..50,000 ms. */
  readonly waitMs: number;
  /** Null over HTTP. */
  readonly session: WorkerSession | null;
}
/** `grants`: JSON texts (GrantView). Empty: nothing within the wait. */
export type Claimed = { readonly is: 'granted'; readonly grants: readonly string[] } | Refusal;

/** One actor as committed. `view`: JSON text. */
export interface Shown {
  readonly id: string;
  readonly companyId: string;
  readonly kind: string;
  readonly ordinal: number;
  readonly version: number;
  readonly state: Persisted;
  readonly head: unknown;
  readonly view: string;
}

/** As `ListQuery` of the store. */
export interface Listing {
  readonly companyId: string;
  readonly kind: string;
  readonly states?: readonly string[];
  readonly substates?: readonly string[];
  readonly assignee?: string;
  readonly priorities?: readonly number[];
  readonly minAttempt?: number;
  readonly text?: string;
  readonly ordinal?: number;
  readonly after?: number;
  readonly limit: number;
}

export interface Where {
  readonly states?: readonly string[];
  readonly assignee?: string;
  readonly priorities?: readonly number[];
}

/**
 * - `company`: every issue of a company (a filtered one also sends a change when its issue matched before it);
 * - `actor`: one issue or agent; `pool`: rows whose run, stop or slot is this agent's, and its own changes;
 * - `journal`: every version of one actor, numbered by version instead of seq; never a snapshot.
 */
export type Topic =
  | { readonly is: 'company'; readonly companyId: string; readonly where: Where | null }
  | { readonly is: 'actor'; readonly companyId: string; readonly id: string }
  | { readonly is: 'pool'; readonly companyId: string; readonly id: string }
  | { readonly is: 'journal'; readonly companyId: string; readonly id: string };

/** One committed journal entry as subscribers get it. The texts are rendered once and shared by all of them. */
export interface Published {
  readonly companyId: string;
  readonly seq: number;
  readonly actorId: string;
  readonly kind: string;
  readonly version: number;
  readonly type: string;
  /** Epoch ms of its event. */
  readonly at: number;
  readonly before: Columns | null;
  readonly after: Columns;
  readonly watchers: readonly string[];
  /**
   * The `change` object as JSON text. `view`: with the actor as of this version; without it as a journal topic shows it,
   * its `seq` counting versions. `stamp`: for operators.
   */
  text(options: { view: boolean; stamp: boolean }): string;
}

/**
 * Where a subscription's messages go, in this order: `opened`, then `snapshot` unless recovered (never for a journal),
 * then `change` for every committed entry after it, gap-free. All synchronous; none may throw.
 */
export interface Sink {
  opened(to: { recovered: boolean; seq: number }): void;
  snapshot(s: { seq: number; items: readonly string[]; more: boolean }): void;
  change(p: Published): void;
  /** The subscription is over (the partition moved, its reader cannot be caught up): subscribe again. */
  reset(reason: 'moved' | 'draining' | 'slow'): void;
}
export type Subscribed = { readonly is: 'open'; close(): void } | Refusal;

export interface JournalLine {
  readonly seq: number;
  readonly version: number;
  readonly at: number;
  /** The `change` without view, as JSON text. */
  text(options: { stamp: boolean }): string;
}

/** A finished thing of an issue: an ended run, a comment. `record` is JSON text. */
export interface RecordLine {
  readonly actorId: string;
  readonly id: string;
  readonly at: number;
  readonly record: string;
}

export interface Stats {
  readonly companyId: string;
  readonly seq: number;
  /** State name → how many issues: together all of them. */
  readonly byState: Readonly<Record<string, number>>;
  /** Where within its state: `running.queued` … → how many issues. */
  readonly bySubstate: Readonly<Record<string, number>>;
  readonly dueInNextHour: number;
  readonly eventsPerSecond: number;
  /** The same by the way taken: dotted state names, `from` null at birth; only what happened in the last ten seconds. */
  readonly transitions: readonly {
    readonly type: string;
    readonly from: string | null;
    readonly to: string;
    readonly perSecond: number;
  }[];
}

export interface Readiness {
  readonly ready: boolean;
  /** What is being waited for, null when ready. */
  readonly reason: string | null;
  readonly node: string;
  readonly partitions: number;
}

export interface Router {
  send(e: Envelope): Promise<Answer>;
  create(b: Birth): Promise<Born>;
  /** `withdraw` is called in the turn that sees the claimant's connection close; a grant already made stands. */
  claim(c: Claim): { readonly answer: Promise<Claimed>; withdraw(): void };
  /** Registers a worker's connection at its hello; frames still owed to that agent's runs are sent at once. */
  attach(pool: string, session: WorkerSession): Promise<{ detach(): void }>;

  get(id: string): Promise<Shown | null>;
  list(q: Listing): Promise<{ seq: number; items: Shown[] }>;
  /** Which actors a list holds, without reading any of them. */
  index(q: Listing): Promise<ListIndex>;
  journal(actorId: string, after: number, limit: number): Promise<JournalLine[]>;
  /**
   * One version of an actor as its journal tells it: the entry, and with `view` the actor as of it. Null when there is
   * no such version or what came before it is no longer kept. Its cost grows with the version: the journal is replayed.
   */
  version(actorId: string, version: number): Promise<Published | null>;
  records(
    actorId: string,
    kind: string,
    limit: number,
    after?: { at: number; id: string },
  ): Promise<RecordLine[]>;
  companyRecords(
    companyId: string,
    kind: string,
    limit: number,
    equals: { key: string; value: string } | null,
    after?: { actorId: string; id: string },
  ): Promise<RecordLine[]>;
  record(actorId: string, kind: string, id: string): Promise<RecordLine | null>;
  subscribe(topic: Topic, since: number | null, sink: Sink): Promise<Subscribed>;
  stats(companyId: string): Promise<Stats>;

  createCompany(
    c: { name: string; prefix: string },
    by: Actor,
    key?: string,
  ): Promise<Made<CompanyRow> | Refusal>;
  company(id: string): Promise<CompanyRow | null>;
  companies(limit: number, after?: { createdAt: number; id: string }): Promise<CompanyRow[]>;
  /** `token` is null for a duplicate: it was shown once. The token is `<key id>.<secret>`; its SHA-256 is stored. */
  createKey(
    k: { companyId: string; role: KeyRow['role']; agentId: string | null; name: string | null },
    by: Actor,
    key?: string,
    reason?: string,
  ): Promise<{ is: 'made' | 'duplicate'; row: KeyRow; token: string | null } | Refusal>;
  key(id: string): Promise<KeyRow | null>;
  keys(companyId: string, limit: number, after?: { createdAt: number; id: string }): Promise<KeyRow[]>;
  /** A refusal: it is revoked all the same, but not journalled yet. */
  revokeKey(id: string, by: Actor, reason?: string): Promise<{ is: 'revoked'; row: KeyRow } | Refusal | null>;
  /** Those of `ids` that are revoked or gone. */
  revoked(ids: readonly string[]): Promise<string[]>;
  /** `key`: as the catalog's. */
  appendLog(runId: string, lines: readonly LogLine[], key?: string): Promise<Appended>;
  log(runId: string, after: number, limit: number): Promise<(LogLine & { offset: number })[]>;

  readiness(): Readiness;
}
