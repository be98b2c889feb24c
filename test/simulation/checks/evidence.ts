/** What the checks are given: all that a history left behind. Plain data, so that each check has its own unit test. */
import type { ActorRow } from '../../../src/persistence/store.ts';
import { replay } from '../../../src/supervisor/advance.ts';
import type { AnyKind, Version } from '../../../src/supervisor/resident.ts';
import type { Listened, Seen, Slip, Told } from '../world/witness.ts';

/** One journal row, replayed: the actor before and after it. */
export interface Step {
  readonly seen: Seen;
  readonly kind: AnyKind;
  readonly before: Version | null;
  readonly after: Version;
}

export interface Evidence {
  /** In the order in which they were applied. */
  readonly entries: readonly Seen[];
  /** Replayed; without those of actors whose replay failed. */
  readonly steps: readonly Step[];
  /** Why a replay failed. */
  readonly unreplayable: readonly string[];
  /** All actors as stored in the end. */
  readonly rows: readonly ActorRow[];
  readonly kinds: ReadonlyMap<string, AnyKind>;
  /** Ids of actors that retention may have taken: not stored in the end, ended, and older than what is kept. */
  readonly pruned: ReadonlySet<string>;
  /** Company → the oldest seq that its journal still has. */
  readonly oldest: ReadonlyMap<string, number>;
  readonly told: readonly Told[];
  readonly slips: readonly Slip[];
  readonly listened: readonly Listened[];
  /** Ids of actors that were put aside by a node that still runs. */
  readonly quarantined: ReadonlySet<string>;
  /** Ids of actors that some node had put aside at some time: they heard nothing meanwhile. */
  readonly putAside: ReadonlySet<string>;
  /** What a node that owns an actor does not wait for though it should: found by looking into nodes. */
  readonly unarmed: readonly string[];
  /** Timers long due that their owner has forgotten: found by looking into nodes. */
  readonly overdue: readonly string[];
  /** Calls that nobody answered. */
  readonly stuck: readonly string[];
  readonly surprises: readonly string[];
  /** What was thrown out of a node's callbacks. */
  readonly thrown: readonly string[];
  /** Epoch ms from when on every node has recovered from what disturbed, and when the history ended. */
  readonly settledFrom: number;
  readonly end: number;
  /** All things that should come to rest had the time for it. */
  readonly rested: boolean;
}

/** A sentence that says what went wrong, and the promise it breaks. */
export interface Finding {
  readonly check: string;
  readonly text: string;
}

export type Check = (evidence: Evidence) => string[];

/** Replays the journal of every actor. */
export function replayAll(
  entries: readonly Seen[],
  kinds: ReadonlyMap<string, AnyKind>,
): { steps: Step[]; unreplayable: string[] } {
  const byLetter = new Map([...kinds.values()].map((kind) => [kind.letter, kind]));
  const states = new Map<string, Version | null>();
  const steps: Step[] = [];
  const unreplayable: string[] = [];
  for (const seen of entries) {
    const { actorId, version } = seen.row;
    const before = states.get(actorId);
    if (before === undefined && states.has(actorId)) continue;
    const kind = byLetter.get(actorId[0]!)!;
    try {
      const after = replay(kind, before ?? null, seen.json);
      states.set(actorId, after);
      steps.push({ seen, kind, before: before ?? null, after });
    } catch (error) {
      states.set(actorId, undefined as never);
      unreplayable.push(`${actorId} at version ${version}, ${seen.json.type}: ${String(error)}`);
    }
  }
  return { steps, unreplayable };
}

/** The context of an issue's version, as far as checks look into it. */
export interface IssueContext {
  readonly id: string;
  readonly fence: number;
  readonly assignee: string | null;
  readonly priority: number;
  readonly run: {
    readonly n: number;
    readonly start?: number;
    readonly queued?: number;
    readonly retry?: { readonly due: number };
    readonly of?: number;
    readonly wake?: number;
  } | null;
  readonly detached: {
    readonly n: number;
    readonly fence: number;
    readonly until?: number;
    readonly agent: string;
  } | null;
  readonly wakes: readonly { readonly n: number }[];
}

export const isIssue = (step: Step) => step.kind.kind === 'issue';
export const issueOf = (version: Version) => version.state.context as IssueContext;

/** Where an entry stands, for sentences. */
export function placeOf(seen: Seen): string {
  return `${seen.row.actorId} version ${seen.row.version} (seq ${seen.row.seq}, ${seen.json.type})`;
}
