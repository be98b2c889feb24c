/**
 * The store on PostgreSQL ≥ 14. Commits, reads and leases have connections of their own, so that none waits behind
 * another kind: a slow list does not delay a commit, a full backlog of commits does not delay a heartbeat. Each commit
 * that runs at the same time has its own connection with the statement prepared (architecture A4); a connection that
 * failed is closed and replaced at the next use.
 *
 * Reads reject when the database does not answer; `commit` never does.
 */
import pg from 'pg';
import { partitionOf } from '../ids.ts';
import { COMMIT, encode } from './commit.ts';
import { due } from './due.ts';
import { Leases } from './leases.ts';
import { indexStatement, listAnswer, listStatement } from './list.ts';
import { MigrationError } from './migrate.ts';
import {
  asError,
  blamesData,
  connection,
  type DatabaseOptions,
  openPool,
  type Pool,
  patienceOf,
  tookTooLong,
} from './pool.ts';
import { prune } from './prune.ts';
import * as queries from './queries.ts';
import type {
  ActorRow,
  Batch,
  Committed,
  Counters,
  Counts,
  EntryRow,
  Held,
  ListIndex,
  ListQuery,
  Owned,
  RecordRow,
  Store,
} from './store.ts';

/** Actors in one page of `live`. */
const LIVE_PAGE = 1_000;
/** The oldest PostgreSQL whose behaviour the statements were checked against. */
const OLDEST = 140_000;

/** Even the largest batch on the slowest disk is done within this, ms. */
const LONGEST_COMMIT_MS = 600_000;

export class PostgresStore implements Store {
  readonly #options: DatabaseOptions;
  /** What the next attempt at a batch is given that took the server too long, ms: else it would be sent for ever. */
  readonly #patience = new WeakMap<Batch, number>();
  readonly #commits: Pool;
  readonly #reads: Pool;
  readonly #leases: Leases;

  /** Opens nothing yet: the first call does. Migrations must have been applied (`migrate`). */
  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#commits = openPool(options, options.commitConnections ?? 4);
    this.#reads = openPool(options, options.readConnections ?? 4);
    this.#leases = new Leases(options);
  }

  async commit(batch: Batch): Promise<Committed> {
    const encoded = encode(batch);
    if (encoded.is === 'unstorable') return rejected(new Error(`control characters in ${encoded.column}`));
    try {
      const answer = await this.#send(batch, encoded.values);
      return { is: 'committed', proved: new Set(answer.rows[0]!.proved) };
    } catch (thrown) {
      if (tookTooLong(thrown)) {
        const given = this.#patience.get(batch) ?? patienceOf(this.#options);
        this.#patience.set(batch, Math.min(2 * given, LONGEST_COMMIT_MS));
      }
      const error = asError(thrown);
      return blamesData(thrown) ? rejected(error) : { is: 'unknown', error };
    }
  }

  async #send(batch: Batch, values: string[]): Promise<pg.QueryResult<{ proved: number[] }>> {
    const queryTimeoutMs = this.#patience.get(batch);
    if (queryTimeoutMs === undefined) return this.#commits.query<{ proved: number[] }>({ ...COMMIT, values });
    // The limit is the session's: it gets one of its own.
    const client = new pg.Client(connection({ ...this.#options, queryTimeoutMs }));
    client.on('error', (error) => this.#options.onTrouble?.(error));
    try {
      await client.connect();
      return await client.query<{ proved: number[] }>({ ...COMMIT, values });
    } finally {
      client.end().catch(() => {});
    }
  }

  beat(node: string): Promise<{ databaseNow: number; owned: number }> {
    return this.#leases.beat(node);
  }

  /** One store serves one node. */
  onDoubt(_node: string, listener: () => void): void {
    this.#leases.onDoubt(listener);
  }

  acquire(node: string, ttlMs: number, want: number, holding: ReadonlySet<number>): Promise<Owned[]> {
    return this.#leases.acquire(node, ttlMs, want, holding);
  }

  renew(): void {
    this.#commits.cut();
    this.#reads.cut();
    this.#leases.renew();
  }

  release(node: string, partitions: readonly number[]): Promise<void> {
    return this.#leases.release(node, partitions);
  }

  /** A read like others: asked for each request that came to the wrong node, it must not keep a heartbeat waiting. */
  owners(partitions: readonly number[]) {
    return this.#read<{ partition: number; owner: string | null; epoch: number }>(queries.OWNERS, [
      partitions,
    ]);
  }

  async load(ids: readonly string[]): Promise<ActorRow[]> {
    const wanted = [...new Set(ids)].filter((id) => !Number.isNaN(partitionOf(id)));
    if (wanted.length === 0) return [];
    return this.#read<ActorRow>(queries.LOAD, [wanted.map(partitionOf), wanted]);
  }

  async *live(partitions: readonly number[]): AsyncGenerator<ActorRow[]> {
    let last: [partition: number, id: string] = [-1, ''];
    while (true) {
      const page: ActorRow[] = await this.#read(queries.LIVE, [partitions, ...last, LIVE_PAGE]);
      if (page.length > 0) yield page;
      const end = page.at(-1);
      if (end === undefined || page.length < LIVE_PAGE) return;
      last = [end.partition, end.id];
    }
  }

  async counters(partitions: readonly number[]): Promise<Counters[]> {
    const rows = await this.#read<Counters & { ordinals: string }>(queries.COUNTERS, [partitions]);
    return rows.map((row) => ({ ...row, ordinals: JSON.parse(row.ordinals) as Record<string, number> }));
  }

  due(partitions: ReadonlySet<number>, before: number, limit: number, after?: { dueAt: number; id: string }) {
    return due(this.#reads, partitions, before, limit, after);
  }

  async snapshot(query: ListQuery): Promise<{ seq: number; rows: ActorRow[] }> {
    const { text, values } = listStatement(query);
    const answer = await this.#reads.query<ActorRow & { seq: number }>(text, values);
    return listAnswer(answer.rows);
  }

  async index(query: ListQuery): Promise<ListIndex> {
    const { text, values } = indexStatement(query);
    const answer = await this.#reads.query<ListIndex & pg.QueryResultRow>(text, values);
    return answer.rows[0]!;
  }

  async counts(companyId: string, dueBefore: number): Promise<Counts> {
    type Group = Counts['rows'][number] & { seq: number; due: number };
    const values = [partitionOf(companyId), companyId, dueBefore];
    const answer = await this.#read<Group>(queries.COUNTS, values);
    const groups = answer.filter((row) => row.kind !== null);
    return {
      seq: answer[0]!.seq,
      rows: groups.map(({ kind, state, substate, count }) => ({ kind, state, substate, count })),
      due: groups.reduce((sum, row) => sum + row.due, 0),
    };
  }

  async entries(companyId: string, after: number, limit: number) {
    const values = [partitionOf(companyId), companyId, after, limit];
    const answer = await this.#read<EntryRow & { last: number; oldest: number }>(queries.ENTRIES, values);
    const { last: head, oldest } = answer[0]!;
    const entries: EntryRow[] = answer
      .filter((row) => row.seq !== null)
      .map(({ last: _, oldest: __, ...entry }) => entry);
    return { oldest, head, entries };
  }

  history(actorId: string, after: number, limit: number): Promise<EntryRow[]> {
    return this.#read<EntryRow>(queries.HISTORY, [partitionOf(actorId), actorId, after, limit]);
  }

  records(
    actorId: string,
    kind: string,
    limit: number,
    after?: { at: number; id: string },
  ): Promise<RecordRow[]> {
    const from = [after?.at ?? Number.MIN_SAFE_INTEGER, after?.id ?? ''];
    return this.#read<RecordRow>(queries.RECORDS, [partitionOf(actorId), actorId, kind, ...from, limit]);
  }

  companyRecords(
    companyId: string,
    kind: string,
    limit: number,
    equals: { key: string; value: string } | null,
    after?: { actorId: string; id: string },
  ): Promise<RecordRow[]> {
    const values = [
      partitionOf(companyId),
      companyId,
      kind,
      after?.actorId ?? '',
      after?.id ?? '',
      equals?.key ?? null,
      equals?.value ?? null,
      limit,
    ];
    return this.#read<RecordRow>(queries.COMPANY_RECORDS, values);
  }

  async record(actorId: string, kind: string, id: string): Promise<RecordRow | null> {
    const values = [partitionOf(actorId), actorId, kind, id];
    const rows = await this.#read<RecordRow>(queries.RECORD_ONE, values);
    return rows[0] ?? null;
  }

  prune(
    held: Held,
    before: number,
    ended: readonly string[],
    keepEntries: number,
    limit: number,
  ): Promise<number> {
    return prune(this.#reads, held, before, ended, keepEntries, limit);
  }

  /** Refuses what would break the promise of an acknowledgement, or what the statements were never checked on. */
  async check(): Promise<{ product: string; version: string }> {
    const answer = await this.#reads.query<{ version: string; number: string; synchronous: string }>(
      `select current_setting('server_version') as version, current_setting('server_version_num') as number,
        current_setting('synchronous_commit') as synchronous`,
    );
    const { version, number, synchronous } = answer.rows[0]!;
    if (Number(number) < OLDEST)
      throw new MigrationError(`PostgreSQL ${version} is too old: version 14 or later is needed`);
    if (synchronous === 'off' || synchronous === 'local')
      throw new MigrationError(
        `synchronous_commit is ${synchronous}: an acknowledged event could be lost. Set it to on for this database or role.`,
      );
    return { product: 'PostgreSQL', version };
  }

  async close(): Promise<void> {
    await Promise.all([this.#commits.end(), this.#reads.end(), this.#leases.close()]);
  }

  async #read<T extends object>(statement: { name: string; text: string }, values: unknown[]): Promise<T[]> {
    const answer = await this.#reads.query<T & pg.QueryResultRow>({ ...statement, values });
    return answer.rows;
  }
}

function rejected(error: Error): Committed {
  const journalled = error instanceof pg.DatabaseError && error.constraint === 'journal_version';
  return { is: 'rejected', error, journalled };
}
