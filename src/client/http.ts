/**
 * The HTTP half of the protocol (section 3) as typed calls. Reads, and writes with an idempotency key (one is made up
 * for every creation), are repeated after a lost answer or a retryable refusal until `timeoutMs` is up.
 */
import type { AgentEvent, IssueEvent, NewAgent, NewIssue } from '../machines/events.ts';
import type { AgentView, GrantView, IssueView, RunStatus, RunView } from '../machines/view.ts';
import { reconnectDelay } from './backoff.ts';
import { type Chance, type ClientClock, pause, unlikelyTwice } from './clock.ts';
import type { Change } from './frames.ts';
import { isRetryable, type RemoteError, remoteError, unanswered } from './remote-error.ts';

export interface Company {
  id: string;
  name: string;
  prefix: string;
  createdAt: number;
}
export interface Key {
  id: string;
  role: 'operator' | 'agent' | 'viewer';
  agentId: string | null;
  name: string | null;
  /** Shown once, when it is made. */
  token?: string | null;
}
export interface ListedKey extends Key {
  createdAt: number;
  /** Null: it is valid. */
  revokedAt: number | null;
}
export interface Comment {
  id: string;
  body: string;
  at: number;
}
export interface CompanyStats {
  byState: Record<string, number>;
  bySubstate: Record<string, number>;
  dueInNextHour: number;
  eventsPerSecond: number;
  transitions: { type: string; from: string | null; to: string; perSecond: number }[];
}
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}
export interface IssueQuery {
  state?: string | readonly string[];
  assignee?: string;
  priority?: string | readonly string[];
  minAttempt?: number;
  q?: string;
  /** Page size, 1..500. */
  limit?: number;
  /** Only issues numbered above this: 7 begins behind `ACME-7`. */
  after?: number;
}
/** Which issues match as of `seq`, in order of their number; `more`: there are others. */
export interface IssueIndex {
  seq: number;
  numbers: number[];
  ids: string[];
  dues: (number | null)[];
  more: boolean;
}
export interface LogLine {
  at: number;
  stream: string;
  text: string;
}

interface Call {
  body?: unknown;
  query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** Idempotency-Key; null: none, so it is not repeated. Reads need none. */
  key?: string | null;
  /** Not repeated here, though it has a key: the caller does. */
  once?: boolean;
}

export interface HttpOptions {
  url: string;
  token: string | null;
  clock: ClientClock;
  chance: Chance;
  timeoutMs: number;
  fetch?: typeof fetch;
}

export class HttpApi {
  readonly #o: HttpOptions;
  constructor(options: HttpOptions) {
    this.#o = options;
  }

  createCompany(body: { name: string; prefix: string }, key?: string): Promise<Company> {
    return this.#make('/companies', body, key);
  }
  companies(): AsyncIterable<Company> {
    return this.#pages('/companies', {});
  }
  company(id: string): Promise<Company> {
    return this.call('GET', `/companies/${enc(id)}`);
  }
  createAgent(companyId: string, body: NewAgent, key?: string): Promise<AgentView> {
    return this.#make(`/companies/${enc(companyId)}/agents`, body, key);
  }
  agents(companyId: string): AsyncIterable<AgentView> {
    return this.#pages(`/companies/${enc(companyId)}/agents`, {});
  }
  agent(id: string): Promise<AgentView> {
    return this.call('GET', `/agents/${enc(id)}`);
  }
  updateAgent(id: string, body: Omit<Extract<AgentEvent, { type: 'UPDATE' }>, 'type'>): Promise<AgentView> {
    return this.call('PATCH', `/agents/${enc(id)}`, { body, key: this.#key() });
  }
  pauseAgent(id: string, body: { drain?: boolean; expectedVersion?: number } = {}): Promise<AgentView> {
    return this.#make(`/agents/${enc(id)}/pause`, body);
  }
  resumeAgent(id: string, body: { expectedVersion?: number } = {}): Promise<AgentView> {
    return this.#make(`/agents/${enc(id)}/resume`, body);
  }
  terminateAgent(id: string): Promise<AgentView> {
    return this.#make(`/agents/${enc(id)}/terminate`, {});
  }
  /** The token is in the first answer only: a repeat has none. */
  createKey(
    companyId: string,
    body: { role: Key['role']; agentId?: string; name?: string },
    key?: string,
  ): Promise<Key> {
    return this.#make(`/companies/${enc(companyId)}/keys`, body, key);
  }
  keys(companyId: string): AsyncIterable<ListedKey> {
    return this.#pages(`/companies/${enc(companyId)}/keys`, {});
  }
  revokeKey(id: string): Promise<unknown> {
    return this.call('DELETE', `/keys/${enc(id)}`, { key: this.#key() });
  }
  createIssue(companyId: string, body: NewIssue, key?: string): Promise<IssueView> {
    return this.#make(`/companies/${enc(companyId)}/issues`, body, key);
  }
  /** 1 to 1,000 issues, all or none. */
  createIssues(
    companyId: string,
    issues: readonly NewIssue[],
    key?: string,
  ): Promise<{ items: IssueView[] }> {
    return this.#make(`/companies/${enc(companyId)}/issues/bulk`, { issues }, key);
  }
  /** Every issue that matches, page by page as they are asked for. */
  issues(companyId: string, query: IssueQuery = {}): AsyncIterable<IssueView> {
    return this.#pages(`/companies/${enc(companyId)}/issues`, { ...query });
  }
  /** Which issues match, without the issues (protocol section 3): for windows of long lists. */
  issueIndex(companyId: string, query: Omit<IssueQuery, 'limit' | 'after'> = {}): Promise<IssueIndex> {
    return this.call('GET', `/companies/${enc(companyId)}/issues/index`, { query });
  }
  /** One page of those that match, in order of their number. */
  issuePage(companyId: string, query: IssueQuery): Promise<Page<IssueView>> {
    return this.call('GET', `/companies/${enc(companyId)}/issues`, { query: { ...query } });
  }
  /** By id. */
  issue(id: string): Promise<IssueView> {
    return this.call('GET', `/issues/${enc(id)}`);
  }
  /** By identifier within a company: `ACME-7`. */
  issueByIdentifier(companyId: string, identifier: string): Promise<IssueView> {
    return this.call('GET', `/companies/${enc(companyId)}/issues/${enc(identifier)}`);
  }
  /** Oldest first. */
  runs(issueId: string): AsyncIterable<RunView> {
    return this.#pages(`/issues/${enc(issueId)}/runs`, {});
  }
  companyRuns(companyId: string, query: { status?: RunStatus } = {}): AsyncIterable<RunView> {
    return this.#pages(`/companies/${enc(companyId)}/runs`, { ...query });
  }
  run(id: string): Promise<RunView> {
    return this.call('GET', `/runs/${enc(id)}`);
  }
  /** Every version after `after`, oldest first. */
  async *journal(issueId: string, after = 0): AsyncIterable<Change> {
    let last = after;
    for (;;) {
      const query = { after: last, limit: JOURNAL_PAGE };
      const page = await this.call<Page<Change>>('GET', `/issues/${enc(issueId)}/journal`, { query });
      const { items } = page;
      yield* items;
      // A short page with nothing announced after it is the last one: saves the request that would find nothing.
      if (items.length === 0 || (items.length < JOURNAL_PAGE && (page.nextCursor ?? null) === null)) return;
      last = items.at(-1)?.version ?? last;
    }
  }
  /** As `Client.event`, for whoever has no socket. */
  sendEvent(
    issueId: string,
    event: IssueEvent,
    key?: string,
  ): Promise<{ issue: IssueView; version: number; duplicate: boolean; unchanged: boolean }> {
    return this.#make(`/issues/${enc(issueId)}/events`, event, key);
  }
  comment(
    issueId: string,
    body: { body: string; reopen?: boolean },
    key?: string,
  ): Promise<{ comment: Comment; issue: IssueView; version: number }> {
    return this.#make(`/issues/${enc(issueId)}/comments`, body, key);
  }
  comments(issueId: string): AsyncIterable<Comment> {
    return this.#pages(`/issues/${enc(issueId)}/comments`, {});
  }
  async claim(
    agentId: string,
    body: { max?: number; waitMs?: number; claimId?: string } = {},
  ): Promise<GrantView[]> {
    const claim = { claimId: this.#key(), ...body };
    const made = await this.call<{ grants: GrantView[] }>('POST', `/agents/${enc(agentId)}/claim`, {
      body: claim,
      key: claim.claimId,
    });
    return made.grants;
  }
  /** Appends to a run's log, in one attempt: whoever tries again gives the same key, and nothing is stored twice. */
  appendLog(
    runId: string,
    fence: number,
    lines: readonly LogLine[],
    key: string | null = null,
  ): Promise<{ appended: number; duplicate: boolean }> {
    return this.call('POST', `/runs/${enc(runId)}/log`, { body: { fence, lines }, key, once: true });
  }
  log(runId: string, after = 0): Promise<Page<LogLine & { offset: number }>> {
    return this.call('GET', `/runs/${enc(runId)}/log`, { query: { after } });
  }
  stats(companyId: string): Promise<CompanyStats> {
    return this.call('GET', `/companies/${enc(companyId)}/stats`);
  }
  machine(): Promise<Record<string, unknown>> {
    return this.call('GET', '/machines/issue');
  }

  /**
   * Any route under `/v1`; for what has no method of its own.
   * @throws RemoteError with the server's code, or UNAVAILABLE when it is not reached in time
   */
  async call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const repeatable = method === 'GET' || (typeof call.key === 'string' && call.once !== true);
    const until = this.#o.clock.now() + this.#o.timeoutMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once<T>(method, path, call);
      } catch (error) {
        if (!repeatable || !isRetryable(error)) throw error;
        const inMs = error.retryAfterMs ?? reconnectDelay(attempt, this.#o.chance);
        if (error.detail.unreachable === true || this.#o.clock.now() + inMs > until) throw error;
        await pause(this.#o.clock, inMs);
      }
    }
  }

  async #once<T>(method: string, path: string, { body, query, key }: Call): Promise<T> {
    const { url, token, clock, timeoutMs } = this.#o;
    const abort = new AbortController();
    // A long poll may rest up to 50 s at the server before it is late.
    const cancel = clock.after(timeoutMs + (path.endsWith('/claim') ? 50_000 : 0), () => abort.abort());
    try {
      const answer = await (this.#o.fetch ?? fetch)(`${url}/v1${path}${search(query)}`, {
        method,
        signal: abort.signal,
        headers: {
          accept: 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(typeof key === 'string' ? { 'idempotency-key': key } : {}),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw refusal(answer.status, text, answer.headers.get('retry-after'));
      return (text === '' ? undefined : JSON.parse(text)) as T;
    } catch (error) {
      throw error instanceof TypeError || abort.signal.aborted || error instanceof SyntaxError
        ? unreachable(url, error, abort.signal.aborted)
        : error;
    } finally {
      cancel();
    }
  }

  #make<T>(path: string, body: unknown, key = this.#key()): Promise<T> {
    return this.call('POST', path, { body, key });
  }

  #key(): string {
    return unlikelyTwice(this.#o.chance);
  }

  async *#pages<T>(path: string, query: NonNullable<Call['query']>): AsyncIterable<T> {
    let cursor: string | null = null;
    do {
      const page: Page<T> = await this.call<Page<T>>('GET', path, {
        // A cursor says already where to go on.
        query: { ...query, ...(cursor === null ? {} : { cursor, after: undefined }) },
      });
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor !== null);
  }
}

const JOURNAL_PAGE = 500;
/** What the platform calls a connection that ended before the answer. */
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
const enc = encodeURIComponent;

function search(query: Call['query']): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    params.set(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

function refusal(status: number, text: string, retryAfter: string | null): RemoteError {
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    body = {
      code: status >= 502 ? 'UNAVAILABLE' : 'INTERNAL',
      message: `HTTP ${status}: ${text.slice(0, 200)}`,
    };
  }
  const seconds = Number(retryAfter);
  const waits = retryAfter !== null && body.retryAfterMs === undefined && Number.isFinite(seconds);
  return remoteError(waits ? { ...body, retryAfterMs: seconds * 1000 } : body);
}

function unreachable(url: string, error: unknown, late: boolean): RemoteError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const why = late ? 'no answer in time' : (cause?.code ?? cause?.message ?? (error as Error).message);
  return unanswered(
    `Cannot reach ${url} (${why}).`,
    'Start a server with `baton start`, or name another with --url or BATON_URL.',
    // A connection that broke is worth another try at once; one that could not be made is not.
    { unreachable: !late && !BROKEN.has(cause?.code ?? '') },
  );
}
