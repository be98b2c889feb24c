/**
 * Retention on a real PostgreSQL (C19): it holds no lock a commit waits for, takes nothing that lives or can be resumed,
 * whatever happens to the process that does it, and a cursor older than what is kept gets a snapshot.
 */
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Change, connect } from '../../src/client/index.ts';
import { partitionOf } from '../../src/ids.ts';
import { migrate } from '../../src/persistence/migrate.ts';
import { connection } from '../../src/persistence/pool.ts';
import { PostgresStore } from '../../src/persistence/postgres-store.ts';
import { prune } from '../../src/persistence/prune.ts';
import { batch, company, entry, HOME, id, only, own, record, row } from '../contract/rows.ts';
import { type FreshDatabase, freshDatabase, temporaryDirectory } from '../support/postgres.ts';
import { call, office, until } from '../support/server.ts';
import { endAllNodes, NodeProcess } from './world/node-process.ts';

const TIMEOUT_MS = 90_000;
/** What a company keeps however old it is: what a subscriber may have missed. */
const KEPT = 10_000;
const OLD = 12_000;
let database: FreshDatabase;
let admin: pg.Client;

beforeEach(async () => {
  database = await freshDatabase();
  await migrate(database.url);
  admin = new pg.Client(connection({ url: database.url }));
  await admin.connect();
});
afterEach(async () => {
  endAllNodes();
  await admin.end();
  await database.drop();
});

describe('deleting', () => {
  it('a chunk holds no lock that a commit of the same company waits for', async () => {
    const store = new PostgresStore({ url: database.url });
    try {
      const epochs = await own(store, 'n1');
      await admin.query(
        `insert into companies (partition, created_at, id, name, prefix) values (${HOME}, 1, '${company(1).id}', 'C', 'CO')`,
      );
      const ended = Array.from({ length: 20 }, (_, n) => row(n + 1, { state: 'done' }));
      const before = batch('n1', only(epochs, HOME), {
        rows: [...ended, row(21)],
        entries: Array.from({ length: 40 }, (_, n) => entry(n + 1)),
        records: Array.from({ length: 20 }, (_, n) => record(n + 1)),
      });
      expect((await store.commit(before)).is).toBe('committed');
      await admin.query("begin; set local lock_timeout = '5s'");
      // Not committed yet: whatever it locks stays locked.
      const held = { owner: 'n1', epochs: only(epochs, HOME) };
      const gone = await prune(admin as unknown as pg.Pool, held, 9_000, ['done'], 10, 60);
      expect(gone).toBeGreaterThan(50);
      const during = batch('n1', only(epochs, HOME), {
        rows: [row(21, { version: 2 }), row(22)],
        entries: [entry(41), entry(42, id('i', 22), 1)],
        records: [record(1, { actorId: id('i', 21) })],
      });
      const outcome = store.commit(during).then(({ is }) => is);
      const locked = until(
        async () => (await blocked()) > 0,
        (found) => found,
        3_000,
      ).then((found) => (found ? 'waits for a lock' : 'no answer'));
      expect(await Promise.race([outcome, locked])).toBe('committed');
      await admin.query('commit');
    } finally {
      await store.close();
    }
  });
});

async function blocked(): Promise<number> {
  const watch = new pg.Client(connection({ url: database.url }));
  await watch.connect();
  try {
    const found = await watch.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return found.rowCount ?? 0;
  } finally {
    await watch.end();
  }
}

describe('a node that is killed, or stands still, in the middle of deleting', () => {
  it('leaves no gap; the next one ends it; what lives stays, and an old cursor gets a snapshot', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const directory = await temporaryDirectory();
    let places = 0;
    const options = (flags: Record<string, string> = {}) => ({
      databaseUrl: database.url,
      dataDir: join(directory.path, `n${++places}`),
      flags: { 'node-ttl-ms': '1500', ...flags },
      seams: true,
    });
    const first = await NodeProcess.start(options());
    const o = await office(first, 'one');
    const ended = [await o.issue(), await o.issue()];
    const living = await o.issue();
    for (const { id: issueId } of ended) await o.send(issueId, { type: 'CANCEL' });
    await first.stop();
    await age(o.companyId, living.id);

    const pruning = { 'retention-days': '1' };
    const dying = NodeProcess.begin(options(pruning), { seam: 'during retention', action: 'kill' });
    expect(await dying.exited).toMatchObject({ signal: 'SIGKILL' });
    const afterKill = await seqs(o.companyId);
    expect(afterKill.length).toBeLessThan(OLD + afterKill.length - KEPT);
    expect(gaps(afterKill)).toEqual([]);
    const still = NodeProcess.begin(options(pruning), { seam: 'during retention', action: 'stop' });
    await still.reached;
    const last = await NodeProcess.start(options(pruning));
    await until(
      () => seqs(o.companyId),
      (left) => left.length === KEPT,
      30_000,
    );
    still.signal('SIGCONT');
    const left = await seqs(o.companyId);
    expect([left.length, gaps(left)]).toEqual([KEPT, []]);

    const get = (issueId: string) => call<{ version: number }>(last, 'GET', `/issues/${issueId}`);
    await until(
      () => get(ended[0]!.id),
      ({ status }) => status === 404,
      20_000,
    );
    expect(await get(living.id)).toMatchObject({ status: 200, body: { version: 1 } });
    const head = left.at(-1)!;
    const old = await subscribed(last.url, o.companyId, 5);
    expect(old).toMatchObject({ recovered: false, seq: head });
    expect(old.snapshot).toContain(living.id);
    const recent = await subscribed(last.url, o.companyId, head - 2);
    expect(recent).toMatchObject({ recovered: true, changes: [head - 1, head] });
    const next = await call<{ version: number }>(last, 'POST', `/issues/${living.id}/events`, {
      type: 'CANCEL',
    });
    expect(next).toMatchObject({ status: 200, body: { version: 2 } });
    expect((await seqs(o.companyId)).at(-1)).toBe(head + 1);
    await directory.remove();
  });
});

/** Puts `OLD` entries of a deleted actor before the company's own, and makes everything there is ten days older. */
async function age(companyId: string, living: string): Promise<void> {
  const partition = partitionOf(companyId);
  const actor = `i${companyId.slice(1, 4)}ffffffffffffffff`;
  await admin.query('update journal set seq = seq + 1000000 where company_id = $1', [companyId]);
  await admin.query(`update journal set seq = seq - 1000000 + ${OLD} where company_id = $1`, [companyId]);
  await admin.query(
    `insert into journal (partition, company_id, seq, actor_id, version, epoch, at, entry)
     select $1, $2, n, $3, n, 1, n, '{}' from generate_series(1, ${OLD}) n`,
    [partition, companyId, actor],
  );
  const days = 10 * 86_400_000;
  await admin.query(`update journal set at = at - ${days} where at > ${days}`);
  await admin.query(`update actors set updated_at = updated_at - ${days}`);
  await admin.query(`update records set at = at - ${days}`);
  expect((await admin.query('select from actors where id = $1', [living])).rowCount).toBe(1);
}

async function seqs(companyId: string): Promise<number[]> {
  const rows = await admin.query<{ seq: number }>(
    'select seq from journal where company_id = $1 order by seq',
    [companyId],
  );
  return rows.rows.map(({ seq }) => seq);
}

const gaps = (all: readonly number[]) => all.filter((seq, n) => n > 0 && seq !== all[n - 1]! + 1);

async function subscribed(url: string, companyId: string, since: number) {
  const client = await connect({ url });
  const seen = { recovered: false, seq: 0, snapshot: [] as string[], changes: [] as number[] };
  try {
    let settled = () => {};
    const done = new Promise<void>((resolve) => {
      settled = resolve;
    });
    await client.subscribe(
      `company:${companyId}`,
      { since },
      {
        ready: ({ recovered, seq }) => Object.assign(seen, { recovered, seq }),
        snapshot: (items) => {
          seen.snapshot = items.map((item) => item.id);
          settled();
        },
        change: (change) => {
          seen.changes.push((change as Change).seq);
          if ((change as Change).seq === seen.seq) settled();
        },
      },
    );
    await done;
    return seen;
  } finally {
    client.close();
  }
}
