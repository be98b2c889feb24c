/** The catalog in memory, for tests and the simulation. Same answers as `postgres-catalog.ts`. */
import type { Appended, Catalog, CompanyRow, KeyRow, LogLine, Made } from './catalog.ts';

/** Lines of a run's log that are kept: the newest. */
export const LOG_LINES = 10_000;

export class MemoryCatalog implements Catalog {
  readonly #companies = new Map<string, CompanyRow>();
  readonly #prefixes = new Set<string>();
  readonly #keys = new Map<string, KeyRow>();
  /** `keys`: idempotency key → offset of the last line that came with it. */
  readonly #logs = new Map<string, { last: number; lines: LogLine[]; keys: Map<string, number> }>();

  async createCompany(row: CompanyRow): Promise<Made<CompanyRow>> {
    const there = this.#companies.get(row.id);
    if (there !== undefined) return { is: 'duplicate', row: there };
    if (this.#prefixes.has(row.prefix)) return { is: 'taken' };
    this.#companies.set(row.id, row);
    this.#prefixes.add(row.prefix);
    return { is: 'made', row };
  }

  async company(id: string): Promise<CompanyRow | null> {
    return this.#companies.get(id) ?? null;
  }

  async companies(limit: number, after?: { createdAt: number; id: string }): Promise<CompanyRow[]> {
    return page([...this.#companies.values()], limit, after);
  }

  async createKey(row: KeyRow): Promise<Made<KeyRow>> {
    const there = this.#keys.get(row.id);
    if (there !== undefined) return { is: 'duplicate', row: there };
    this.#keys.set(row.id, row);
    return { is: 'made', row };
  }

  async key(id: string): Promise<KeyRow | null> {
    return this.#keys.get(id) ?? null;
  }

  async revoked(ids: readonly string[]): Promise<string[]> {
    const gone = (id: string) => (this.#keys.get(id) ?? { revokedAt: 0 }).revokedAt !== null;
    return [...new Set(ids)].filter(gone).sort();
  }

  async keys(companyId: string, limit: number, after?: { createdAt: number; id: string }): Promise<KeyRow[]> {
    const own = [...this.#keys.values()].filter((key) => key.companyId === companyId);
    return page(own, limit, after);
  }

  async revokeKey(id: string, at: number, by: string): Promise<KeyRow | null> {
    const key = this.#keys.get(id);
    if (key === undefined) return null;
    if (key.revokedAt !== null) return key;
    const revoked = { ...key, revokedAt: at, revokedBy: by };
    this.#keys.set(id, revoked);
    return revoked;
  }

  async appendLog(runId: string, lines: readonly LogLine[], key?: string): Promise<Appended> {
    if (lines.length === 0) return 'appended';
    let log = this.#logs.get(runId);
    if (log === undefined) {
      log = { last: 0, lines: [], keys: new Map() };
      this.#logs.set(runId, log);
    }
    if (key !== undefined && (log.keys.get(key) ?? 0) > log.last - log.lines.length) return 'duplicate';
    log.last += lines.length;
    log.lines = [...log.lines, ...lines].slice(-LOG_LINES);
    if (key !== undefined) log.keys.set(key, log.last);
    return 'appended';
  }

  async log(runId: string, after: number, limit: number): Promise<(LogLine & { offset: number })[]> {
    const log = this.#logs.get(runId);
    if (log === undefined) return [];
    const first = log.last - log.lines.length + 1;
    const from = Math.max(0, after + 1 - first);
    return log.lines.slice(from, from + limit).map((line, n) => ({ ...line, offset: first + from + n }));
  }

  // -- for the memory store, which lives in the same database ----------------------------------

  /** Every company, in order of id. */
  everyCompany(): CompanyRow[] {
    return [...this.#companies.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The logs of a pruned run. */
  removeLog(runId: string): void {
    this.#logs.delete(runId);
  }

  /** The logs of all runs of a pruned actor. */
  removeLogsOf(actorId: string): void {
    for (const runId of this.#logs.keys()) if (runId.startsWith(`${actorId}.`)) this.#logs.delete(runId);
  }
}

function page<T extends { createdAt: number; id: string }>(
  rows: T[],
  limit: number,
  after?: { createdAt: number; id: string },
): T[] {
  const order = (a: { createdAt: number; id: string }, b: { createdAt: number; id: string }) =>
    a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  return rows
    .filter((row) => after === undefined || order(row, after) > 0)
    .sort(order)
    .slice(0, limit);
}
