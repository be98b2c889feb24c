/**
 * The router of one node (architecture A13): what the gateway may ask, answered when what it saw is committed (A3).
 */
import { createHash } from 'node:crypto';
import { BatonError } from '../errors.ts';
import { isId, LETTER, partitionOf } from '../ids.ts';
import type { Actor } from '../machines/kind.ts';
import type { Catalog, CompanyRow, KeyRow, LogLine } from '../persistence/catalog.ts';
import type { ActorRow, ListQuery, RecordRow } from '../persistence/store.ts';
import { birthId, birthPartition } from './births.ts';
import { Boards } from './board.ts';
import { Subscription } from './broadcast.ts';
import { PendingClaim } from './claims.ts';
import { Company } from './company.ts';
import { StoredEntry } from './entry.ts';
import { type Node, unavailable } from './node.ts';
import type { Ownership } from './ownership.ts';
import type { Partition } from './partition.ts';
import { kindOfId } from './rebuild.ts';
import { type Resident, revive } from './resident.ts';
import type {
  Answer,
  Birth,
  Born,
  Claim,
  Claimed,
  Envelope,
  JournalLine,
  Listing,
  Readiness,
  RecordLine,
  Refusal,
  Router,
  Shown,
  Sink,
  Stats,
  Subscribed,
  Topic,
  WorkerSession,
} from './router.ts';
import type { Outcome, Work } from './turn.ts';

/** How long a request waits for a partition that is being recovered (a start, a takeover), ms. */
const RECOVERY_PATIENCE_MS = 5000;
/** Random bytes of a key's secret: 256 bits. */
const SECRET_BYTES = 32;

export class LocalRouter implements Router {
  private readonly node: Node;
  private readonly ownership: Ownership;
  private readonly catalog: Catalog;
  private readonly boards: Boards;

  constructor(node: Node, ownership: Ownership, catalog: Catalog) {
    this.node = node;
    this.ownership = ownership;
    this.catalog = catalog;
    this.boards = new Boards(node);
  }

  // -- events --------------------------------------------------------------------------------

  async send(e: Envelope): Promise<Answer> {
    const at = this.placed(e.actorId) ?? (await this.place(e.actorId));
    if (isRefusal(at)) return this.counted(e.event.type, at);
    const company = this.companyAt(at, e.actorId) ?? (await this.companyOf(at, e.actorId));
    if (isRefusal(company)) return this.counted(e.event.type, company);
    const over = this.node.overload(at.number);
    if (over) return this.counted(e.event.type, over);
    return new Promise((resolve) => {
      const work: Work = { ...e };
      this.post(at, company, [work], (answer) => {
        if (isRefusal(answer)) return resolve(this.counted(e.event.type, answer));
        if (answer.is === 'ignored' || answer.is === 'born') {
          return resolve(this.counted(e.event.type, refuse('INTERNAL', `${e.event.type} came to nothing`)));
        }
        const { actor } = answer;
        const is = answer.is === 'renewed' ? 'unchanged' : answer.is;
        const ids = answer.is === 'renewed' ? [] : answer.ids;
        this.node.meter.answered(e.event.type, is);
        resolve({ is, version: answer.version, view: this.node.showing.committed(actor), ids });
      });
    });
  }

  async create(b: Birth): Promise<Born> {
    const at = this.placed(b.companyId) ?? (await this.place(b.companyId));
    if (isRefusal(at)) return this.counted('CREATED', at);
    const company = at.companies.get(b.companyId) ?? (await this.known(at, b.companyId));
    if (!company) return this.counted('CREATED', refuse('NOT_FOUND', 'there is no such company'));
    const kind = this.node.kinds.get(b.kind);
    if (!kind) throw new Error(`no kind ${b.kind}`);
    const over = this.node.overload(at.number);
    if (over) return this.counted('CREATED', over);
    const works = b.asked.map((asked, index): Work => {
      const of = { by: b.by, scope: company.id, key: b.key, index };
      const actorId = birthId(this.node.random, kind.letter, at.number, of);
      return { actorId, event: { type: 'CREATED' }, by: b.by, key: b.key, birth: { kind, asked } };
    });
    return new Promise((resolve) => {
      this.post(at, company, works, (answer) => {
        if (isRefusal(answer)) return resolve(this.counted('CREATED', answer));
        if (answer.is !== 'born') return resolve(refuse('INTERNAL', 'the creation came to nothing'));
        this.node.meter.answered('CREATED', answer.duplicate ? 'duplicate' : 'accepted');
        const items = answer.actors.map((actor) => ({
          id: actor.id,
          version: actor.committed?.version ?? 1,
          view: this.node.showing.committed(actor),
        }));
        resolve({ is: answer.duplicate ? 'duplicate' : 'accepted', items });
      });
    });
  }

  /** Posts works and answers once what the outcome was judged on is committed. */
  private post(
    at: Partition,
    company: Company,
    works: readonly Work[],
    done: (outcome: Exclude<Outcome, { is: 'refused' }> | Refusal) => void,
  ): void {
    this.node.post(at, {
      company,
      works,
      absent: new Set(),
      ended: (outcome, after) => {
        const answer = (committed: boolean) =>
          done(
            committed ? outcome : unavailable('it is not known whether this was committed; send it again'),
          );
        if (after) after.settled.push(answer);
        else answer(true);
      },
      failed: done,
    });
  }

  private counted(type: string, refusal: Refusal): Refusal {
    this.node.meter.answered(type, refusal.code);
    return refusal;
  }

  // -- claims --------------------------------------------------------------------------------

  claim(c: Claim): { answer: Promise<Claimed>; withdraw(): void } {
    let pending: PendingClaim | null = null;
    let withdrawn = false;
    let deadline: string | null = null;
    const answer = (async (): Promise<Claimed> => {
      const at = this.placed(c.pool) ?? (await this.place(c.pool));
      if (isRefusal(at)) return at;
      const company = await this.known(at, c.companyId);
      if (!company || (this.companyAt(at, c.pool) ?? (await this.companyOf(at, c.pool))) !== company) {
        return refuse('NOT_FOUND', 'there is no such agent');
      }
      const again = await this.grantedBefore(c);
      if (again.length > 0) return { is: 'granted', grants: again };
      if (withdrawn) return { is: 'granted', grants: [] };
      return new Promise<Claimed>((resolve) => {
        const claim = new PendingClaim(c, (answered) => {
          if (deadline !== null) this.node.clearDeadline(deadline);
          resolve(answered);
        });
        pending = claim;
        this.node.slots.pool(c.pool).claims.add(claim);
        this.node.post(at, {
          company,
          works: [],
          claim,
          absent: new Set(),
          ended: () => {
            if (claim.state !== 'waiting') return;
            if (c.waitMs <= 0) this.node.withdraw(claim);
            else deadline = this.node.setDeadline(claim);
          },
          failed: (refusal) => {
            this.node.slots.find(c.pool)?.claims.delete(claim);
            claim.answer(refusal);
          },
        });
      });
    })();
    return {
      answer,
      withdraw: () => {
        withdrawn = true;
        if (pending) this.node.withdraw(pending);
      },
    };
  }

  /** What this claim was granted already: its answer was lost, it is asked again (domain section 4). */
  private async grantedBefore(c: Claim): Promise<string[]> {
    const grants: string[] = [];
    for (const id of this.node.slots.find(c.pool)?.holds ?? []) {
      if (this.node.slots.slotOf(id)?.claim !== c.claimId) continue;
      const actor = this.node.residence.get(id);
      if (!actor) continue;
      if (actor.pending) {
        const { pending } = actor;
        await new Promise<void>((resolve) => pending.settled.push(() => resolve()));
      }
      const version = actor.committed;
      if (!version || actor.kind.slot(version.state)?.claim !== c.claimId) continue;
      const granted = actor.kind.granted?.(
        version.state,
        version.head,
        this.node.showing.runtimeOf(actor, version),
      );
      if (!granted) continue;
      const runId = actor.kind.lease?.(version.state)?.runId;
      if (runId !== undefined && c.session) this.node.sessions.granted(runId, c.session);
      grants.push(JSON.stringify(granted));
    }
    return grants;
  }

  async attach(pool: string, session: WorkerSession): Promise<{ detach(): void }> {
    this.node.sessions.attach(pool, session);
    const at = this.placed(pool) ?? (await this.place(pool));
    if (!isRefusal(at)) {
      for (const id of this.node.slots.find(pool)?.holds ?? []) {
        const actor = this.node.residence.get(id);
        const version = actor?.committed;
        if (!actor || !version) continue;
        for (const { frame } of actor.kind.owed?.(version.state) ?? []) session.send(frame);
      }
    }
    return { detach: () => this.node.sessions.detach(pool, session) };
  }

  // -- reads ---------------------------------------------------------------------------------

  async get(id: string): Promise<Shown | null> {
    if (!isId(id)) return null;
    const at = this.placed(id) ?? (await this.place(id));
    if (isRefusal(at)) throw refusalError(at);
    const actor = this.node.residence.get(id);
    if (actor?.committed) return this.shownActor(actor);
    const [row] = await this.node.store.load([id]);
    return row ? this.shownRow(row) : null;
  }

  async list(q: Listing): Promise<{ seq: number; items: Shown[] }> {
    const { minAttempt, text, ...rest } = q;
    const query: ListQuery = {
      ...rest,
      ...(minAttempt === undefined ? {} : { atLeast: { path: ['context', 'attempt'], value: minAttempt } }),
      ...(text === undefined ? {} : { contains: { keys: ['title', 'identifier'], text } }),
    };
    const { seq, rows } = await this.node.store.snapshot(query);
    const items: Shown[] = [];
    for (const row of rows) {
      const shown = this.shownRow(row);
      if (shown) items.push(shown);
    }
    return { seq, items };
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
    const rows = await this.node.store.history(actorId, after, limit);
    return rows.map((row) => new StoredEntry(kind, row));
  }

  async records(
    actorId: string,
    kind: string,
    limit: number,
    after?: { at: number; id: string },
  ): Promise<RecordLine[]> {
    return this.node.store.records(actorId, kind, limit, after);
  }

  async companyRecords(
    companyId: string,
    kind: string,
    limit: number,
    equals: { key: string; value: string } | null,
    after?: { actorId: string; id: string },
  ): Promise<RecordLine[]> {
    return this.node.store.companyRecords(companyId, kind, limit, equals, after);
  }

  async record(actorId: string, kind: string, id: string): Promise<RecordLine | null> {
    const row: RecordRow | null = await this.node.store.record(actorId, kind, id);
    return row;
  }

  async subscribe(topic: Topic, since: number | null, sink: Sink): Promise<Subscribed> {
    const at = this.placed(topic.companyId) ?? (await this.place(topic.companyId));
    if (isRefusal(at)) return at;
    const company = await this.known(at, topic.companyId);
    if (!company) return refuse('NOT_FOUND', 'there is no such company');
    const subscription = new Subscription(this.node, company, topic, sink);
    try {
      await subscription.open(since);
    } catch (error) {
      this.node.log('warn', 'a subscription could not be opened', { error: String(error) });
      return unavailable('the database does not answer');
    }
    return { is: 'open', close: () => subscription.close() };
  }

  async stats(companyId: string): Promise<Stats> {
    const at = this.placed(companyId) ?? (await this.place(companyId));
    if (isRefusal(at)) throw refusalError(at);
    const company = await this.known(at, companyId);
    if (!company) throw new Error('there is no such company');
    return this.boards.stats(company);
  }

  // -- companies, keys, logs -----------------------------------------------------------------

  async createCompany(c: { name: string; prefix: string }, by: Actor, key?: string) {
    const owned = [...this.node.partitions.values()].filter((p) => p.state === 'ready').map((p) => p.number);
    if (this.node.draining || owned.length === 0) {
      await this.anyReady();
      owned.push(
        ...[...this.node.partitions.values()].filter((p) => p.state === 'ready').map((p) => p.number),
      );
    }
    if (owned.length === 0) return unavailable('this node owns no partition yet');
    const number = birthPartition(this.node.random, owned, by, key);
    const id = birthId(this.node.random, LETTER.company, number, { by, scope: '', key, index: 0 });
    const made = await this.catalog.createCompany({ ...c, id, createdAt: this.node.clock.now() });
    if (made.is === 'made') {
      const partition = this.node.partitions.get(number);
      if (partition && !partition.companies.has(id)) {
        partition.companies.set(id, new Company({ companyId: id, prefix: c.prefix, seq: 0, ordinals: {} }));
      }
    }
    return made;
  }

  company(id: string): Promise<CompanyRow | null> {
    return isId(id, LETTER.company) ? this.catalog.company(id) : Promise.resolve(null);
  }

  companies(limit: number, after?: { createdAt: number; id: string }): Promise<CompanyRow[]> {
    return this.catalog.companies(limit, after);
  }

  async createKey(
    k: { companyId: string; role: KeyRow['role']; agentId: string | null; name: string | null },
    by: Actor,
    key?: string,
  ) {
    const of = { by, scope: k.companyId, key, index: 0 };
    const id = birthId(this.node.random, LETTER.key, partitionOf(k.companyId), of);
    const token = `${id}.${this.node.random.secret(SECRET_BYTES)}`;
    const made = await this.catalog.createKey({
      ...k,
      id,
      hash: createHash('sha256').update(token).digest('hex'),
      createdAt: this.node.clock.now(),
      createdBy: `${by.kind}:${by.id}`,
      revokedAt: null,
      revokedBy: null,
    });
    if (made.is === 'taken') return refuse('CONFLICT', 'the key exists');
    return { is: made.is, row: made.row, token: made.is === 'made' ? token : null };
  }

  key(id: string): Promise<KeyRow | null> {
    return isId(id, LETTER.key) ? this.catalog.key(id) : Promise.resolve(null);
  }

  keys(companyId: string, limit: number, after?: { createdAt: number; id: string }): Promise<KeyRow[]> {
    return this.catalog.keys(companyId, limit, after);
  }

  revokeKey(id: string, by: Actor): Promise<KeyRow | null> {
    return this.catalog.revokeKey(id, this.node.clock.now(), `${by.kind}:${by.id}`);
  }

  revoked(ids: readonly string[]): Promise<string[]> {
    return this.catalog.revoked(ids);
  }

  appendLog(runId: string, lines: readonly LogLine[]): Promise<void> {
    return this.catalog.appendLog(runId, lines);
  }

  log(runId: string, after: number, limit: number): Promise<(LogLine & { offset: number })[]> {
    return this.catalog.log(runId, after, limit);
  }

  // -- readiness -----------------------------------------------------------------------------

  readiness(): Readiness {
    const partitions = [...this.node.partitions.values()];
    const recovering = partitions.filter((p) => p.state === 'recovering').length;
    let reason: string | null = null;
    if (this.node.draining) reason = 'draining';
    else if (!this.ownership.serving)
      reason = `the database does not answer: ${this.ownership.lastError ?? 'connecting'}`;
    else if (partitions.length === 0) reason = 'owns no partition yet';
    else if (recovering > 0) reason = `recovering ${recovering} partitions`;
    return { ready: reason === null, reason, node: this.node.node, partitions: partitions.length };
  }

  /** The partition when it may serve right now: the common case, without a promise. */
  private placed(id: string): Partition | Refusal | null {
    const at = this.node.partition(id);
    if (isRefusal(at)) return at.code === 'DRAINING' ? at : null;
    if (at.state !== 'ready') return null;
    if (!this.ownership.serving) return unavailable('the node lease has run out; it is being renewed');
    return at;
  }

  /** Waits a while for a partition that is on its way; else says who has it. */
  private async place(id: string): Promise<Partition | Refusal> {
    const until = this.node.clock.monotonic() + RECOVERY_PATIENCE_MS;
    for (;;) {
      const at = this.node.partition(id);
      if (!isRefusal(at)) {
        await Promise.race([at.settled, this.pause(until - this.node.clock.monotonic())]);
        if (at.state === 'ready')
          return this.placed(id) ?? unavailable('the partition moved to another node');
      } else if (at.code === 'DRAINING') {
        return at;
      } else if (this.ownership.serving) {
        const owner = await this.ownerOf(partitionOf(id));
        if (owner !== null && owner !== this.node.node) {
          return unavailable(`node ${owner} owns this partition`, { owner });
        }
      }
      if (this.node.clock.monotonic() >= until) {
        return unavailable('this partition is not ready yet');
      }
      await this.pause(50);
    }
  }

  private async ownerOf(partition: number): Promise<string | null> {
    try {
      return (await this.node.store.owners([partition]))[0]?.owner ?? null;
    } catch {
      return null;
    }
  }

  private async anyReady(): Promise<void> {
    const until = this.node.clock.monotonic() + RECOVERY_PATIENCE_MS;
    while (this.node.clock.monotonic() < until && !this.node.draining) {
      if ([...this.node.partitions.values()].some((p) => p.state === 'ready')) return;
      await this.pause(20);
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.node.clock.after(Math.max(0, ms), resolve));
  }

  /** A company of this partition; one that another node has made since the takeover is looked up. */
  private async known(at: Partition, companyId: string): Promise<Company | null> {
    if (!at.companies.has(companyId)) {
      for (const counters of await this.node.store.counters([at.number])) {
        if (!at.companies.has(counters.companyId))
          at.companies.set(counters.companyId, new Company(counters));
      }
    }
    return at.companies.get(companyId) ?? null;
  }

  /** The company of an actor in memory: the common case, without a promise. */
  private companyAt(at: Partition, id: string): Company | null {
    const actor = this.node.residence.get(id);
    return (actor && at.companies.get(actor.companyId)) ?? null;
  }

  /** The company of an actor, loading the actor when it is not in memory. */
  private async companyOf(at: Partition, id: string): Promise<Company | Refusal> {
    try {
      await this.node.loader.load([id]);
      const actor = this.node.residence.get(id);
      const company = actor && (await this.known(at, actor.companyId));
      return company ?? refuse('NOT_FOUND', 'there is no such thing');
    } catch {
      return unavailable('the database does not answer');
    }
  }
}

function isRefusal(x: object): x is Refusal {
  return 'is' in x && (x.is === 'refused' || x.is === 'retry');
}

function refuse(code: Extract<Refusal, { is: 'refused' }>['code'], message: string): Refusal {
  return { is: 'refused', code, message, detail: {} };
}

function refusalError(refusal: Refusal): BatonError {
  const detail = refusal.is === 'retry' ? { retryAfterMs: refusal.afterMs } : refusal.detail;
  return new BatonError(refusal.code, refusal.message, detail);
}
