/**
 * The company under attack: an issue in every state, a run in execution, a retry far off, keys of every role – none of
 * which any hostile frame may change – and a hash over all that is stored of it.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { connection } from '../../src/persistence/pool.ts';
import { call, office } from '../support/server.ts';
import type { Role, Targets } from './hostile-frames.ts';

export interface Victim {
  readonly targets: Targets;
  readonly tokens: Readonly<Record<Role, string>>;
}

const DAY_MS = 86_400_000;
/** Nothing of it happens by itself while it is attacked. */
const RETRY = { leaseMs: DAY_MS, delaysMs: [10 * DAY_MS], jitter: 0 };

export async function makeVictim(server: { url: string }): Promise<Victim> {
  const o = await office(server, { name: 'busy', retry: RETRY }, { name: 'failing', retry: RETRY });
  const other = await office(server, { name: 'elsewhere', retry: RETRY });
  const [busy, failing] = o.agents as [string, string];

  const executing = await o.issue(busy);
  const grant = (await o.claim(busy))!;
  const queued = await o.issue(busy);
  const waiting = await o.issue(failing);
  await o.fail((await o.claim(failing))!);
  const idle = await o.issue();
  const done = await o.issue();
  await o.send(done.id, { type: 'COMPLETE' });
  const cancelled = await o.issue();
  await o.send(cancelled.id, { type: 'CANCEL', reason: 'no longer wanted' });

  const key = async (role: Role, agentId?: string) => {
    const asked = { role, ...(agentId === undefined ? {} : { agentId }) };
    return (await call<{ token: string }>(server, 'POST', `/companies/${o.companyId}/keys`, asked)).body
      .token;
  };
  const tokens = {
    operator: await key('operator'),
    agent: await key('agent', busy),
    viewer: await key('viewer'),
  };

  const events = [
    { type: 'COMMENT', body: 'first' },
    { type: 'PRIORITY', priority: 'critical' },
    { type: 'EDIT', title: 'renamed' },
  ];
  const accepted = [];
  for (const [n, event] of events.entries()) {
    const repeat = { issueId: idle.id, key: `once-${n}`, event };
    const sent = await call(server, 'POST', `/issues/${idle.id}/events`, event, {
      token: tokens.operator,
      key: repeat.key,
    });
    if (sent.status !== 200) throw new Error(`the victim could not be made: ${JSON.stringify(sent.body)}`);
    accepted.push(repeat);
  }
  return {
    tokens,
    targets: {
      companyId: o.companyId,
      agents: o.agents,
      issues: [executing, queued, waiting, idle, done, cancelled].map(({ id }) => id),
      foreign: {
        companyId: other.companyId,
        issues: [(await other.issue()).id, (await other.issue(other.agents[0]!)).id],
        agentId: other.agents[0]!,
      },
      run: { id: grant.run.id, issueId: executing.id, agentId: busy, fence: grant.fence },
      accepted,
    },
  };
}

/** Tables whose rows say what is so. `nodes` and `partitions` say who serves it: that may change. */
const TABLES = ['actors', 'journal', 'records', 'companies', 'api_keys', 'run_logs'];

/** SHA-256 over every stored row, but for those of the companies `but`. */
export async function stateHash(databaseUrl: string, but: readonly string[]): Promise<string> {
  const client = new pg.Client(connection({ url: databaseUrl, queryTimeoutMs: 60_000 }));
  await client.connect();
  try {
    const hash = createHash('sha256');
    for (const table of TABLES) {
      const company = table === 'companies' ? 'id' : 'company_id';
      const where = table === 'run_logs' ? 'true' : `not (${company} = any($1))`;
      const rows = await client.query<{ row: string }>(
        `select row_to_json(t)::text as row from ${table} t where ${where} order by row_to_json(t)::text`,
        table === 'run_logs' ? [] : [but],
      );
      hash.update(`${table} ${rows.rows.length}\n`);
      for (const { row } of rows.rows) hash.update(`${row}\n`);
    }
    return hash.digest('hex');
  } finally {
    await client.end();
  }
}

/** What the server shows of the victim, for one that stores nothing: every version of every issue, and what is beside. */
export async function shownState(server: { url: string }, { targets }: Victim): Promise<string> {
  const { companyId, agents, issues } = targets;
  const texts: string[] = [];
  for (const id of [...issues, ...agents]) {
    const { version } = (await call(server, 'GET', `/${id.startsWith('i') ? 'issues' : 'agents'}/${id}`))
      .body;
    texts.push(`${id} ${String(version)}`);
  }
  const paths = [
    ...[`/companies/${companyId}/keys`, `/companies/${companyId}/runs?limit=500`],
    ...issues.flatMap((id) => [`/issues/${id}/journal?limit=500`, `/issues/${id}/comments`]),
  ];
  for (const path of paths) texts.push(JSON.stringify((await call(server, 'GET', path)).body));
  return texts.join('\n');
}
