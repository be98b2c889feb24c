/** Companies, keys and run logs on PostgreSQL: what is not an actor. Rarely written; each call stands for itself. */
import pg from 'pg';
import { partitionOf } from '../ids.ts';
import type { Appended, Catalog, CompanyRow, KeyRow, LogLine, Made } from './catalog.ts';
import { LOG_LINES } from './memory-catalog.ts';
import { type DatabaseOptions, openPool } from './pool.ts';

const COMPANY = 'id, name, prefix, created_at as "createdAt"';
const KEY = `id, company_id as "companyId", role, agent_id as "agentId", name, hash, created_at as "createdAt",
  created_by as "createdBy", revoked_at as "revokedAt", revoked_by as "revokedBy"`;

/** Two appends to one run's log at the same time collide on an offset or on their key; one of them goes again. */
const APPEND_ATTEMPTS = 5;

const APPEND = `
with last as (
  select coalesce(max("offset"), 0) as n from run_logs where partition = $1 and run_id = $2
), known as (
  select from run_logs where partition = $1 and run_id = $2 and key = $7::text
), old as (
  delete from run_logs where partition = $1 and run_id = $2 and "offset" <= (select n from last) + $3 - ${LOG_LINES}
    and not exists (select from known)
)
insert into run_logs (partition, run_id, "offset", at, stream, text, key)
select $1, $2, last.n + l.n, l.at, l.stream, l.text, case when l.n = $3 then $7::text end
from last, unnest($4::bigint[], $5::text[], $6::text[]) with ordinality l(at, stream, text, n)
where l.n > $3 - ${LOG_LINES} and not exists (select from known)`;

export class PostgresCatalog implements Catalog {
  readonly #pool: pg.Pool;

  constructor(options: DatabaseOptions) {
    this.#pool = openPool(options, 2);
  }

  async createCompany(row: CompanyRow): Promise<Made<CompanyRow>> {
    const made = await this.#rows<CompanyRow>(
      `insert into companies (partition, id, name, prefix, created_at) values ($1, $2, $3, $4, $5)
       on conflict do nothing returning ${COMPANY}`,
      [partitionOf(row.id), row.id, row.name, row.prefix, row.createdAt],
    );
    if (made[0] !== undefined) return { is: 'made', row: made[0] };
    const there = await this.company(row.id);
    return there === null ? { is: 'taken' } : { is: 'duplicate', row: there };
  }

  async company(id: string): Promise<CompanyRow | null> {
    const rows = await this.#rows<CompanyRow>(
      `select ${COMPANY} from companies where partition = $1 and id = $2`,
      [partitionOf(id), id],
    );
    return rows[0] ?? null;
  }

  companies(limit: number, after?: { createdAt: number; id: string }): Promise<CompanyRow[]> {
    return this.#rows<CompanyRow>(
      `select ${COMPANY} from companies where (created_at, id) > ($1, $2) order by created_at, id limit $3`,
      [...from(after), limit],
    );
  }

  async createKey(row: KeyRow): Promise<Made<KeyRow>> {
    const made = await this.#rows<KeyRow>(
      `insert into api_keys (partition, id, company_id, role, agent_id, name, hash, created_at, created_by, revoked_at,
         revoked_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       on conflict do nothing returning ${KEY}`,
      [
        partitionOf(row.id),
        row.id,
        row.companyId,
        row.role,
        row.agentId,
        row.name,
        row.hash,
        row.createdAt,
        row.createdBy,
        row.revokedAt,
        row.revokedBy,
      ],
    );
    if (made[0] !== undefined) return { is: 'made', row: made[0] };
    const there = await this.key(row.id);
    if (there === null) throw new Error(`key ${row.id} was neither made nor there`);
    return { is: 'duplicate', row: there };
  }

  async key(id: string): Promise<KeyRow | null> {
    const rows = await this.#rows<KeyRow>(`select ${KEY} from api_keys where partition = $1 and id = $2`, [
      partitionOf(id),
      id,
    ]);
    return rows[0] ?? null;
  }

  async revoked(ids: readonly string[]): Promise<string[]> {
    const unique = [...new Set(ids)];
    const rows = await this.#rows<{ id: string }>(
      `select w.id from unnest($1::smallint[], $2::text[]) w(partition, id)
       left join api_keys k on k.partition = w.partition and k.id = w.id
       where k.id is null or k.revoked_at is not null order by w.id collate "C"`,
      [unique.map(partitionOf), unique],
    );
    return rows.map((row) => row.id);
  }

  keys(companyId: string, limit: number, after?: { createdAt: number; id: string }): Promise<KeyRow[]> {
    return this.#rows<KeyRow>(
      `select ${KEY} from api_keys where partition = $1 and company_id = $2 and (created_at, id) > ($3, $4)
       order by created_at, id limit $5`,
      [partitionOf(companyId), companyId, ...from(after), limit],
    );
  }

  async revokeKey(id: string, at: number, by: string): Promise<KeyRow | null> {
    const rows = await this.#rows<KeyRow>(
      `update api_keys set revoked_by = case when revoked_at is null then $4 else revoked_by end,
         revoked_at = coalesce(revoked_at, $3)
       where partition = $1 and id = $2 returning ${KEY}`,
      [partitionOf(id), id, at, by],
    );
    return rows[0] ?? null;
  }

  async appendLog(runId: string, lines: readonly LogLine[], key?: string): Promise<Appended> {
    if (lines.length === 0) return 'appended';
    const values = [
      partitionOf(runId),
      runId,
      lines.length,
      lines.map((line) => line.at),
      lines.map((line) => line.stream),
      lines.map((line) => line.text),
      key ?? null,
    ];
    for (let attempt = 1; ; attempt++) {
      try {
        const { rowCount } = await this.#pool.query(APPEND, values);
        return rowCount === 0 ? 'duplicate' : 'appended';
      } catch (error) {
        if (attempt === APPEND_ATTEMPTS || !collided(error)) throw error;
      }
    }
  }

  log(runId: string, after: number, limit: number): Promise<(LogLine & { offset: number })[]> {
    return this.#rows<LogLine & { offset: number }>(
      `select "offset", at, stream, text from run_logs where partition = $1 and run_id = $2 and "offset" > $3
       order by "offset" limit $4`,
      [partitionOf(runId), runId, after, limit],
    );
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #rows<T extends object>(text: string, values: unknown[]): Promise<T[]> {
    const answer = await this.#pool.query<T & pg.QueryResultRow>(text, values);
    return answer.rows;
  }
}

function from(after?: { createdAt: number; id: string }): [number, string] {
  return [after?.createdAt ?? Number.MIN_SAFE_INTEGER, after?.id ?? ''];
}

/** SQLSTATE 23505, unique_violation. */
function collided(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505';
}
