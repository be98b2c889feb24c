/** A whole server – real PostgreSQL, real sockets – in this process, and short words for speaking its protocol. */
import pino from 'pino';
import { resolveSettings } from '../../src/config.ts';
import { createRuntime, type Runtime } from '../../src/index.ts';
import type { GrantView, IssueView, RunView } from '../../src/machines/view.ts';
import { freshDatabase, temporaryDirectory } from './postgres.ts';

export interface TestServer {
  readonly runtime: Runtime;
  readonly url: string;
  readonly databaseUrl: string;
  /** Stops the server and starts another on the same database. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server on a database of its own; `flags` as on the command line. */
export async function startServer(flags: Record<string, string> = {}): Promise<TestServer> {
  const database = await freshDatabase();
  const directory = await temporaryDirectory();
  const { settings } = resolveSettings({
    flags: { port: '0', 'data-dir': directory.path, 'database-url': database.url, log: 'fatal', ...flags },
    env: {},
    file: {},
  });
  const start = async () => {
    const runtime = await createRuntime(settings, { log: pino({ level: 'fatal' }), say: () => {} });
    if (!(await runtime.ready(10_000))) throw new Error('the server did not become ready');
    return runtime;
  };
  let runtime = await start();
  return {
    get runtime() {
      return runtime;
    },
    get url() {
      return runtime.url;
    },
    databaseUrl: database.url,
    async restart() {
      await runtime.stop();
      runtime = await start();
    },
    async stop() {
      await runtime.stop();
      await database.drop();
      await directory.remove();
    },
  };
}

export interface Reply<T> {
  readonly status: number;
  readonly body: T;
}

/** One HTTP request as the operator of a server in local mode, or with `token`. */
export async function call<T = Record<string, unknown>>(
  server: { url: string },
  method: string,
  path: string,
  body?: unknown,
  options: { token?: string; key?: string } = {},
): Promise<Reply<T>> {
  const answer = await fetch(`${server.url}/v1${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
      ...(options.key ? { 'idempotency-key': options.key } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as T };
}

export interface EventReply {
  issue: IssueView;
  version: number;
  duplicate: boolean;
  unchanged: boolean;
  code?: string;
}

export interface JournalEntry {
  seq: number;
  version: number;
  type: string;
  from: string | null;
  to: string;
  effects: { type: string; data: Record<string, unknown> }[];
}

let prefixes = 0;

type AskedAgent = string | Record<string, unknown>;

/** A company with agents `names`, and what one does with their issues. */
export async function office(server: { url: string }, ...names: AskedAgent[]) {
  const prefix =
    `T${(++prefixes).toString(36).toUpperCase()}X${process.pid.toString(36).toUpperCase()}`.slice(0, 10);
  return officeOf(server, { name: 'Test', prefix }, ...names);
}

/** The same with a name and a prefix that a picture can show. */
export async function officeOf(
  server: { url: string },
  { name, prefix }: { name: string; prefix: string },
  ...names: AskedAgent[]
) {
  const company = (await call<{ id: string }>(server, 'POST', '/companies', { name, prefix })).body;
  const agents: string[] = [];
  for (const agent of names) {
    const asked = typeof agent === 'string' ? { name: agent } : agent;
    agents.push(
      (await call<{ id: string }>(server, 'POST', `/companies/${company.id}/agents`, asked)).body.id,
    );
  }
  return {
    companyId: company.id,
    prefix,
    agents,
    async issue(assigneeAgentId?: string, more: Record<string, unknown> = {}): Promise<IssueView> {
      const asked = { title: 'An issue', ...(assigneeAgentId ? { assigneeAgentId } : {}), ...more };
      return (await call<IssueView>(server, 'POST', `/companies/${company.id}/issues`, asked)).body;
    },
    async claim(agentId: string, waitMs = 0): Promise<GrantView | undefined> {
      const answer = await call<{ grants: GrantView[] }>(server, 'POST', `/agents/${agentId}/claim`, {
        waitMs,
      });
      return answer.body.grants[0];
    },
    send: (issueId: string, event: Record<string, unknown>) =>
      call<EventReply>(server, 'POST', `/issues/${issueId}/events`, event),
    fail: (grant: GrantView, more: Record<string, unknown> = {}) =>
      call<EventReply>(server, 'POST', `/runs/${grant.run.id}/fail`, {
        fence: grant.fence,
        error: '429 overloaded',
        errorFamily: 'transient_upstream',
        ...more,
      }),
    async get(issueId: string): Promise<IssueView> {
      return (await call<IssueView>(server, 'GET', `/issues/${issueId}`)).body;
    },
    async runs(issueId: string): Promise<RunView[]> {
      return (await call<{ items: RunView[] }>(server, 'GET', `/issues/${issueId}/runs`)).body.items;
    },
    async journal(issueId: string): Promise<JournalEntry[]> {
      const path = `/issues/${issueId}/journal?limit=500`;
      return (await call<{ items: JournalEntry[] }>(server, 'GET', path)).body.items;
    },
  };
}

/** Asks again and again until `done`, a few seconds at most; answers the last answer. */
export async function until<T>(ask: () => Promise<T>, done: (t: T) => boolean, ms = 5000): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (done(answer) || performance.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
