/** Crashes of real processes on real PostgreSQL: nothing acknowledged is lost, nothing happens twice, it goes on. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase, temporaryDirectory } from '../support/postgres.ts';
import { call, type EventReply, type JournalEntry, office, until } from '../support/server.ts';
import { endAll, spawnListening, spawnServer } from '../support/server-process.ts';

let database: FreshDatabase;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
const flags = (more: Record<string, string> = {}) => ({
  'database-url': database.url,
  'data-dir': directory.path,
  'retry-delays-ms': '1500',
  'retry-jitter': '0',
  'node-ttl-ms': '1500',
  ...more,
});

beforeAll(async () => {
  database = await freshDatabase();
  directory = await temporaryDirectory();
});
afterEach(endAll);
afterAll(async () => {
  await database.drop();
  await directory.remove();
});

async function query<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<T>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** Sends events one after another until the server is gone; adds the versions acknowledged. */
async function hammer(
  server: { url: string },
  issueId: string,
  gone: () => boolean,
  acknowledged: number[],
): Promise<void> {
  for (let n = 0; !gone(); n++) {
    try {
      const answer = await call<EventReply>(server, 'POST', `/issues/${issueId}/events`, {
        type: 'PRIORITY',
        priority: n % 2 ? 'low' : 'high',
      });
      // One that came after a refusal may ask for what is so already: it made no version of its own.
      if (answer.status === 200 && !answer.body.unchanged) acknowledged.push(answer.body.version);
    } catch {
      break;
    }
  }
}

describe('a server killed with kill −9', () => {
  it('has everything it acknowledged when it starts again, in gap-free order', async () => {
    const server = await spawnServer(flags());
    const o = await office(server, 'one');
    const issues = await Promise.all(Array.from({ length: 8 }, () => o.issue()));
    let gone = false;
    const acknowledged: number[][] = issues.map(() => []);
    const hammering = issues.map((issue, n) => hammer(server, issue.id, () => gone, acknowledged[n]!));
    await until(
      async () => acknowledged.flat().length,
      (count) => count > 40,
      20_000,
    );
    await server.end('SIGKILL');
    gone = true;
    await Promise.all(hammering);
    const again = await spawnServer(flags());
    for (const [n, issue] of issues.entries()) {
      const { body } = await call<{ version: number }>(again, 'GET', `/issues/${issue.id}`);
      expect(body.version).toBeGreaterThanOrEqual(acknowledged[n]!.at(-1) ?? 1);
      const journal = await query<{ version: number }>(
        'select version from journal where actor_id = $1 order by 1',
        [issue.id],
      );
      expect(journal.map((row) => row.version)).toEqual(
        Array.from({ length: body.version }, (_, v) => v + 1),
      );
    }
    const seqs = await query<{ seq: string }>('select seq from journal where company_id = $1 order by seq', [
      o.companyId,
    ]);
    expect(seqs.map((row) => Number(row.seq))).toEqual(seqs.map((_, n) => n + 1));
    expect(await again.end('SIGTERM')).toBe(0);
  });

  it('fires the retry that came due while it was down, once, soon after it is back', async () => {
    const server = await spawnServer(flags());
    const o = await office(server, 'one');
    const issue = await o.issue(o.agents[0]);
    const { body } = await o.fail((await o.claim(o.agents[0]!))!);
    await server.end('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 1600));
    const again = await spawnServer(flags());
    const due = await until(
      async () => (await call<EventReply['issue']>(again, 'GET', `/issues/${issue.id}`)).body,
      (view) => view.state === 'running',
    );
    expect(due).toMatchObject({ state: 'running', run: { id: body.issue.run!.id } });
    const { items } = (await call<{ items: JournalEntry[] }>(again, 'GET', `/issues/${issue.id}/journal`))
      .body;
    expect(items.filter((e) => e.type === 'RETRY.DUE').length).toBe(1);
    await again.end('SIGTERM');
  });

  it('is followed by another node on the same database within the node lease and half a second', async () => {
    const first = await spawnServer(flags());
    // It owns nothing as long as the first one lives, so it is never ready.
    const second = await spawnListening(flags({ 'data-dir': `${directory.path}/second` }));
    const o = await office(first, 'one');
    const issue = await o.issue();
    const elsewhere = await call<{ code: string; retryable: boolean; detail: string }>(
      second,
      'POST',
      `/issues/${issue.id}/events`,
      { type: 'PRIORITY', priority: 'low' },
    );
    expect(elsewhere).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE', retryable: true } });
    expect(elsewhere.body.detail).toMatch(/owns this partition/);
    const since = performance.now();
    await first.end('SIGKILL');
    const moved = await until(
      () =>
        call<EventReply>(second, 'POST', `/issues/${issue.id}/events`, { type: 'PRIORITY', priority: 'low' }),
      (answer) => answer.status === 200,
    );
    expect(moved.body.version).toBe(2);
    expect(performance.now() - since).toBeLessThan(1500 + 500 + 1000);
    await second.end('SIGTERM');
  });
});

describe('a database that fails', () => {
  it('by ending all sessions is reconnected to, and loses nothing acknowledged', async () => {
    const server = await spawnServer(flags());
    const o = await office(server, 'one');
    const issue = await o.issue();
    let gone = false;
    const acknowledged: number[] = [];
    const hammering = hammer(server, issue.id, () => gone, acknowledged);
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    gone = true;
    await hammering;
    const last = await until(
      () => call<EventReply>(server, 'POST', `/issues/${issue.id}/events`, { type: 'COMPLETE' }),
      (answer) => answer.status === 200,
    );
    expect(last.body.version).toBeGreaterThan(acknowledged.at(-1) ?? 0);
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    await server.end('SIGTERM');
  });

  it('that is away at the start is waited for: it listens, says why it is not ready, and heals', async () => {
    const name = `late${process.pid}`;
    const late = database.url.replace(/\/[^/?]*\?/, `/${name}?`);
    const server = await spawnListening(flags({ 'database-url': late }));
    const waiting = await fetch(`${server.url}/readyz`);
    expect(waiting.status).toBe(503);
    expect(await waiting.json()).toMatchObject({ ready: false, reason: expect.stringMatching(/./) });
    const { status } = await call(server, 'POST', '/companies', { name: 'Early', prefix: 'EARLY' });
    expect(status).toBe(503);
    await query(`create database ${name}`);
    const ready = await until(
      () => fetch(`${server.url}/readyz`),
      (answer) => answer.ok,
      10_000,
    );
    expect(ready.status).toBe(200);
    await server.end('SIGTERM');
    await query(`drop database ${name} with (force)`);
  });

  it('that is away from start to stop does not keep the server from ending in time', async () => {
    const nowhere = database.url.replace(/\/[^/?]*\?/, '/nowhere?');
    const server = await spawnListening(flags({ 'database-url': nowhere }));
    const since = performance.now();
    expect(await server.end('SIGTERM')).toBe(0);
    expect(performance.now() - since).toBeLessThan(10_000);
  });

  it('that acknowledges before its log is flushed is refused at the start, with the setting named', async () => {
    const lax = `${database.url}&options=-c%20synchronous_commit%3Doff`;
    await expect(spawnListening(flags({ 'database-url': lax }))).rejects.toThrow(
      /ended with 1: .*synchronous_commit is off/,
    );
  });
});

describe('a stored snapshot that cannot be read', () => {
  it('is shown as quarantined with its reason, refused to events, and harms nobody else', async () => {
    const server = await spawnServer(flags());
    const o = await office(server, 'one');
    const [bad, good] = [await o.issue(), await o.issue()];
    await server.end('SIGTERM');
    await query(`update actors set snapshot = '{"value":"nowhere","context":{}}' where id = $1`, [bad.id]);
    const again = await spawnServer(flags());
    const shown = await call<{ why: { code: string; text: string } }>(again, 'GET', `/issues/${bad.id}`);
    expect(shown).toMatchObject({ status: 200, body: { why: { code: 'quarantined' } } });
    const refused = await call<{ code: string; state: string }>(again, 'POST', `/issues/${bad.id}/events`, {
      type: 'CANCEL',
    });
    expect(refused).toMatchObject({ status: 409, body: { code: 'NOT_ALLOWED', state: 'quarantined' } });
    const fine = await call<EventReply>(again, 'POST', `/issues/${good.id}/events`, { type: 'CANCEL' });
    expect(fine).toMatchObject({ status: 200, body: { issue: { state: 'cancelled' } } });
    await again.end('SIGTERM');
  });
});
