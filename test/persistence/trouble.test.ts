/** What the store says, and that it heals, when the database or the way to it fails (guarantees.md, P12). */
import { connect, createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../src/persistence/migrate.ts';
import { connection } from '../../src/persistence/pool.ts';
import { PostgresStore } from '../../src/persistence/postgres-store.ts';
import { batch, HOME, id, only, own, row } from '../contract/rows.ts';
import { FaultProxy } from '../processes/world/proxy.ts';
import { type FreshDatabase, freshDatabase, temporaryDirectory } from '../support/postgres.ts';

let database: FreshDatabase;
let admin: pg.Client;
/** Holds locks against the store, in a transaction. */
let holder: pg.Client;
let store: PostgresStore;
let epochs: Map<number, number>;
let troubles: Error[];

beforeAll(async () => {
  database = await freshDatabase();
  await migrate(database.url);
  admin = new pg.Client(connection({ url: database.url }));
  holder = new pg.Client({ ...connection({ url: database.url }), application_name: 'holder' });
  await Promise.all([admin.connect(), holder.connect()]);
});
afterAll(async () => {
  await Promise.all([admin.end(), holder.end()]);
  await database.drop();
});
beforeEach(async () => {
  await admin.query(
    'truncate actors, journal, records; update partitions set owner = null where owner is not null',
  );
  troubles = [];
  store = new PostgresStore({ url: database.url, onTrouble: (error) => troubles.push(error) });
  epochs = await own(store, 'n1');
});
afterEach(() => store.close());

const commit = (n: number, on = store) => on.commit(batch('n1', only(epochs, HOME), { rows: [row(n)] }));

const terminate = () =>
  admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'baton' and pid <> pg_backend_pid()`);

/** Sends the same batch until it is settled, as the lane does: every idle connection may have been broken. */
async function settled(n: number, on = store): Promise<string> {
  for (let attempt = 1; attempt <= 10; attempt++) {
    const outcome = await commit(n, on);
    if (outcome.is !== 'unknown') return outcome.is;
  }
  return 'unknown';
}

describe('sessions terminated', () => {
  it('idle connections are replaced, nobody dies of them', async () => {
    await Promise.all([1, 2, 3].map((n) => commit(n)));
    await terminate();
    expect(await settled(4)).toBe('committed');
    expect((await store.load([id('i', 4)])).length).toBe(1);
    expect(troubles.length).toBeGreaterThan(0);
  });

  it('a commit in flight is unknown, and the same batch again settles it', async () => {
    await holder.query('begin; select from partitions for update');
    const inFlight = commit(1);
    await waits();
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`);
    expect((await inFlight).is).toBe('unknown');
    await holder.query('rollback');
    expect((await commit(1)).is).toBe('committed');
  });
});

async function waits(): Promise<void> {
  for (let n = 0; n < 1_000; n++) {
    const found = await admin.query(
      "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    if (found.rowCount !== 0) return;
  }
  throw new Error('nothing waits');
}

it('a commit that waits too long is unknown, and its connection is not used again', async () => {
  const impatient = new PostgresStore({ url: database.url, queryTimeoutMs: 300 });
  try {
    await holder.query('begin; select from partitions for update');
    expect((await commit(1, impatient)).is).toBe('unknown');
    await holder.query('rollback');
    expect((await commit(1, impatient)).is).toBe('committed');
  } finally {
    await impatient.close();
  }
});

it('a batch that takes longer than our patience is given more of it, attempt by attempt, until it lands', async () => {
  const impatient = new PostgresStore({ url: database.url, queryTimeoutMs: 200 });
  await admin.query(`create function slow() returns trigger language plpgsql as
    $$ begin perform pg_sleep(0.5); return new; end $$;
    create trigger slow before insert on actors for each row execute function slow()`);
  try {
    const large = batch('n1', only(epochs, HOME), { rows: [row(1)] });
    const outcomes: string[] = [];
    for (let attempt = 1; attempt <= 8 && outcomes.at(-1) !== 'committed'; attempt++)
      outcomes.push((await impatient.commit(large)).is);
    expect(outcomes.at(-1)).toBe('committed');
    expect(outcomes[0]).toBe('unknown');
  } finally {
    await admin.query('drop trigger slow on actors; drop function slow()');
    await impatient.close();
  }
});

it('what the server cannot store is rejected, whatever it blames', async () => {
  const outcomes = await Promise.all([
    store.commit(batch('n1', only(epochs, HOME), { rows: [row(1, { snapshot: '{' })] })),
    store.commit(batch('n1', only(epochs, HOME), { rows: [row(1, { state: 'a\0b' })] })),
    store.commit(batch('n1', only(epochs, HOME), { rows: [row(1, { version: 2 ** 40 })] })),
    store.commit(batch('n1', only(epochs, HOME), { rows: [row(1, { version: Number.NaN })] })),
    store.commit(batch('n1', only(epochs, HOME), { rows: [row(1, { snapshot: '"\x1e"' })] })),
    store.commit(batch('n1', only(epochs, HOME), { rows: [row(1), row(1)] })),
  ]);
  expect(outcomes.map((outcome) => outcome.is)).toEqual(Array(6).fill('rejected'));
  expect((await commit(1)).is).toBe('committed');
});

it('reads do not wait behind commits that hang', async () => {
  await holder.query('begin; select from partitions for update');
  const hanging = Array.from({ length: 8 }, (_, n) => commit(n + 1));
  await waits();
  expect(await store.load([id('i', 1)])).toEqual([]);
  expect((await store.beat('n1')).databaseNow).toBeGreaterThan(0);
  await holder.query('rollback');
  expect((await Promise.all(hanging)).every((outcome) => outcome.is === 'committed')).toBe(true);
});

it('a black hole is noticed: the commit is unknown, the read rejects, and both work again afterwards', async () => {
  const hole = await proxy();
  const far = new PostgresStore({ url: hole.url, queryTimeoutMs: 300, connectTimeoutMs: 300 });
  try {
    expect((await commit(1, far)).is).toBe('committed');
    hole.swallow(true);
    const [outcome, read] = await Promise.all([
      commit(2, far),
      far.load([id('i', 1)]).then(
        () => 'answered',
        () => 'rejected',
      ),
    ]);
    expect([outcome.is, read]).toEqual(['unknown', 'rejected']);
    hole.swallow(false);
    expect(await settled(2, far)).toBe('committed');
    expect((await far.load([id('i', 1)])).length).toBe(1);
  } finally {
    await far.close();
    await hole.close();
  }
});

describe('a heartbeat', () => {
  it('does not wait behind questions of who owns what', async () => {
    const way = await FaultProxy.open(`${socketDir()}/.s.PGSQL.5432`);
    const far = new PostgresStore({ url: `postgresql://postgres@127.0.0.1:${way.port}/${databaseName()}` });
    try {
      await far.beat('n1');
      way.become({ is: 'open', delayMs: () => 200 });
      const asked = Promise.all(Array.from({ length: 24 }, () => far.owners([HOME]))).then(() => 'questions');
      const beat = far.beat('n1').then(() => 'beat');
      expect(await Promise.race([asked, beat])).toBe('beat');
      await asked;
    } finally {
      await far.close();
      await way.close();
    }
  });

  it('that was swallowed is given up long before a slow read would be', async () => {
    const hole = await proxy();
    const far = new PostgresStore({ url: hole.url, leaseTimeoutMs: 300 });
    try {
      await far.beat('n1');
      hole.swallow(true);
      const beat = far.beat('n1').catch(() => 'given up');
      const late = new Promise((resolve) => setTimeout(() => resolve('waits'), 4_000));
      expect(await Promise.race([beat, late])).toBe('given up');
      hole.swallow(false);
      expect((await far.beat('n1')).databaseNow).toBeGreaterThan(0);
    } finally {
      await hole.close();
      await far.close();
    }
  });

  it('that arrived and was not answered is the last one to arrive, so that others may take over', async () => {
    const way = await FaultProxy.open(`${socketDir()}/.s.PGSQL.5432`);
    const url = `postgresql://postgres@127.0.0.1:${way.port}/${databaseName()}`;
    const far = new PostgresStore({ url, leaseTimeoutMs: 300 });
    const seenAt = async () =>
      (await admin.query("select seen_at from nodes where id = 'n1'")).rows[0].seen_at;
    try {
      // At once, so that there are as many connections as there may be.
      for (let n = 0; n < 5; n++) await Promise.all([far.beat('n1'), far.acquire('n1', 5_000, 1, new Set())]);
      way.become({ is: 'half open' });
      await expect(far.beat('n1')).rejects.toThrow();
      const seen = await seenAt();
      for (let n = 0; n < 3; n++) await expect(far.beat('n1')).rejects.toThrow();
      expect(await seenAt()).toEqual(seen);
      way.become({ is: 'open' });
      expect((await far.beat('n1')).databaseNow).toBeGreaterThan(seen.getTime());
    } finally {
      await far.close();
      await way.close();
    }
  });

  it('hears at once that its advisory lock was lost, for others may take it for gone', async () => {
    const heard = new Promise<string>((resolve) => store.onDoubt('n1', () => resolve('heard')));
    for (let n = 0; n < 500 && !(await locks()); n++) await store.beat('n1');
    await admin.query(`select pg_terminate_backend(pid) from pg_locks
      where locktype = 'advisory' and objsubid = 2 and database = (select oid from pg_database where datname = current_database())`);
    expect(await heard).toBe('heard');
  });

  it('does not wait for the advisory lock, which is a hint and no more', async () => {
    const hole = await proxy();
    const far = new PostgresStore({ url: hole.url, connectTimeoutMs: 5_000 });
    try {
      await far.beat('n1');
      hole.swallowNew(true);
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query like '%pg_try_advisory_lock%' and pid <> pg_backend_pid()`);
      const beat = far.beat('n1').then(() => 'answered');
      const late = new Promise((resolve) => setTimeout(() => resolve('waited'), 2_500));
      expect(await Promise.race([beat, late])).toBe('answered');
    } finally {
      await hole.close();
      await far.close();
    }
  });
});

it('whoever waits behind a way that was broken hears so when it is not any more, and is answered at the next try', async () => {
  const way = await FaultProxy.open(`${socketDir()}/.s.PGSQL.5432`);
  const url = `postgresql://postgres@127.0.0.1:${way.port}/${databaseName()}`;
  const far = new PostgresStore({ url, readConnections: 2, commitConnections: 1 });
  try {
    await Promise.all([far.load([id('i', 1)]), commit(1, far)]);
    way.become({ is: 'black hole' });
    // One connection that is open, one that is being opened, one read that waits for either; and a commit.
    const reads = [1, 2, 3].map((n) => far.load([id('i', n)]).catch(() => 'unanswered'));
    const inFlight = commit(2, far);
    await new Promise((resolve) => setTimeout(resolve, 50));
    way.become({ is: 'open' });
    far.renew();
    const late = new Promise((resolve) => setTimeout(() => resolve('waited'), 4_000));
    const [first, second, , outcome, again, anew] = (await Promise.race([
      Promise.all([...reads, inFlight, far.load([id('i', 1)]), commit(2, far)]),
      late.then(() => ['waited']),
    ])) as [unknown, unknown, unknown, { is: string }, unknown[], { is: string }];
    expect([first, second, outcome?.is, again?.length, anew?.is]).toEqual([
      'unanswered',
      'unanswered',
      'unknown',
      1,
      'committed',
    ]);
  } finally {
    await far.close();
    await way.close();
  }
});

const locks = async () =>
  (
    await admin.query(`select from pg_locks where locktype = 'advisory' and objsubid = 2
      and database = (select oid from pg_database where datname = current_database())`)
  ).rowCount !== 0;
const socketDir = () => decodeURIComponent(/host=([^&]+)/.exec(database.url)![1]!);
const databaseName = () => database.url.split('/')[3]!.split('?')[0]!;

/** A way to the database that can stop carrying anything without closing. */
async function proxy() {
  const directory = await temporaryDirectory();
  const target = socketDir();
  const sockets = new Set<Socket>();
  let swallowing = false;
  let swallowingNew = false;
  const carry = (from: Socket, to: Socket) => {
    from.on('data', (data) => swallowing || to.write(data));
    from.on('close', () => to.destroy());
    from.on('error', () => {});
    sockets.add(from);
  };
  const server: Server = createServer((near) => {
    if (swallowingNew) {
      sockets.add(near);
      return;
    }
    const far = connect(`${target}/.s.PGSQL.5432`);
    carry(near, far);
    carry(far, near);
  });
  await new Promise<void>((resolve) => server.listen(`${directory.path}/.s.PGSQL.5432`, resolve));
  return {
    url: database.url.replace(/host=[^&]+/, `host=${encodeURIComponent(directory.path)}`),
    swallow: (on: boolean) => {
      swallowing = on;
    },
    /** Takes new connections and says nothing on them; those there are go on. */
    swallowNew: (on: boolean) => {
      swallowingNew = on;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await directory.remove();
    },
  };
}

it('refuses a database that would lose acknowledged events', async () => {
  await admin.query(
    `alter role current_user in database ${database.url.split('/')[3]!.split('?')[0]} set synchronous_commit = off`,
  );
  const unsafe = new PostgresStore({ url: database.url });
  try {
    await expect(unsafe.check()).rejects.toThrow(
      /synchronous_commit is off: an acknowledged event could be lost/,
    );
  } finally {
    await unsafe.close();
    await admin.query(
      'alter role current_user in database ' +
        database.url.split('/')[3]!.split('?')[0] +
        ' reset synchronous_commit',
    );
  }
});

it('takes a node whose process is gone over at once, though its heartbeat is fresh', async () => {
  const ttlMs = 500;
  const second = new PostgresStore({ url: database.url });
  try {
    await second.beat('n2');
    await store.beat('n1');
    await admin.query(
      'select pg_sleep(greatest(0, 0.6 - extract(epoch from clock_timestamp() - pg_postmaster_start_time())))',
    );
    expect(await second.acquire('n2', 60_000_000, 1, new Set())).toEqual([]);
    await store.beat('n1');
    expect(await second.acquire('n2', ttlMs, 1, new Set())).toEqual([]);
    await store.close();
    const taken = await second.acquire('n2', ttlMs, 4096, new Set());
    expect(taken.length).toBe(4096);
  } finally {
    await second.close();
    store = new PostgresStore({ url: database.url });
  }
});
