/**
 * Committed events a second through WebSockets, as a ratio to the product's own commit statement looped bare: what
 * sockets, checks, machines and answers cost beyond the database. Both run in the same database, in turns (A B A B), the
 * bare loop with rows sampled from the run and batches of the size the server formed.
 */
import type { Bench } from './bench.ts';
import { BareCommit, type BatchShape, bytesOf, takeSample } from './support/bare-commit.ts';
import { type Cluster, withClient } from './support/cluster.ts';
import { CONNECTIONS, IN_FLIGHT, LOAD_TOWN, Load, pause, type Window } from './support/load.ts';
import { cpuOf } from './support/process-usage.ts';
import type { ServerProcess } from './support/server-process.ts';
import { median, quantile, rounded } from './support/statistics.ts';
import { buildTown } from './support/town.ts';

const ROUNDS = 5;
const WARM_MS = 1000;
const COUNTED_MS = 5000;
const BARE_MS = 4000;

export const throughput: Bench = {
  name: 'throughput',
  about: `committed events/s, ${CONNECTIONS} WebSockets × ${IN_FLIGHT} in flight, against the bare commit statement`,
  withinSeconds: 300,
  async run(room) {
    const cluster = await room.cluster();
    const url = await cluster.database();
    const server = await room.server(url);
    const town = await buildTown(server.api, LOAD_TOWN);
    const load = await Load.open(server.api.url, town);
    const probe = () => usage(server, cluster, url);

    room.say('warming up and sampling');
    const warm = load.start();
    await pause(3000);
    const sample = await takeSample(url);
    load.stop();
    await warm;
    const companyIds = town.map(({ id }) => id);
    const actors = LOAD_TOWN.companies * LOAD_TOWN.agents * LOAD_TOWN.issuesPerAgent;
    const bare = await BareCommit.open(url, { companyIds, actors, sample });

    const through: number[] = [];
    const looped: number[] = [];
    const shapes: BatchShape[] = [];
    const cpus: ReturnType<typeof cpuShares>[] = [];
    const since = Date.now();
    for (let round = 1; round <= ROUNDS; round++) {
      const window = await load.run(WARM_MS, COUNTED_MS, probe);
      const shape = shapeOf(window.from, window.to);
      shapes.push(shape);
      cpus.push(cpuShares(window));
      through.push(window.rate);
      looped.push(await bare.run(BARE_MS, shape));
      room.say(
        `round ${round}: ${Math.round(through.at(-1)!)}/s through, ${Math.round(looped.at(-1)!)}/s bare`,
      );
    }
    const sizes = await batchSizes(url, companyIds, since);
    load.close();
    await bare.close();
    const ratios = through.map((rate, n) => rate / looped[n]!);
    return {
      figures: [
        {
          what: 'through WebSockets ÷ bare commit statement',
          value: rounded(median(ratios), 3),
          unit: '×',
          atLeast: 0.5,
        },
      ],
      parts: {
        eventsPerSecond: Math.round(median(through)),
        barePerSecond: Math.round(median(looped)),
        ratios: ratios.map((ratio) => rounded(ratio, 3)),
        batch: {
          entries: Math.round(median(shapes.map((s) => s.entries))),
          rows: Math.round(median(shapes.map((s) => s.rows))),
          records: Math.round(median(shapes.map((s) => s.records))),
        },
        batchSizes: {
          p10: quantile(sizes, 0.1),
          p50: quantile(sizes, 0.5),
          p90: quantile(sizes, 0.9),
          most: Math.max(...sizes),
        },
        bytesPerRow: bytesOf(sample),
        serverMicrosPerEvent: rounded(median(cpus.map((c) => c.microsPerEvent)), 1),
        cores: {
          serverUser: rounded(median(cpus.map((c) => c.user))),
          serverSys: rounded(median(cpus.map((c) => c.sys))),
          database: rounded(median(cpus.map((c) => c.database))),
          generator: rounded(median(cpus.map((c) => c.generator))),
        },
        database: cluster.product,
        durability: cluster.durability,
      },
    };
  },
};

interface Usage {
  readonly server: { user: number; sys: number };
  readonly generator: number;
  readonly database: number;
  readonly batches: number;
  readonly entries: number;
  /** Rows written to `actors` and to `records` so far. */
  readonly rows: number;
  readonly records: number;
  readonly journal: number;
}

async function usage(server: ServerProcess, cluster: Cluster, url: string): Promise<Usage> {
  const own = await cpuOf(process.pid);
  const written = await withClient(url, async (client) => {
    const answer = await client.query<{ relname: string; written: number }>(
      `select relname, n_tup_ins + n_tup_upd as written from pg_stat_user_tables
       where relname in ('actors', 'records', 'journal')`,
    );
    return new Map(answer.rows.map((row) => [row.relname, row.written]));
  });
  return {
    server: await server.cpu(),
    generator: own.user + own.sys,
    database: await cluster.cpu(),
    ...(await server.api.commits()),
    rows: written.get('actors') ?? 0,
    records: written.get('records') ?? 0,
    journal: written.get('journal') ?? 0,
  };
}

/** PostgreSQL's own counters lag by up to a second at both ends, so only their proportions are used. */
function shapeOf(from: Usage, to: Usage): BatchShape {
  const entries = (to.entries - from.entries) / (to.batches - from.batches);
  const journal = to.journal - from.journal;
  const share = (name: 'rows' | 'records') => (to[name] - from[name]) / journal;
  return {
    entries: Math.round(entries),
    rows: Math.max(1, Math.min(Math.round(entries), Math.round(entries * share('rows')))),
    records: Math.round(entries * share('records')),
  };
}

/** Cores in use, and what an event costs the server, µs of CPU: that hardly moves when others share the machine. */
function cpuShares({ from, to, seconds, events }: Window<Usage>) {
  const user = to.server.user - from.server.user;
  const sys = to.server.sys - from.server.sys;
  return {
    user: user / seconds,
    sys: sys / seconds,
    database: (to.database - from.database) / seconds,
    generator: (to.generator - from.generator) / seconds,
    microsPerEvent: ((user + sys) / events) * 1e6,
  };
}

/** Entries in each of the server's batches: a batch is one statement, so one transaction. */
function batchSizes(url: string, companyIds: readonly string[], since: number): Promise<number[]> {
  return withClient(url, async (client) => {
    const answer = await client.query<{ size: number }>(
      'select count(*)::int as size from journal where company_id = any ($1) and at >= $2 group by xmin',
      [companyIds, since],
    );
    return answer.rows.map(({ size }) => size);
  });
}
