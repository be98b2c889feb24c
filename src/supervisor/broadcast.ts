/**
 * Subscriptions: snapshot or resume, then every committed change (protocol section 6).
 *
 * B1 Registering comes first, reading second: what is published meanwhile is buffered, and what the reading already
 *    showed is dropped by its number. So snapshot and registration are one step, without gap or duplicate.
 * B2 Resume is all or nothing.
 * B3 A journal topic counts versions and never gets a snapshot.
 */
import type { Columns } from '../machines/kind.ts';
import type { Company } from './company.ts';
import type { Listener } from './feed.ts';
import type { Node } from './node.ts';
import { breathe, breathless, JournalEntry, kindOfId, rebuild } from './rebuild.ts';
import type { AnyKind, Resident } from './resident.ts';
import type { Published, Sink, Topic, Where } from './router.ts';

/** Entries a subscriber may have missed and still resume (protocol: at least 10,000). */
const MOST_MISSED = 10_000;
/** Actors in a snapshot; the rest are paged by HTTP (protocol section 6). */
const SNAPSHOT_ITEMS = 1000;
const JOURNAL_PAGE = 500;

/** What was subscribed to does not exist: it never did, or retention has deleted it. */
export class Gone extends Error {}

export class Subscription implements Listener {
  private buffer: Published[] | null = [];
  private last = 0;
  private unlisten: (() => void) | null = null;
  /** The sink was told that it is open. */
  private opened = false;
  private readonly topic: Topic;
  private readonly sink: Sink;
  private readonly node: Node;
  private readonly company: Company;

  constructor(node: Node, company: Company, topic: Topic, sink: Sink) {
    this.node = node;
    this.company = company;
    this.topic = topic;
    this.sink = sink;
  }

  /**
   * Opens it; false when its partition was lost before the sink heard anything. Throws when the database did not answer
   * before that; a sink that was told that it is open already is told that it is over.
   */
  async open(since: number | null): Promise<boolean> {
    const { topic } = this;
    this.unlisten = this.company.feed.listen(
      topic.is === 'company' ? { all: true } : topic.is === 'pool' ? { pool: topic.id } : { actor: topic.id },
      this,
    );
    try {
      if (topic.is === 'journal') await this.openJournal(since ?? 0);
      else await this.openState(since);
    } catch (error) {
      if (!this.opened) {
        this.close();
        throw error;
      }
      if (!this.closed) this.over();
    }
    this.flush();
    return this.opened;
  }

  close(): void {
    this.unlisten?.();
    this.unlisten = null;
    this.buffer = null;
  }

  take(p: Published): void {
    if (this.buffer) this.buffer.push(p);
    else this.deliver(p);
  }

  over(): void {
    this.close();
    if (this.opened) this.sink.reset('moved');
  }

  private get closed(): boolean {
    return this.unlisten === null;
  }

  private flush(): void {
    const buffered = this.buffer ?? [];
    this.buffer = null;
    for (const p of buffered) {
      if (this.closed) return;
      this.deliver(p);
    }
  }

  private deliver(p: Published): void {
    const order = this.topic.is === 'journal' ? p.version : p.seq;
    if (order <= this.last) return;
    this.last = order;
    if (this.wants(p)) this.sink.change(p);
  }

  private wants(p: Published): boolean {
    const { topic } = this;
    switch (topic.is) {
      case 'actor':
      case 'journal':
        return p.actorId === topic.id;
      case 'pool':
        return p.watchers.includes(topic.id);
      case 'company':
        if (!this.node.kinds.get(p.kind)?.grant) return false;
        return (
          !topic.where ||
          matches(topic.where, p.after) ||
          (p.before !== null && matches(topic.where, p.before))
        );
    }
  }

  private async openState(since: number | null): Promise<void> {
    const { feed } = this.company;
    if (since !== null && since <= feed.head && feed.head - since <= MOST_MISSED) {
      const missed = feed.since(since) ?? (await rebuild(this.node, this.company, since));
      if (missed) {
        if (this.closed) return;
        this.last = since;
        this.opened = true;
        this.sink.opened({ recovered: true, seq: Math.max(missed.at(-1)?.seq ?? since, since) });
        for (let n = 0; n < missed.length && !this.closed; n++) {
          this.deliver(missed[n]!);
          if (breathless(n)) await breathe(this.node);
        }
        return;
      }
    }
    const { seq, items } = await this.snapshot();
    if (this.closed) return;
    this.last = seq;
    this.opened = true;
    this.sink.opened({ recovered: false, seq });
    this.sink.snapshot({ seq, items: items.slice(0, SNAPSHOT_ITEMS), more: items.length > SNAPSHOT_ITEMS });
  }

  private async snapshot(): Promise<{ seq: number; items: string[] }> {
    const { topic, node, company } = this;
    let kind: AnyKind | null = null;
    let narrowed: Parameters<Node['store']['snapshot']>[0] | null = null;
    const base = { companyId: company.id, limit: SNAPSHOT_ITEMS + 1 };
    if (topic.is === 'actor') {
      const actor = await this.found(topic.id);
      if (!actor) {
        if (this.closed) return { seq: 0, items: [] };
        throw new Gone();
      }
      kind = actor.kind;
      narrowed = { ...base, kind: kind.kind, ordinal: actor.ordinal };
    } else {
      for (const candidate of node.kinds.values()) if (candidate.grant) kind = candidate;
      if (!kind) throw new Error('no kind wants slots');
      if (topic.is === 'pool') {
        narrowed = { ...base, kind: kind.kind, about: { id: topic.id, states: kind.concerns ?? [] } };
      } else {
        narrowed = { ...base, kind: kind.kind, ...(topic.is === 'company' ? (topic.where ?? {}) : {}) };
      }
    }
    const { seq, rows } = await node.store.snapshot(narrowed);
    const items: string[] = [];
    for (const row of rows) {
      const text = node.showRow(row);
      if (text !== null) items.push(text);
    }
    return { seq, items };
  }

  private async found(id: string): Promise<Resident | undefined> {
    if (!this.node.residence.get(id)) await this.node.loader.load([id]);
    return this.node.residence.get(id);
  }

  /**
   * Whether the journal goes on right after `since`: retention may have deleted what came next. The journal may also have
   * shown its reader a version whose commit this node has not been answered yet: that cursor is as good as any, and
   * whoever has it must not be sent everything again.
   */
  private async resumes(id: string, since: number, head: number): Promise<boolean> {
    if (since === 0 || since === head) return since > 0;
    const next = since < head ? since + 1 : since;
    return (await this.node.store.history(id, next - 1, 1))[0]?.version === next;
  }

  private async openJournal(since: number): Promise<void> {
    const { topic, node } = this;
    if (topic.is !== 'journal') return;
    const actor = await this.found(topic.id);
    if (this.closed) return;
    const head = actor?.committed?.version ?? 0;
    const recovered = await this.resumes(topic.id, since, head);
    if (this.closed) return;
    this.last = recovered ? since : 0;
    this.opened = true;
    this.sink.opened({ recovered, seq: recovered ? Math.max(head, since) : head });
    const kind = kindOfId(node, topic.id)!;
    for (;;) {
      const page = await node.store.history(topic.id, this.last, JOURNAL_PAGE);
      if (this.closed) return;
      // Deleted while it was read: whoever subscribes again begins with what is kept.
      if (page[0] && this.last > 0 && page[0].version > this.last + 1) return this.over();
      for (const row of page) this.deliver(new JournalEntry(kind, row));
      if (page.length < JOURNAL_PAGE) return;
    }
  }
}

function matches(where: Where, columns: Columns): boolean {
  if (where.states && !where.states.includes(columns.state)) {
    if (columns.substate === null || !where.states.includes(`${columns.state}.${columns.substate}`))
      return false;
  }
  if (where.assignee !== undefined && columns.assignee !== where.assignee) return false;
  if (where.priorities && !where.priorities.includes(columns.priority)) return false;
  return true;
}
