/** Defects between the store and PostgreSQL, and the scenarios that show them (guarantees.md, P2 and P12). */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { migrate } from '../../src/persistence/migrate.ts';
import { connection } from '../../src/persistence/pool.ts';
import { PostgresStore } from '../../src/persistence/postgres-store.ts';
import { batch, HOME, id, only, own, row } from '../contract/rows.ts';
import { replaced } from '../simulation/mutants/mutant.ts';
import { freshDatabase, temporaryDirectory } from '../support/postgres.ts';
import type { ScenarioMutant } from './scenario-mutant.ts';
import { uncaughtDuring } from './uncaught.ts';

/** What answers by itself has answered within this, ms; what hangs has not. */
const PATIENCE_MS = 4000;
const QUERY_TIMEOUT_MS = 300;
/** Within this the end of a connection has been heard of, ms. */
const HEARD_MS = 500;

async function withDatabase<T>(f: (url: string, admin: pg.Client) => Promise<T>): Promise<T> {
  const database = await freshDatabase();
  await migrate(database.url);
  const admin = new pg.Client(connection({ url: database.url }));
  admin.on('error', () => {});
  await admin.connect();
  try {
    return await f(database.url, admin);
  } finally {
    await admin.end();
    await database.drop();
  }
}

/** True once `query` answers at least one row. */
async function until(admin: pg.Client, query: string, ms = PATIENCE_MS): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(10))
    if ((await admin.query(query)).rowCount !== 0) return true;
  return false;
}

const waits = (text: string) => `select from pg_stat_activity where wait_event_type = 'Lock'
  and query like '%${text}%' and datname = current_database() and pid <> pg_backend_pid()`;

/**
 * The directed race: a commit has proved its epoch and hangs in its insert; another node takes the partition over and
 * reads; then the commit goes on. It must not land behind the new owner's back: the takeover waits for it.
 */
const directedRace = () =>
  withDatabase(async (url, admin) => {
    const store = new PostgresStore({ url });
    const blocker = new pg.Client(connection({ url }));
    const taker = new pg.Client(connection({ url }));
    await Promise.all([blocker.connect(), taker.connect()]);
    try {
      const epochs = await own(store, 'n1');
      await blocker.query('begin');
      await blocker.query(`insert into actors (partition, id, company_id, kind, ordinal, state, priority, holds, version,
        machine_version, snapshot, head, updated_at) values (${HOME}, '${id('i', 1)}', 'c', 'issue', 1, 's', 0, false, 1, 1,
        '{}', '{}', 1)`);
      const late = store.commit(batch('n1', only(epochs, HOME), { rows: [row(1)] }));
      if (!(await until(admin, waits('with fence')))) throw new Error('the commit does not wait');
      const takeover = taker
        .query(`update partitions set owner = 'n2', epoch = epoch + 1 where partition = ${HOME}`)
        .then(() => true);
      const took = await Promise.race([
        takeover,
        until(admin, waits('update partitions set owner')).then(() => false),
      ]);
      const read = (await store.load([id('i', 1)])).length;
      await blocker.query('rollback');
      await Promise.all([late, takeover]);
      const stored = (await store.load([id('i', 1)])).length;
      return took && stored > read ? ['a write of the old owner landed after the new one had read'] : [];
    } finally {
      await Promise.all([store.close(), blocker.end(), taker.end()]);
    }
  });

/** A database that takes what is sent and answers nothing: a commit ends as unknown, it does not wait for ever. */
const blackHole = () =>
  withDatabase(async (url) => {
    const hole = await openHole(url);
    const store = new PostgresStore({
      url: hole.url,
      queryTimeoutMs: QUERY_TIMEOUT_MS,
      connectTimeoutMs: QUERY_TIMEOUT_MS,
    });
    try {
      const epochs = await own(store, 'n1');
      const sent = (n: number) => store.commit(batch('n1', only(epochs, HOME), { rows: [row(n)] }));
      // Over a connection that is there: opening one has a time-out of its own.
      await sent(1);
      hole.swallow();
      const commit = sent(2).then(({ is }) => is);
      const ended = await Promise.race([commit, sleep(PATIENCE_MS).then(() => 'nothing')]);
      return ended === 'unknown' ? [] : [`a commit into a black hole was answered ${ended}`];
    } finally {
      hole.close();
      await store.close();
      await hole.removed();
    }
  });

async function openHole(url: string) {
  const directory = await temporaryDirectory();
  const target = decodeURIComponent(/host=([^&]+)/.exec(url)![1]!);
  const sockets = new Set<Socket>();
  let swallowing = false;
  const carry = (from: Socket, to: Socket) => {
    from.on('data', (data) => swallowing || to.write(data));
    from.on('close', () => to.destroy());
    from.on('error', () => {});
    sockets.add(from);
  };
  const server = createServer((near) => {
    const far = connect(`${target}/.s.PGSQL.5432`);
    carry(near, far);
    carry(far, near);
  });
  await new Promise<void>((resolve) => server.listen(`${directory.path}/.s.PGSQL.5432`, resolve));
  return {
    url: url.replace(/host=[^&]+/, `host=${encodeURIComponent(directory.path)}`),
    swallow: () => {
      swallowing = true;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
    removed: () => directory.remove(),
  };
}

/** Idle connections are ended by the server: nobody dies of it. */
const sessionsEnded = () =>
  withDatabase((url, admin) =>
    uncaughtDuring(async () => {
      const store = new PostgresStore({ url });
      try {
        await own(store, 'n1');
        await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`);
        // Each connection is heard of in its own time, and all of them while somebody still catches that.
        await sleep(HEARD_MS);
      } finally {
        await store.close();
        await sleep(HEARD_MS);
      }
    }),
  );

type Query = (this: pg.Client, ...args: unknown[]) => unknown;
/** Patches what every connection sends. */
const sending = (change: (client: pg.Client, args: unknown[]) => unknown[]) => () =>
  replaced(
    pg.Client.prototype as unknown as { query: Query },
    'query',
    (query) =>
      function (...args) {
        return query.apply(this, change(this, args));
      },
  );

export const DATABASE_MUTANTS: readonly ScenarioMutant[] = [
  {
    name: 'fence-without-row-lock',
    breaks: 'the commit statement reads the epoch without locking its row',
    killedBy: 'P2',
    scenario: { name: 'late commit', tests: 'test/mutants', run: directedRace },
    patch: sending((_client, [first, ...rest]) => {
      const { text } = (first ?? {}) as { text?: string };
      if (!text?.includes('for share of q')) return [first, ...rest];
      return [{ ...(first as object), text: text.replace('for share of q', '') }, ...rest];
    }),
  },
  {
    name: 'no-query-timeout',
    breaks: 'a query waits for its answer for ever',
    killedBy: 'P12',
    scenario: { name: 'black hole', tests: 'test/mutants', run: blackHole },
    patch: sending((client, args) => {
      const { connectionParameters } = client as unknown as {
        connectionParameters: { query_timeout: number };
      };
      connectionParameters.query_timeout = 0;
      return args;
    }),
  },
  {
    name: 'no-pool-error-handler',
    breaks: 'nobody listens to what happens to idle connections',
    killedBy: 'P12',
    scenario: { name: 'ended sessions', tests: 'test/mutants', run: sessionsEnded },
    patch: () =>
      replaced(
        pg.Pool.prototype as unknown as { on: Query },
        'on',
        (on) =>
          function (event, ...rest) {
            return event === 'error' || event === 'connect' ? this : on.call(this, event, ...rest);
          },
      ),
  },
];
