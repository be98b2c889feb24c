/**
 * Sees what is true and what was said: the journal as commits are applied to it – not as nodes tell it –, and what
 * operators, workers and subscribers were told. The checks read this and nothing else.
 */
import type { SubFrame } from '../../../src/gateway/protocol.ts';
import { partitionOf } from '../../../src/ids.ts';
import type { MemoryStore } from '../../../src/persistence/memory-store.ts';
import type { EntryRow } from '../../../src/persistence/store.ts';
import type { EntryJson } from '../../../src/supervisor/entry.ts';
import type { Host } from './host.ts';
import type { Scheduler } from './scheduler.ts';

/** A journal row and when it was applied, by the database's clock. */
export interface Seen {
  readonly row: EntryRow;
  readonly json: EntryJson;
  readonly appliedAt: number;
}

/** An answer as its client got it. */
export interface Told {
  readonly actorId: string;
  readonly type: string;
  readonly is: 'accepted' | 'duplicate' | 'unchanged' | 'refused' | 'granted' | 'born';
  /** Version answered; null for a refusal. */
  readonly version: number | null;
  /** Version of the actor that came with the answer; undefined: none came. */
  readonly shown: number | undefined;
  readonly key: string | null;
  readonly by: string;
  /** The company that its credential is bound to, null: it has none. */
  readonly of?: string | null;
  readonly runId: string | null;
  readonly code: string | null;
}

/** Something a node said that it must not have said at that moment. */
export interface Slip {
  readonly what: 'uncommitted' | 'stale';
  readonly detail: string;
}

/** What one subscription was sent. */
export type Frame =
  | { readonly is: 'opened'; readonly recovered: boolean; readonly seq: number; readonly head: number }
  | { readonly is: 'snapshot'; readonly seq: number; readonly items: readonly string[] }
  | {
      readonly is: 'change';
      readonly seq: number;
      readonly version: number;
      readonly actorId: string;
      readonly text: string;
      /** The journal had it when it was sent. */
      readonly committed: boolean;
      /** Over a socket: the number that was sent before it. */
      readonly prev?: number;
    }
  | { readonly is: 'reset' };

/** What a company topic is narrowed to, as a `sub` frame says it. */
export type Narrowed = NonNullable<SubFrame['where']>;

export interface Listened {
  readonly name: string;
  readonly companyId: string;
  readonly topic: 'company' | 'issue' | 'agent' | 'journal';
  /** Whose topic it is; null: its company's. */
  readonly actorId: string | null;
  readonly where: Narrowed | null;
  readonly since: number | null;
  readonly frames: Frame[];
  /** It is still open: by the end it must have everything. */
  open: boolean;
}

export class Witness {
  readonly entries: Seen[] = [];
  readonly told: Told[] = [];
  readonly slips: Slip[] = [];
  readonly listened: Listened[] = [];
  private readonly seqs = new Map<string, number>();
  private readonly heads = new Map<string, { version: number; epoch: number }>();
  private readonly places = new Map<string, Seen>();
  private readonly store: MemoryStore;
  private readonly scheduler: Scheduler;
  private readonly companies: readonly string[];

  constructor(store: MemoryStore, scheduler: Scheduler, companies: readonly string[]) {
    this.store = store;
    this.scheduler = scheduler;
    this.companies = companies;
  }

  /** Reads what the commits of this step added. */
  async observe(): Promise<void> {
    for (const company of this.companies) {
      const after = this.seqs.get(company) ?? 0;
      const { entries } = await this.store.entries(company, after, 10_000);
      for (const row of entries) {
        const seen = { row, json: JSON.parse(row.entry) as EntryJson, appliedAt: this.scheduler.now };
        this.entries.push(seen);
        this.seqs.set(company, row.seq);
        this.heads.set(row.actorId, { version: row.version, epoch: row.epoch });
        this.places.set(`${company}#${row.seq}`, seen);
      }
    }
  }

  headSeq(company: string): number {
    return this.seqs.get(company) ?? 0;
  }

  headVersion(actorId: string): number {
    return this.heads.get(actorId)?.version ?? 0;
  }

  committed(actorId: string, version: number): boolean {
    return version <= this.headVersion(actorId);
  }

  /**
   * A node says something about an actor: as of `version` (null: a refusal), which must be in the journal. `judged`: it
   * is no fact about the past but a judgement on the present, so nobody else may have gone on from there – unless it came
   * with a commit of its own since it was asked at `askedAt` (a late word of a detached run is refused, and ends that run).
   */
  said(
    host: Host,
    actorId: string,
    version: number | null,
    what: string,
    judged: boolean,
    askedAt = Number.POSITIVE_INFINITY,
  ): void {
    const head = this.heads.get(actorId);
    if (version !== null && version > (head?.version ?? 0)) {
      this.slips.push({
        what: 'uncommitted',
        detail: `${what} of ${actorId} at version ${version}, the journal is at ${head?.version ?? 0}`,
      });
    }
    if (!judged) return;
    const node = host.running?.node;
    const epoch = node?.partitions.get(partitionOf(actorId))?.epoch;
    const known = version ?? node?.residence.get(actorId)?.newest?.version;
    if (head && epoch !== undefined && known !== undefined && head.epoch > epoch && head.version > known) {
      const proof = ({ row, appliedAt }: Seen) =>
        row.actorId === actorId && row.version === known && row.epoch === epoch && appliedAt >= askedAt;
      if (this.entries.some(proof)) return;
      this.slips.push({
        what: 'stale',
        detail: `${what} of ${actorId} at version ${known} by epoch ${epoch}; epoch ${head.epoch} is at ${head.version}`,
      });
    }
  }
}
