/**
 * kill −9 in the middle of a load with 100,000 issues waiting for their retry, then another server on the same database:
 * how soon it is ready, that every acknowledged version is in the journal, that what waits is what waited, and that
 * the timers that came due meanwhile fire once.
 */
import type { Bench } from './bench.ts';
import { withClient } from './support/cluster.ts';
import { LOAD_TOWN, Load, pause } from './support/load.ts';
import { median, quantile, rounded } from './support/statistics.ts';
import { buildTown } from './support/town.ts';
import { settle, writeWaiting } from './support/waiting-issues.ts';

const COUNT = 100_000;
const KILLS = 3;
const LOAD_MS = 2000;
/** Due soon after each kill; the others over a day. */
const SOON = 300;
const SOON_FIRST_MS = 50_000;
const EVERY_MS = 15_000;
const DAY_MS = 86_400_000;
const HOMES = { companies: 20, agents: 1, issuesPerAgent: 0 };
/** What came due while there was no server, and what is due until then, has fired by then. */
const FIRED_MS = 5000;

export const restart: Bench = {
  name: 'restart',
  about: `kill −9 under load with ${COUNT} issues waiting, and start again`,
  withinSeconds: 420,
  async run(room) {
    const cluster = await room.cluster();
    const url = await cluster.database();
    let server = await room.server(url);
    const town = await buildTown(server.api, LOAD_TOWN);
    const homes = await buildTown(server.api, HOMES);
    await server.stop();
    const since = Date.now();
    const soonAt = (n: number) => since + SOON_FIRST_MS + Math.floor(n / SOON) * EVERY_MS + (n % SOON) * 20;
    const dueAt = (n: number) => (n < KILLS * SOON ? soonAt(n) : since + DAY_MS + n);
    const { ids } = await writeWaiting({ url, companies: homes, count: COUNT, dueAt });
    await settle(url);
    server = await server.again();

    const ready: number[] = [];
    const executing: number[] = [];
    let acknowledged = 0;
    let lost = 0;
    let changed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const acks = new Map<string, number>();
      const load = await Load.open(server.api.url, town);
      load.acknowledged = (issueId, version) => {
        acknowledged++;
        if (version > (acks.get(issueId) ?? 0)) acks.set(issueId, version);
      };
      const ended = load.start().catch(() => {});
      await pause(Math.max(LOAD_MS, soonAt(kill * SOON) - 500 - Date.now()));
      await server.kill();
      await ended;
      const before = await standing(url);
      executing.push(before.executing);
      lost += await missing(url, acks);
      server = await server.again();
      ready.push(server.readyMs);
      changed += Math.abs((await standing(url)).rows - before.rows);
      room.say(
        `kill ${kill + 1}: ${before.executing} were executing; ready after ${Math.round(server.readyMs)} ms`,
      );
      await pause(Math.max(0, soonAt((kill + 1) * SOON - 1) + FIRED_MS - Date.now()));
    }
    const soon = ids.slice(0, KILLS * SOON);
    const fired = await firings(url, soon);
    const late = fired.map(({ id, at }) => at - dueAt(ids.indexOf(id)));
    const once = new Set(fired.map(({ id }) => id)).size;
    const { rows, gaps } = await standing(url);
    await server.stop();
    return {
      figures: [
        {
          what: 'process started → ready, slowest',
          value: rounded(Math.max(...ready) / 1000),
          unit: 's',
          atMost: 3,
        },
        { what: 'acknowledged versions that are not in the journal', value: lost, unit: '', atMost: 0 },
        { what: 'actors gone or come by the restart', value: changed, unit: '', atMost: 0 },
        { what: 'actors whose versions have a gap or a double', value: gaps, unit: '', atMost: 0 },
        { what: 'retries due around a kill that fired', value: once, unit: '', atLeast: soon.length },
        { what: 'of these twice', value: fired.length - once, unit: '', atMost: 0 },
        { what: 'of these early', value: late.filter((ms) => ms < 0).length, unit: '', atMost: 0 },
      ],
      parts: {
        readyMs: ready.map(Math.round),
        medianReadyMs: Math.round(median(ready)),
        acknowledged,
        executingAtKill: executing,
        lateMs: { p50: quantile(late, 0.5), most: Math.max(...late) },
        actors: rows,
      },
    };
  },
};

/** How many actors there are, and how many of them have not exactly the versions 1..n in the journal. */
function standing(url: string): Promise<{ rows: number; executing: number; gaps: number }> {
  return withClient(url, async (client) => {
    const answer = await client.query<{ rows: number; executing: number; gaps: number }>(`
      select count(*)::int as rows,
        (count(*) filter (where a.substate = 'executing'))::int as executing,
        (count(*) filter (where j.entries is distinct from a.version or j.last is distinct from a.version))::int as gaps
      from actors a left join (
        select partition, actor_id, count(*) as entries, max(version) as last from journal group by 1, 2
      ) j on j.partition = a.partition and j.actor_id = a.id`);
    return answer.rows[0]!;
  });
}

/** How many issues have fewer versions in the journal than were acknowledged. */
function missing(url: string, acks: ReadonlyMap<string, number>): Promise<number> {
  return withClient(url, async (client) => {
    const answer = await client.query<{ missing: number }>(
      `select (count(*) filter (where a.version is null or a.version < w.version))::int as missing
       from unnest($1::text[], $2::int[]) w(id, version) left join actors a on a.id = w.id`,
      [[...acks.keys()], [...acks.values()]],
    );
    return answer.rows[0]!.missing;
  });
}

function firings(url: string, ids: readonly string[]): Promise<{ id: string; at: number }[]> {
  return withClient(url, async (client) => {
    const answer = await client.query<{ id: string; at: number }>(
      `select actor_id as id, at from journal where actor_id = any ($1) and entry ->> 'type' = 'RETRY.DUE'`,
      [ids],
    );
    return answer.rows;
  });
}
