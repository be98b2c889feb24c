/**
 * Puts a server together: the only file that knows every room. The order is that of the first lines a person sees –
 * database, schema, node, gateway –, and a database that is away does not keep it from listening: `/readyz` says so, and
 * it goes on trying.
 */
import { relative } from 'node:path';
import type { Logger } from 'pino';
import { type Clock, type Random, systemClock, systemRandom } from './clock.ts';
import type { Settings } from './config.ts';
import { createGateway } from './gateway/gateway.ts';
import { createMetrics } from './gateway/metrics.ts';
import { announce, localToken } from './local-access.ts';
import { agentKind } from './machines/agent-kind.ts';
import { issueKind } from './machines/issue-kind.ts';
import { keyKind } from './machines/key-kind.ts';
import { assertKind } from './machines/registering.ts';
import { makeDirectory } from './persistence/directory.ts';
import { NOT_OURS, openDatabase } from './persistence/embedded-postgres.ts';
import { MigrationError, migrate, migrationCount, pending } from './persistence/migrate.ts';
import { population } from './persistence/population.ts';
import { PostgresCatalog } from './persistence/postgres-catalog.ts';
import { PostgresStore } from './persistence/postgres-store.ts';
import { type Forecast, Forecaster } from './supervisor/forecast.ts';
import type { Readiness } from './supervisor/router.ts';
import { type RunningNode, startNode } from './supervisor/start-node.ts';
import { VERSION } from './version.ts';

/** One line of the first run: what was done, in words, and how long it took (ms; null where that says nothing). */
export interface Step {
  readonly name: 'database' | 'schema' | 'recovered' | 'listening';
  readonly text: string;
  readonly ms: number | null;
}

export interface RuntimeIo {
  readonly log: Logger;
  /** Hears each step when it is done. */
  say(step: Step): void;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface Runtime {
  readonly url: string;
  readonly port: number;
  /** The operator token: the given one, or in local mode the one in `<data dir>/token`. */
  readonly token: string;
  /** True when requests without credentials are the operator's (loopback, no token given). */
  readonly local: boolean;
  /** Where the database is: for `psql`. */
  readonly databaseUrl: string;
  readiness(): Readiness;
  /** Resolves when the node owns its partitions and has recovered them; false when `ms` pass before that. */
  ready(ms: number): Promise<boolean>;
  /** Graceful, safe to repeat: clients are told, what is in flight is committed, the database is stopped last. */
  stop(): Promise<void>;
}

/** Wait between two tries to reach a database that is away, ms. */
const RETRY_MS = 500;
/** How long commits in flight may take when stopping, ms: the whole stop stays below 10 s (protocol section 1). */
const DRAIN_MS = 4000;
const DAY_MS = 86_400_000;
/** A heartbeat is given half the TTL, so that another can be heard before the lease is over; a short TTL's is no less, ms. */
const LEAST_LEASE_TIMEOUT_MS = 1_000;

/**
 * Starts a server.
 * @throws Error saying what to do next: port taken, data dir in use or unreadable, database newer than the code.
 */
export async function createRuntime(settings: Settings, io: RuntimeIo): Promise<Runtime> {
  const clock = io.clock ?? systemClock();
  const random = io.random ?? systemRandom();
  const { log } = io;
  const since = clock.monotonic();
  const database =
    settings.databaseUrl === null
      ? await openDatabase({ dataDir: settings.dataDir, log: (line) => log.info(line) })
      : {
          url: settings.databaseUrl,
          product: 'PostgreSQL',
          how: 'DATABASE_URL' as const,
          ...NOT_OURS,
          stop: async () => {},
        };
  const undo: (() => Promise<void>)[] = [() => database.stop()];
  let stopped = false;
  /** Tries on to reach a database that is away: until it answers, or the server is stopped or could not be started. */
  let waiting: Promise<void> | null = null;
  try {
    if (database.how !== 'DATABASE_URL') {
      const as = database.user === null ? '' : ` · as user ${database.user}`;
      const outside = database.isElsewhere ? ' (outside the data directory: back up both)' : '';
      const where = `${database.product} (embedded, ${database.how}) · ${nearby(database.place ?? '')}${outside}${as}`;
      io.say({ name: 'database', text: where, ms: clock.monotonic() - since });
    }
    const local = settings.token === null;
    if (local) await makeDirectory(settings.dataDir);
    const token = settings.token ?? (await localToken(settings.dataDir, random));
    const onTrouble = (error: Error) => {
      if (!stopped) log.warn({ err: error.message }, 'a database connection broke');
    };
    const leaseTimeoutMs = Math.max(LEAST_LEASE_TIMEOUT_MS, settings.nodeTtlMs / 2);
    const store = new PostgresStore({ url: database.url, onTrouble, leaseTimeoutMs });
    const catalog = new PostgresCatalog({ url: database.url, onTrouble });
    undo.unshift(async () => {
      await store.close();
      await catalog.close();
    });

    const schema = async () => {
      const begun = clock.monotonic();
      const applied = await migrate(database.url);
      // Also refuses a PostgreSQL that is too old, or one that acknowledges before its log is flushed.
      const { product, version } = await store.check();
      if (database.how === 'DATABASE_URL') {
        io.say({
          name: 'database',
          text: `${product} ${version} (DATABASE_URL)`,
          ms: clock.monotonic() - since,
        });
      }
      const now = applied.length === 0 ? '' : `, ${applied.length} applied now`;
      const text = `${await migrationCount()} migrations${now}`;
      io.say({ name: 'schema', text, ms: clock.monotonic() - begun });
    };
    const pause = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
    const tryOn = async () => {
      let told = '';
      while (!stopped) {
        await pause(RETRY_MS);
        if (stopped) return;
        const done = await schema().then(
          () => true,
          (again: unknown) => {
            // Once a cause: it stays so until somebody does something, and is looked at twice a second.
            if (again instanceof MigrationError && again.message !== told) {
              told = again.message;
              log.fatal({ err: told }, 'the schema does not fit');
            }
            return false;
          },
        );
        if (done) return;
      }
    };
    const away = await schema().then(
      () => false,
      (error: unknown) => {
        if (error instanceof MigrationError || database.how !== 'DATABASE_URL') throw error;
        log.warn({ err: String(error) }, 'the database is away; listening anyway and trying on');
        return true;
      },
    );
    // Not awaited before stop: the server listens meanwhile.
    waiting = away ? tryOn() : null;

    const metrics = createMetrics();
    const kinds = kindsOf(settings);
    for (const kind of kinds) assertKind(kind as never);
    const running: RunningNode = startNode({
      store,
      catalog,
      clock,
      random,
      kinds,
      nodeTtlMs: settings.nodeTtlMs,
      residentBytes: settings.residentMb * 1024 * 1024,
      retentionMs: settings.retentionDays * DAY_MS,
      meter: metrics,
      log: (level, message, data) => log[level](data ?? {}, message),
    });
    undo.unshift(() => running.stop(DRAIN_MS));
    metrics.bind(() => running.node.gauges());

    const gateway = await createGateway({
      router: running.router,
      clock,
      random,
      log,
      metrics,
      host: settings.host,
      port: settings.port,
      strictPort: settings.portExplicit,
      token,
      localMode: local,
      allowedOrigins: settings.allowedOrigins,
      statelyUrl: settings.statelyUrl,
      rateLimit: settings.rateLimit,
      version: VERSION,
    });
    undo.unshift(() => gateway.stop());
    // Of a server with a token of its own and a database elsewhere nothing is kept here, and the directory may not be there.
    if (local || settings.databaseUrl === null) {
      const announced = await announce(settings.dataDir, gateway.url);
      if (announced.is === 'announced') undo.unshift(announced.takeBack);
      else {
        const { pid, url } = announced;
        const there = url === null ? '' : `, ${url}`;
        log.warn(
          `commands in this folder go to the Baton server that was here first (process ${pid}${there}): ` +
            `name this one with --url ${gateway.url}`,
        );
      }
    }

    const ready = async (ms: number) => {
      const until = clock.monotonic() + ms;
      while (!running.router.readiness().ready) {
        if (clock.monotonic() >= until || stopped) return false;
        await pause(5);
      }
      return true;
    };
    const recoverySince = clock.monotonic();
    void ready(Number.POSITIVE_INFINITY).then((isReady) => {
      const { live, timers } = running.ownership.recovered;
      if (!isReady) return;
      const text = `${live} live actors, ${timers} timers due within a minute`;
      io.say({ name: 'recovered', text, ms: clock.monotonic() - recoverySince });
    });

    let stopping: Promise<void> | null = null;
    return {
      url: gateway.url,
      port: gateway.port,
      token,
      local,
      databaseUrl: database.url,
      readiness: () => running.router.readiness(),
      ready,
      stop() {
        stopping ??= (async () => {
          stopped = true;
          // New work is refused from now on, so that the gateway can say so before it closes.
          running.node.draining = true;
          await waiting;
          await inTurn(undo, log);
        })();
        return stopping;
      },
    };
  } catch (error) {
    stopped = true;
    await waiting;
    await inTurn(undo, log);
    throw error;
  }
}

export { dataDirHolder } from './persistence/data-dir-lock.ts';

export interface Migrated {
  /** What was applied, or with `dryRun` would be, in order. */
  readonly migrations: readonly { readonly number: number; readonly name: string }[];
  /** Which database: `PostgreSQL 15.13 (embedded, system)`. */
  readonly database: string;
  /** With `dryRun`: what the stored actors would become under this version; else empty. */
  readonly population: readonly Forecast[];
}

/**
 * Brings the schema up to date without starting a server, or says what that would do.
 * @throws Error saying what to do next: no database, a database newer than the code.
 */
export async function migrateDatabase(
  settings: Settings,
  options: { dryRun: boolean; log(line: string): void },
): Promise<Migrated> {
  const databaseUrl = settings.databaseUrl ?? undefined;
  const database = await openDatabase({ databaseUrl, dataDir: settings.dataDir, log: options.log });
  try {
    const migrations = await (options.dryRun ? pending(database.url) : migrate(database.url));
    const how = database.how === 'DATABASE_URL' ? database.how : `embedded, ${database.how}`;
    return {
      migrations: migrations.map(({ number, name }) => ({ number, name })),
      database: `${database.product} (${how})`,
      population: options.dryRun ? await forecastOf(database.url, settings) : [],
    };
  } finally {
    await database.stop();
  }
}

/** A path as one would write it here. */
function nearby(path: string): string {
  const way = relative('.', path);
  return way === '' || way.startsWith('..') ? path : way;
}

/** Reads every stored actor and changes none. */
async function forecastOf(url: string, settings: Settings): Promise<Forecast[]> {
  const forecaster = new Forecaster(kindsOf(settings) as never);
  for await (const page of population(url)) for (const row of page) forecaster.add(row);
  return forecaster.forecasts();
}

function kindsOf(settings: Settings) {
  return [
    issueKind(),
    agentKind({
      delaysMs: [...settings.retryDelaysMs],
      jitter: settings.retryJitter,
      leaseMs: settings.leaseMs,
      stopGraceMs: settings.stopGraceMs,
    }),
    keyKind(),
  ];
}

/** Takes everything down in reverse order; one that fails does not keep the others up. */
async function inTurn(undo: readonly (() => Promise<void>)[], log: Logger): Promise<void> {
  for (const step of undo) {
    await step().catch((error: unknown) => log.warn({ err: String(error) }, 'a part did not stop cleanly'));
  }
}
