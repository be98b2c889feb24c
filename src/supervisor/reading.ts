/** Reads and subscriptions: only what is committed is ever shown (A3). */
import { isId } from '../ids.ts';
import type { ActorRow, ListIndex, ListQuery } from '../persistence/store.ts';
import { answered } from './asking.ts';
import { Boards } from './board.ts';
import { Gone, Subscription } from './broadcast.ts';
import { StoredEntry } from './entry.ts';
import type { Node } from './node.ts';
import type { Placement } from './placement.ts';
import { kindOfId, rebuildOne } from './rebuild.ts';
import { isRefusal, moved, refusalError, refuse, unavailable } from './refusals.ts';
import { type Resident, revive } from './resident.ts';
import type {
  JournalLine,
  Listing,
  Published,
  RecordLine,
  Shown,
  Sink,
  Stats,
  Subscribed,
  Topic,
} from './router.ts';

export class Reading {
  private readonly node: Node;
  private readonly placement: Placement;
  private readonly boards: Boards;

  constructor(node: Node, placement: Placement) {
    this.node = node;
    this.placement = placement;
    this.boards = new Boards(node);
  }

  async get(id: string): Promise<Shown | null> {
    if (!isId(id)) return null;
    const at = this.placement.placed(id) ?? (await this.placement.place(id));
    if (isRefusal(at)) throw refusalError(at);
    const actor = this.node.residence.get(id);
    if (actor?.committed) return this.shownActor(actor);
    const [row] = await answered(this.node, this.node.store.load([id]));
    return row ? this.shownRow(row) : null;
  }

  async list(q: Listing): Promise<{ seq: number; items: Shown[] }> {
    const { seq, rows } = await answered(this.node, this.node.store.snapshot(queryOf(q)));
    const items: Shown[] = [];
    for (const row of rows) {
      const shown = this.shownRow(row);
      if (shown) items.push(shown);
    }
    return { seq, items };
  }

  async index(q: Listing): Promise<ListIndex> {
    return answered(this.node, this.node.store.index(queryOf(q)));
  }

  private shownActor(actor: Resident): Shown {
    const version = actor.committed!;
    return {
      id: actor.id,
      companyId: actor.companyId,
      kind: actor.kind.kind,
      ordinal: actor.ordinal,
      version: version.version,
      state: version.state,
      head: version.head,
      view: this.node.showing.view(actor, version),
    };
  }

  private shownRow(row: ActorRow): Shown | null {
    const view = this.node.showRow(row);
    const kind = this.node.kinds.get(row.kind);
    if (view === null || !kind) return null;
    let state: Shown['state'] = { value: row.state, context: {} };
    try {
      state = revive(kind, row).state;
    } catch {
      // Unreadable: the view says so.
    }
    return {
      id: row.id,
      companyId: row.companyId,
      kind: row.kind,
      ordinal: row.ordinal,
      version: row.version,
      state,
      head: JSON.parse(row.head ?? '{}'),
      view,
    };
  }

  async journal(actorId: string, after: number, limit: number): Promise<JournalLine[]> {
    const kind = kindOfId(this.node, actorId);
    if (!kind) return [];
    const rows = await answered(this.node, this.node.store.history(actorId, after, limit));
    return rows.map((row) => new StoredEntry(kind, row));
  }

  async version(actorId: string, version: number): Promise<Published | null> {
    return answered(this.node, rebuildOne(this.node, actorId, version));
  }

  async records(
    actorId: string,
    kind: string,
    limit: number,
    after?: { at: number; id: string },
  ): Promise<RecordLine[]> {
    return answered(this.node, this.node.store.records(actorId, kind, limit, after));
  }

  async companyRecords(
    companyId: string,
    kind: string,
    limit: number,
    equals: { key: string; value: string } | null,
    after?: { actorId: string; id: string },
  ): Promise<RecordLine[]> {
    return answered(this.node, this.node.store.companyRecords(companyId, kind, limit, equals, after));
  }

  async record(actorId: string, kind: string, id: string): Promise<RecordLine | null> {
    return answered(this.node, this.node.store.record(actorId, kind, id));
  }

  async subscribe(topic: Topic, since: number | null, sink: Sink): Promise<Subscribed> {
    const at = this.placement.placed(topic.companyId) ?? (await this.placement.place(topic.companyId));
    if (isRefusal(at)) return at;
    const company = await this.placement.known(at, topic.companyId);
    if (isRefusal(company)) return company;
    // The feed of a lost partition is closed: whoever listened there would never hear that it is over.
    if (at.state === 'lost') return moved();
    const subscription = new Subscription(this.node, company, topic, sink);
    try {
      if (!(await subscription.open(since))) return moved();
    } catch (error) {
      if (error instanceof Gone) {
        subscription.close();
        return refuse('NOT_FOUND', 'there is no such actor');
      }
      this.node.log('warn', 'a subscription could not be opened', { error: String(error) });
      return unavailable('the database does not answer');
    }
    return { is: 'open', close: () => subscription.close() };
  }

  async stats(companyId: string): Promise<Stats> {
    const at = this.placement.placed(companyId) ?? (await this.placement.place(companyId));
    if (isRefusal(at)) throw refusalError(at);
    const company = await this.placement.known(at, companyId);
    if (isRefusal(company)) throw refusalError(company);
    if (at.state === 'lost') throw refusalError(moved());
    return answered(this.node, this.boards.stats(company));
  }
}

function queryOf({ minAttempt, text, ...rest }: Listing): ListQuery {
  return {
    ...rest,
    ...(minAttempt === undefined ? {} : { atLeast: { path: ['context', 'attempt'], value: minAttempt } }),
    ...(text === undefined ? {} : { contains: { keys: ['title', 'identifier'], text } }),
  };
}
