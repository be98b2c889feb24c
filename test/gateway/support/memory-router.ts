/**
 * A router in memory: small, faithful to the contract in router.ts, and without a database, partitions or timers. It
 * runs the real kinds through the real `step`, so views, refusals and effects are those of the product; every call is
 * "committed" at once. Not for the simulation: nothing here fails unless a test says so (`failing`).
 */
import { createHash } from 'node:crypto';
import type { Clock, Random } from '../../../src/clock.ts';
import { partitionOf } from '../../../src/ids.ts';
import { agentKind } from '../../../src/machines/agent-kind.ts';
import { issueKind } from '../../../src/machines/issue-kind.ts';
import type {
  Actor,
  ActorKind,
  Columns,
  Out,
  Persisted,
  Runtime,
  Stamp,
} from '../../../src/machines/kind.ts';
import { dotted, step, unborn } from '../../../src/machines/step.ts';
import type {
  Answer,
  Birth,
  Born,
  Claim,
  Claimed,
  Envelope,
  JournalLine,
  Listing,
  Published,
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
} from '../../../src/supervisor/router.ts';

type CompanyRow = NonNullable<Awaited<ReturnType<Router['company']>>>;
type KeyRow = NonNullable<Awaited<ReturnType<Router['key']>>>;
type Logged = Awaited<ReturnType<Router['log']>>[number];
type AnyKind = ActorKind<never, { type: string }>;

interface Live {
  readonly id: string;
  readonly companyId: string;
  readonly kind: AnyKind;
  readonly ordinal: number;
  version: number;
  state: Persisted<never>;
  head: Record<string, unknown>;
  readonly keys: Map<string, number>;
  readonly records: { kind: string; line: RecordLine }[];
  readonly journal: Entry[];
  session: WorkerSession | null;
}

interface Company {
  readonly row: CompanyRow;
  seq: number;
  readonly ordinals: Map<string, number>;
  readonly entries: Entry[];
  readonly listeners: Set<(entry: Entry) => void>;
}

interface Waiting {
  readonly claim: Claim;
  readonly answer: (claimed: Claimed) => void;
  disarm: () => void;
}

class Entry implements Published, JournalLine {
  readonly companyId: string;
  readonly seq: number;
  readonly actorId: string;
  readonly kind: string;
  readonly version: number;
  readonly type: string;
  readonly before: Columns | null;
  readonly after: Columns;
  readonly watchers: readonly string[];
  readonly at: number;
  readonly #change: Record<string, unknown>;
  readonly #view: string;
  readonly #stamp: Stamp;

  constructor(
    fields: Omit<Published, 'text'> & { change: Record<string, unknown>; view: string; stamp: Stamp },
  ) {
    this.companyId = fields.companyId;
    this.seq = fields.seq;
    this.actorId = fields.actorId;
    this.kind = fields.kind;
    this.version = fields.version;
    this.type = fields.type;
    this.before = fields.before;
    this.after = fields.after;
    this.watchers = fields.watchers;
    this.at = fields.stamp.at;
    this.#change = fields.change;
    this.#view = fields.view;
    this.#stamp = fields.stamp;
  }

  text(options: { view?: boolean; stamp: boolean }): string {
    const stamp = options.stamp ? { stamp: this.#stamp } : {};
    const view = options.view ? { [this.kind]: JSON.parse(this.#view) } : {};
    const seq = options.view === false ? { seq: this.version } : {};
    return JSON.stringify({ ...this.#change, ...seq, ...stamp, ...view });
  }
}

const POLICY = { delaysMs: [60_000, 120_000], jitter: 0, leaseMs: 30_000, stopGraceMs: 10_000 };
const PARTITION = 0x7f3;

export class MemoryRouter implements Router {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #kinds: ReadonlyMap<string, AnyKind>;
  readonly #companies = new Map<string, Company>();
  readonly #actors = new Map<string, Live>();
  readonly #keys = new Map<string, KeyRow>();
  readonly #made = new Map<string, unknown>();
  readonly #logs = new Map<string, Logged[]>();
  readonly #waiting: Waiting[] = [];
  readonly #workers = new Map<string, Set<WorkerSession>>();
  /** Set: what `send` is answered with, or thrown. */
  failing: Refusal | Error | null = null;
  ready = true;
  /** Calls of `revoked`, and the keys they were about. */
  readonly sweeps: (readonly string[])[] = [];

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#kinds = new Map<string, AnyKind>([
      ['issue', issueKind() as unknown as AnyKind],
      ['agent', agentKind(POLICY) as unknown as AnyKind],
    ]);
  }

  get waitingClaims(): number {
    return this.#waiting.length;
  }

  get subscriptions(): number {
    let count = 0;
    for (const company of this.#companies.values()) count += company.listeners.size;
    return count;
  }

  attached(pool: string): number {
    return this.#workers.get(pool)?.size ?? 0;
  }

  // -- events --------------------------------------------------------------------------------

  async send(e: Envelope): Promise<Answer> {
    if (this.failing instanceof Error) throw this.failing;
    if (this.failing !== null) return this.failing;
    const actor = this.#actors.get(e.actorId);
    if (actor === undefined) return refuse('NOT_FOUND', 'there is no such thing');
    const keyed = e.key === undefined ? null : `${e.by.kind} ${e.by.id} ${e.key}`;
    const first = keyed === null ? undefined : actor.keys.get(keyed);
    if (first !== undefined) return { is: 'duplicate', version: first, view: this.#view(actor), ids: [] };
    if (e.expectedVersion !== undefined && e.expectedVersion !== actor.version) {
      return refuse('CONFLICT', 'it has changed meanwhile', { version: actor.version });
    }
    const led = e.first && this.#apply(actor, e.first, e.by);
    if (led?.is === 'refused') return led;
    const answer = this.#apply(actor, e.event, e.by);
    if (led && answer.is === 'refused') throw new Error(`${e.event.type} refused after ${e.first?.type}`);
    if (answer.is === 'accepted' && keyed !== null) actor.keys.set(keyed, answer.version);
    this.#grant();
    return 'view' in answer ? { ...answer, view: this.#view(actor) } : answer;
  }

  #apply(actor: Live, event: { type: string }, by: Actor): Answer {
    const { kind } = actor;
    const stamp = this.#stamp(actor.companyId, kind.draws(event), kind.reads(event, actor.state));
    const verdict = kind.judge({ ...event, stamp, by } as never, actor.state);
    switch (verdict.is) {
      case 'refused':
        if (verdict.then) this.#step(actor, verdict.then, stamp, by);
        return refuse(verdict.code, verdict.message, verdict.detail);
      case 'apply':
        this.#step(actor, verdict.event ?? event, stamp, by);
        return { is: 'accepted', version: actor.version, view: '', ids: stamp.ids };
      default:
        return { is: 'unchanged', version: actor.version, view: '', ids: [] };
    }
  }

  #stamp(companyId: string, draws: number, reads: readonly string[]): Stamp {
    const ids = Array.from({ length: draws }, () => this.#random.id('m', partitionOf(companyId)));
    const facts: Record<string, Record<string, unknown>> = {};
    for (const id of reads) {
      const other = this.#actors.get(id);
      if (other?.companyId === companyId) facts[id] = other.kind.facts(other.state);
    }
    return { at: this.#clock.now(), u: 0.5, ids, facts };
  }

  #step(actor: Live, event: { type: string }, stamp: Stamp, by: Actor): void {
    const { kind } = actor;
    const company = this.#companies.get(actor.companyId) as Company;
    const before = actor.version === 0 ? null : actor.state;
    const { next, handled, out } = step(kind.machine, actor.state, { ...event, stamp, by } as never);
    if (!handled) throw new Error(`${event.type} was judged and not handled`);
    actor.state = next as Persisted<never>;
    actor.version += 1;
    company.seq += 1;
    for (const o of out) this.#announce(actor, o, stamp);
    const effects = out.filter((o) => o.out === 'effect').map(({ type, data }) => ({ type, data }));
    const entry = new Entry({
      companyId: actor.companyId,
      seq: company.seq,
      actorId: actor.id,
      kind: kind.kind,
      version: actor.version,
      type: event.type,
      at: stamp.at,
      before: before && kind.columns(before),
      after: kind.columns(actor.state),
      watchers: kind.watchers(before, actor.state),
      view: this.#view(actor),
      stamp,
      change: {
        seq: company.seq,
        companyId: actor.companyId,
        [`${kind.kind}Id`]: actor.id,
        version: actor.version,
        type: event.type,
        from: before && dotted(before.value),
        to: dotted(actor.state.value),
        actor: by,
        at: stamp.at,
        data: kind.data(event),
        effects,
      },
    });
    actor.journal.push(entry);
    company.entries.push(entry);
    for (const listener of [...company.listeners]) listener(entry);
  }

  #announce(actor: Live, o: Out, stamp: Stamp): void {
    if (o.out === 'record') {
      const record = JSON.stringify(o.record);
      actor.records.push({ kind: o.kind, line: { actorId: actor.id, id: o.id, at: stamp.at, record } });
    } else if (o.out === 'head') {
      actor.head = { ...actor.head, ...o.patch };
    } else if (o.out === 'notify') {
      actor.session?.send(o.frame);
    } else if (o.out === 'tell') {
      for (const other of this.#actors.values()) {
        const slot = other.kind.slot(other.state);
        if (slot?.mode === 'holds' && slot.pool === o.pool) this.#apply(other, o.event, SYSTEM);
      }
    }
  }

  async create(b: Birth): Promise<Born> {
    const company = this.#companies.get(b.companyId);
    const kind = this.#kinds.get(b.kind);
    if (company === undefined || kind === undefined) return refuse('NOT_FOUND', 'there is no such company');
    const key = b.key === undefined ? null : `${b.kind} ${b.companyId} ${b.by.id} ${b.key}`;
    const before = key === null ? undefined : (this.#made.get(key) as string[] | undefined);
    if (before !== undefined) return { is: 'duplicate', items: before.map((id) => this.#item(id)) };
    const births: { actor: Live; event: { type: string }; stamp: Stamp }[] = [];
    let ordinal = company.ordinals.get(kind.kind) ?? 0;
    for (const asked of b.asked) {
      ordinal += 1;
      const id = this.#random.id(kind.letter, PARTITION);
      const event = kind.born(asked, { id, prefix: company.row.prefix, ordinal });
      const stamp = this.#stamp(b.companyId, kind.draws(event), kind.reads(event, null));
      const refused = kind.judgeBirth({ ...event, stamp, by: b.by } as never);
      if (refused) return refuse(refused.code, refused.message, refused.detail);
      const actor: Live = {
        id,
        companyId: b.companyId,
        kind,
        ordinal,
        version: 0,
        state: unborn(kind.machine) as Persisted<never>,
        head: {},
        keys: new Map(),
        records: [],
        journal: [],
        session: null,
      };
      births.push({ actor, event, stamp });
    }
    company.ordinals.set(kind.kind, ordinal);
    for (const { actor, event, stamp } of births) {
      this.#actors.set(actor.id, actor);
      this.#step(actor, event, stamp, b.by);
    }
    this.#grant();
    const ids = births.map(({ actor }) => actor.id);
    if (key !== null) this.#made.set(key, ids);
    return { is: 'accepted', items: ids.map((id) => this.#item(id)) };
  }

  #item(id: string) {
    const actor = this.#actors.get(id) as Live;
    return { id, version: actor.version, view: this.#view(actor) };
  }

  // -- claims --------------------------------------------------------------------------------

  claim(c: Claim): { answer: Promise<Claimed>; withdraw(): void } {
    let waiting: Waiting | null = null;
    const answer = new Promise<Claimed>((resolve) => {
      const again = [...this.#actors.values()].filter(
        (actor) => actor.kind.slot(actor.state)?.claim === c.claimId,
      );
      if (again.length > 0) {
        resolve({ is: 'granted', grants: again.map((actor) => this.#granted(actor)) });
        return;
      }
      waiting = { claim: c, answer: resolve, disarm: () => {} };
      this.#waiting.push(waiting);
      this.#grant();
      const entry = waiting;
      if (!this.#waiting.includes(entry)) return;
      if (c.waitMs === 0) this.#withdraw(entry);
      else entry.disarm = this.#clock.after(c.waitMs, () => this.#withdraw(entry));
    });
    return {
      answer,
      withdraw: () => {
        if (waiting) this.#withdraw(waiting);
      },
    };
  }

  #withdraw(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting);
    if (at === -1) return;
    this.#waiting.splice(at, 1);
    waiting.disarm();
    waiting.answer({ is: 'granted', grants: [] });
  }

  #grant(): void {
    for (const waiting of [...this.#waiting]) {
      const { claim } = waiting;
      const grants: string[] = [];
      while (grants.length < claim.max) {
        const next = this.#grantable(claim.pool);
        if (next === null) break;
        next.session = claim.session;
        this.#apply(next, next.kind.grant?.(claim.claimId) as { type: string }, SYSTEM);
        grants.push(this.#granted(next));
      }
      if (grants.length === 0) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.disarm();
      waiting.answer({ is: 'granted', grants });
    }
  }

  #grantable(pool: string): Live | null {
    const agent = this.#actors.get(pool);
    const capacity = agent?.kind.capacity?.(agent.state);
    if (!capacity?.open || this.#slots(pool, 'holds').length >= capacity.max) return null;
    const rank = (actor: Live) => actor.kind.slot(actor.state)?.rank ?? 0;
    return this.#slots(pool, 'wants').sort((a, b) => rank(a) - rank(b))[0] ?? null;
  }

  #slots(pool: string, mode: 'wants' | 'holds'): Live[] {
    return [...this.#actors.values()].filter((actor) => {
      const slot = actor.kind.slot(actor.state);
      return slot?.pool === pool && slot.mode === mode;
    });
  }

  #granted(actor: Live): string {
    return JSON.stringify(actor.kind.granted?.(actor.state, actor.head, this.#runtime(actor)));
  }

  async attach(pool: string, session: WorkerSession): Promise<{ detach(): void }> {
    const set = this.#workers.get(pool) ?? new Set();
    this.#workers.set(pool, set.add(session));
    for (const actor of this.#slots(pool, 'holds')) {
      for (const { frame } of actor.kind.owed?.(actor.state) ?? []) session.send(frame);
    }
    return { detach: () => set.delete(session) };
  }

  // -- reads ---------------------------------------------------------------------------------

  async get(id: string): Promise<Shown | null> {
    const actor = this.#actors.get(id);
    return actor === undefined ? null : this.#shown(actor);
  }

  async index(q: Listing) {
    const { seq, items } = await this.list(q);
    const array = (of: (item: Shown) => unknown) => JSON.stringify(items.map(of));
    return {
      seq,
      count: items.length,
      ordinals: array((item) => item.ordinal),
      ids: array((item) => item.id),
      dues: array(({ view }) => (JSON.parse(view) as { nextAt?: number }).nextAt ?? null),
    };
  }

  async list(q: Listing): Promise<{ seq: number; items: Shown[] }> {
    const text = q.text?.toLowerCase();
    const items = [...this.#actors.values()].filter((actor) => {
      const columns = actor.kind.columns(actor.state);
      const { attempt = 0 } = actor.state.context as { attempt?: number };
      const { title = '', identifier = '' } = actor.head as { title?: string; identifier?: string };
      return (
        actor.companyId === q.companyId &&
        actor.kind.kind === q.kind &&
        actor.ordinal > (q.after ?? 0) &&
        (q.ordinal === undefined || actor.ordinal === q.ordinal) &&
        ((q.states === undefined && q.substates === undefined) ||
          q.states?.includes(columns.state) ||
          q.substates?.includes(`${columns.state}.${columns.substate}`)) &&
        (q.assignee === undefined || columns.assignee === q.assignee) &&
        (q.priorities === undefined || q.priorities.includes(columns.priority)) &&
        (q.minAttempt === undefined || attempt >= q.minAttempt) &&
        (text === undefined || `${title}\n${identifier}`.toLowerCase().includes(text))
      );
    });
    const seq = this.#companies.get(q.companyId)?.seq ?? 0;
    return { seq, items: items.slice(0, q.limit).map((actor) => this.#shown(actor)) };
  }

  #shown(actor: Live): Shown {
    const { id, companyId, ordinal, version, state, head } = actor;
    return { id, companyId, kind: actor.kind.kind, ordinal, version, state, head, view: this.#view(actor) };
  }

  #view(actor: Live): string {
    return JSON.stringify(actor.kind.view(actor.state, actor.head, this.#runtime(actor)));
  }

  #runtime(actor: Live): Runtime {
    const { id, companyId, version, kind, state } = actor;
    const none = { leaseUntil: null, progress: null, note: null, pool: null, quarantined: null };
    const lease = kind.lease?.(state) ?? null;
    return { id, companyId, version, ...none, leaseUntil: lease && this.#clock.now() + lease.ms };
  }

  async journal(actorId: string, after: number, limit: number): Promise<JournalLine[]> {
    const entries = this.#actors.get(actorId)?.journal ?? [];
    return entries.filter((entry) => entry.version > after).slice(0, limit);
  }

  async version(actorId: string, version: number): Promise<Published | null> {
    return this.#actors.get(actorId)?.journal[version - 1] ?? null;
  }

  async records(actorId: string, kind: string, limit: number, after?: { at: number; id: string }) {
    const order = (r: { at: number; id: string }) => `${String(r.at).padStart(16, '0')} ${r.id}`;
    const lines = (this.#actors.get(actorId)?.records ?? [])
      .filter((r) => r.kind === kind)
      .map((r) => r.line);
    lines.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    return lines.filter((line) => after === undefined || order(line) > order(after)).slice(0, limit);
  }

  async companyRecords(
    companyId: string,
    kind: string,
    limit: number,
    equals: { key: string; value: string } | null,
    after?: { actorId: string; id: string },
  ): Promise<RecordLine[]> {
    const order = (r: { actorId: string; id: string }) => `${r.actorId} ${r.id}`;
    const lines: RecordLine[] = [];
    for (const actor of this.#actors.values()) {
      if (actor.companyId !== companyId) continue;
      for (const { kind: of, line } of actor.records) {
        if (of !== kind || (after !== undefined && order(line) <= order(after))) continue;
        if (equals === null || JSON.parse(line.record)[equals.key] === equals.value) lines.push(line);
      }
    }
    return lines.sort((a, b) => (order(a) < order(b) ? -1 : 1)).slice(0, limit);
  }

  async record(actorId: string, kind: string, id: string): Promise<RecordLine | null> {
    const found = this.#actors.get(actorId)?.records.find((r) => r.kind === kind && r.line.id === id);
    return found?.line ?? null;
  }

  async subscribe(topic: Topic, since: number | null, sink: Sink): Promise<Subscribed> {
    const company = this.#companies.get(topic.companyId);
    if (company === undefined) return refuse('NOT_FOUND', 'there is no such company');
    const fits = (entry: Entry): boolean => {
      switch (topic.is) {
        case 'company': {
          const columns = [entry.before, entry.after];
          return entry.kind === 'issue' && columns.some((c) => c !== null && matches(topic.where, c));
        }
        case 'pool':
          return entry.actorId === topic.id || entry.watchers.includes(topic.id);
        default:
          return entry.actorId === topic.id;
      }
    };
    const isJournal = topic.is === 'journal';
    const head = isJournal ? (this.#actors.get(topic.id)?.version ?? 0) : company.seq;
    const from = isJournal ? (since ?? 0) : since;
    const recovered = from !== null && from <= head;
    sink.opened({ recovered, seq: head });
    if (recovered) {
      const number = (entry: Entry) => (isJournal ? entry.version : entry.seq);
      for (const entry of company.entries) if (fits(entry) && number(entry) > from) sink.change(entry);
    } else {
      const items = [...this.#actors.values()].filter((actor) => {
        const columns = actor.kind.columns(actor.state);
        if (actor.companyId !== topic.companyId) return false;
        if (topic.is !== 'company') return actor.id === topic.id;
        return actor.kind.kind === 'issue' && matches(topic.where, columns);
      });
      const views = items.slice(0, 1000).map((actor) => this.#view(actor));
      sink.snapshot({ seq: head, items: views, more: items.length > 1000 });
    }
    const listener = (entry: Entry) => {
      if (fits(entry)) sink.change(entry);
    };
    company.listeners.add(listener);
    return { is: 'open', close: () => company.listeners.delete(listener) };
  }

  async stats(companyId: string): Promise<Stats> {
    const byState: Record<string, number> = {};
    const bySubstate: Record<string, number> = {};
    for (const actor of this.#actors.values()) {
      if (actor.companyId !== companyId || actor.kind.kind !== 'issue') continue;
      const name = dotted(actor.state.value);
      const [state = ''] = name.split('.');
      byState[state] = (byState[state] ?? 0) + 1;
      if (state !== name) bySubstate[name] = (bySubstate[name] ?? 0) + 1;
    }
    const seq = this.#companies.get(companyId)?.seq ?? 0;
    return { companyId, seq, byState, bySubstate, dueInNextHour: 0, eventsPerSecond: 0, transitions: [] };
  }

  // -- companies, keys, logs -----------------------------------------------------------------

  async createCompany(c: { name: string; prefix: string }, by: Actor, key?: string) {
    const made = key === undefined ? undefined : this.#made.get(`company ${by.id} ${key}`);
    if (made !== undefined) return { is: 'duplicate' as const, row: made as CompanyRow };
    if ([...this.#companies.values()].some(({ row }) => row.prefix === c.prefix))
      return { is: 'taken' as const };
    const row = { ...c, id: this.#random.id('c', PARTITION), createdAt: this.#clock.now() };
    this.#companies.set(row.id, { row, seq: 0, ordinals: new Map(), entries: [], listeners: new Set() });
    if (key !== undefined) this.#made.set(`company ${by.id} ${key}`, row);
    return { is: 'made' as const, row };
  }

  async company(id: string): Promise<CompanyRow | null> {
    return this.#companies.get(id)?.row ?? null;
  }

  async companies(limit: number, after?: { createdAt: number; id: string }): Promise<CompanyRow[]> {
    return byTime(
      [...this.#companies.values()].map(({ row }) => row),
      limit,
      after,
    );
  }

  async createKey(
    k: { companyId: string; role: KeyRow['role']; agentId: string | null; name: string | null },
    by: Actor,
    key?: string,
  ) {
    const made = key === undefined ? undefined : this.#made.get(`key ${by.id} ${key}`);
    if (made !== undefined) return { is: 'duplicate' as const, row: made as KeyRow, token: null };
    const id = this.#random.id('k', PARTITION);
    const token = `${id}.${this.#random.secret(32)}`;
    const row: KeyRow = {
      ...k,
      id,
      hash: createHash('sha256').update(token).digest('hex'),
      createdAt: this.#clock.now(),
      createdBy: `${by.kind}:${by.id}`,
      revokedAt: null,
      revokedBy: null,
    };
    this.#keys.set(id, row);
    if (key !== undefined) this.#made.set(`key ${by.id} ${key}`, row);
    return { is: 'made' as const, row, token };
  }

  async key(id: string): Promise<KeyRow | null> {
    return this.#keys.get(id) ?? null;
  }

  async keys(companyId: string, limit: number, after?: { createdAt: number; id: string }): Promise<KeyRow[]> {
    return byTime(
      [...this.#keys.values()].filter((key) => key.companyId === companyId),
      limit,
      after,
    );
  }

  async revokeKey(id: string, by: Actor): Promise<{ is: 'revoked'; row: KeyRow } | null> {
    const key = this.#keys.get(id);
    if (key === undefined) return null;
    const revoked = { ...key, revokedAt: this.#clock.now(), revokedBy: `${by.kind}:${by.id}` };
    this.#keys.set(id, revoked);
    return { is: 'revoked', row: revoked };
  }

  async revoked(ids: readonly string[]): Promise<string[]> {
    this.sweeps.push(ids);
    return ids.filter((id) => (this.#keys.get(id)?.revokedAt ?? null) !== null || !this.#keys.has(id));
  }

  async appendLog(runId: string, lines: readonly Omit<Logged, 'offset'>[], key?: string) {
    if (key !== undefined && this.#made.has(`log ${runId} ${key}`)) return 'duplicate';
    if (key !== undefined) this.#made.set(`log ${runId} ${key}`, true);
    const log = this.#logs.get(runId) ?? [];
    for (const line of lines) log.push({ ...line, offset: log.length + 1 });
    this.#logs.set(runId, log);
    return 'appended';
  }

  async log(runId: string, after: number, limit: number): Promise<Logged[]> {
    return (this.#logs.get(runId) ?? []).filter((line) => line.offset > after).slice(0, limit);
  }

  readiness(): Readiness {
    const reason = this.ready ? null : 'the database does not answer';
    return { ready: this.ready, reason, node: 'n1', partitions: 1 };
  }
}

const SYSTEM: Actor = { kind: 'system', id: 'system' };

function refuse(
  code: Extract<Refusal, { is: 'refused' }>['code'],
  message: string,
  detail: Record<string, unknown> = {},
): Refusal {
  return { is: 'refused', code, message, detail };
}

function matches(where: Extract<Topic, { is: 'company' }>['where'], c: Columns): boolean {
  return (
    (where?.states === undefined || where.states.includes(c.state)) &&
    (where?.assignee === undefined || where.assignee === c.assignee) &&
    (where?.priorities === undefined || where.priorities.includes(c.priority))
  );
}

function byTime<T extends { createdAt: number; id: string }>(
  rows: readonly T[],
  limit: number,
  after?: { createdAt: number; id: string },
): T[] {
  const order = (r: { createdAt: number; id: string }) => `${String(r.createdAt).padStart(16, '0')} ${r.id}`;
  const sorted = [...rows].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return sorted.filter((row) => after === undefined || order(row) > order(after)).slice(0, limit);
}
