/**
 * Published entries out of the journal, for a subscriber that missed more than memory holds, or whose node is new
 * (protocol section 6, resume). The views are got by replaying each actor's journal – the states are not stored twice.
 */
import type { Columns } from '../machines/kind.ts';
import type { EntryRow } from '../persistence/store.ts';
import { replay } from './advance.ts';
import type { Company } from './company.ts';
import { StoredEntry } from './entry.ts';
import type { Node } from './node.ts';
import type { AnyKind, Version } from './resident.ts';
import type { Published } from './router.ts';
import type { Showable } from './showing.ts';

/** Rows per statement. */
const PAGE = 1000;
/** Entries replayed or delivered in one go: about 10 ms of the loop, which others need too. */
const BREATH = 250;

/** An entry read back, with the states before and after it. */
export class RebuiltEntry implements Published {
  readonly companyId: string;
  readonly seq: number;
  readonly actorId: string;
  readonly version: number;
  readonly type: string;
  readonly at: number;
  readonly kind: string;
  private readonly entry: StoredEntry;
  private readonly actor: Showable;
  private readonly from: Version | null;
  private readonly to: Version;
  private readonly node: Node;

  constructor(node: Node, entry: StoredEntry, actor: Showable, from: Version | null, to: Version) {
    this.node = node;
    this.entry = entry;
    this.actor = actor;
    this.from = from;
    this.to = to;
    this.companyId = entry.row.companyId;
    this.seq = entry.seq;
    this.actorId = entry.row.actorId;
    this.version = entry.version;
    this.type = entry.json.type;
    this.at = entry.at;
    this.kind = actor.kind.kind;
  }

  get before(): Columns | null {
    return this.from && this.actor.kind.columns(this.from.state);
  }

  get after(): Columns {
    return this.actor.kind.columns(this.to.state);
  }

  get watchers(): readonly string[] {
    return this.actor.kind.watchers(this.from?.state ?? null, this.to.state);
  }

  text(options: { view: boolean; stamp: boolean }): string {
    const view = options.view ? { view: this.node.showing.view(this.actor, this.to) } : {};
    return this.entry.text({ stamp: options.stamp, ...view });
  }
}

/** Entries of one actor's journal as a journal topic gets them: without views, so nothing is replayed. */
export class JournalEntry implements Published {
  readonly companyId: string;
  readonly seq: number;
  readonly actorId: string;
  readonly version: number;
  readonly type: string;
  readonly at: number;
  readonly kind: string;
  readonly before = null;
  readonly after: Columns;
  readonly watchers: readonly string[] = [];
  private readonly entry: StoredEntry;

  constructor(kind: AnyKind, row: EntryRow) {
    this.entry = new StoredEntry(kind, row);
    this.companyId = row.companyId;
    this.seq = row.seq;
    this.actorId = row.actorId;
    this.version = row.version;
    this.type = this.entry.json.type;
    this.at = row.at;
    this.kind = kind.kind;
    const [state = '', substate = null] = this.entry.json.to.split('.');
    this.after = { state, substate, assignee: null, priority: 0 };
  }

  text(options: { view: boolean; stamp: boolean }): string {
    return this.entry.text({ stamp: options.stamp, byVersion: !options.view });
  }
}

export function kindOfId(node: Node, id: string): AnyKind | null {
  for (const kind of node.kinds.values()) if (id.startsWith(kind.letter)) return kind;
  return null;
}

/** The entries after `since`, or null when the journal no longer reaches back far enough to show them. */
export async function rebuild(node: Node, company: Company, since: number): Promise<Published[] | null> {
  const rows: EntryRow[] = [];
  let after = since;
  for (;;) {
    const page = await node.store.entries(company.id, after, PAGE);
    if (since + 1 < page.oldest) return null;
    rows.push(...page.entries);
    const last = page.entries.at(-1);
    if (!last || page.entries.length < PAGE) break;
    after = last.seq;
  }
  const firstMissing = new Map<string, number>();
  for (const row of rows) if (!firstMissing.has(row.actorId)) firstMissing.set(row.actorId, row.version);
  const states = new Map<string, Version | null>();
  for (const [actorId, version] of firstMissing) {
    const state = version === 1 ? null : await stateBefore(node, actorId, version);
    if (state === undefined) return null;
    states.set(actorId, state);
  }
  const published: Published[] = [];
  for (const row of rows) {
    if (breathless(published.length)) await breathe(node);
    const kind = kindOfId(node, row.actorId);
    if (!kind) return null;
    const entry = new StoredEntry(kind, row);
    const before = states.get(row.actorId) ?? null;
    const to = replay(kind, before, entry.json);
    states.set(row.actorId, to);
    const actor = { id: row.actorId, companyId: company.id, kind, quarantine: null };
    published.push(new RebuiltEntry(node, entry, actor, before, to));
  }
  return published;
}

/** True where a long loop is to let others go on, after `done` steps of it. */
export function breathless(done: number): boolean {
  return done % BREATH === BREATH - 1;
}

export function breathe(node: Node): Promise<void> {
  return new Promise((resolve) => node.clock.after(0, resolve));
}

/**
 * One entry of an actor's journal with the actor as of it, replayed from its birth; null when there is no such version,
 * or when entries before it are gone (retention).
 */
export async function rebuildOne(node: Node, actorId: string, version: number): Promise<Published | null> {
  const kind = kindOfId(node, actorId);
  if (!kind) return null;
  const before = version === 1 ? null : await stateBefore(node, actorId, version);
  if (before === undefined) return null;
  const [row] = await node.store.history(actorId, version - 1, 1);
  if (row?.version !== version) return null;
  const entry = new StoredEntry(kind, row);
  const actor = { id: actorId, companyId: row.companyId, kind, quarantine: null };
  return new RebuiltEntry(node, entry, actor, before, replay(kind, before, entry.json));
}

/** The actor's version before `version`, replayed from its birth; undefined when its first entries are gone. */
async function stateBefore(node: Node, actorId: string, version: number): Promise<Version | undefined> {
  const kind = kindOfId(node, actorId);
  if (!kind) return undefined;
  let state: Version | null = null;
  while (state === null || state.version < version - 1) {
    const reached: number = state?.version ?? 0;
    const page: EntryRow[] = await node.store.history(
      actorId,
      reached,
      Math.min(PAGE, version - 1 - reached),
    );
    if (page.length === 0) return undefined;
    for (const row of page) {
      if (row.version !== (state?.version ?? 0) + 1) return undefined;
      state = replay(kind, state, new StoredEntry(kind, row).json);
      if (breathless(state.version)) await breathe(node);
    }
  }
  return state;
}
