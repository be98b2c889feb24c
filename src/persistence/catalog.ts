/**
 * The contract of what is not an actor: companies, keys, run logs (architecture, Storage). Small, rarely written, each
 * call one statement of its own. Creations carry an id made from (principal, idempotency key), so that a repeat meets
 * the first thing by its primary key (decision 0003). Two implementations, held equal by the contract suite.
 */

export interface CompanyRow {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly createdAt: number;
}

export interface KeyRow {
  readonly id: string;
  readonly companyId: string;
  readonly role: 'operator' | 'agent' | 'viewer';
  readonly agentId: string | null;
  readonly name: string | null;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revokedAt: number | null;
  readonly revokedBy: string | null;
}

export interface LogLine {
  readonly at: number;
  readonly stream: string;
  readonly text: string;
}

export type Made<T> =
  | { readonly is: 'made'; readonly row: T }
  /** The id was there already: the same creation, sent again. */
  | { readonly is: 'duplicate'; readonly row: T }
  /** Another company has the prefix. */
  | { readonly is: 'taken' };

export type Appended = 'appended' | 'duplicate';

export interface Catalog {
  createCompany(row: CompanyRow): Promise<Made<CompanyRow>>;
  company(id: string): Promise<CompanyRow | null>;
  /** In order of (createdAt, id), after that key. */
  companies(limit: number, after?: { createdAt: number; id: string }): Promise<CompanyRow[]>;
  createKey(row: KeyRow): Promise<Made<KeyRow>>;
  key(id: string): Promise<KeyRow | null>;
  /** Those of `ids` that are revoked or gone: one statement, for all open sockets. */
  revoked(ids: readonly string[]): Promise<string[]>;
  keys(companyId: string, limit: number, after?: { createdAt: number; id: string }): Promise<KeyRow[]>;
  /** Answers the row as it is afterwards; null: there is none. Revoking again keeps the first time. */
  revokeKey(id: string, at: number, by: string): Promise<KeyRow | null>;
  /**
   * Appends lines to a run's log; `offset` numbers them from 1. At most 10,000 lines a run: the oldest go.
   * @param key a repeat with it is `duplicate` and appends nothing, for as long as a line that came with it is kept.
   */
  appendLog(runId: string, lines: readonly LogLine[], key?: string): Promise<Appended>;
  log(runId: string, after: number, limit: number): Promise<(LogLine & { offset: number })[]>;
}
