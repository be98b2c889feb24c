/**
 * A million issues waiting for their retry, due over a day: the server's memory, and its event rate beside that of a
 * server with a thousand waiting. Two databases in one PostgreSQL, two servers, one load each, in turns.
 */
import type { Bench } from './bench.ts';
import { LOAD_TOWN, Load } from './support/load.ts';
import type { Room } from './support/room.ts';
import { median, rounded } from './support/statistics.ts';
import { buildTown } from './support/town.ts';
import { settle, writeWaiting } from './support/waiting-issues.ts';

const MANY = 1_000_000;
const FEW = 1_000;
const DAY_MS = 86_400_000;
/** The first are due this long after they were written: by then the rounds are over or under way. */
const AHEAD_MS = 60_000;
const HOMES = { companies: 20, agents: 1, issuesPerAgent: 0 };
const ROUNDS = 5;
const WARM_MS = 1000;
const COUNTED_MS = 4000;

export const waiting: Bench = {
  name: 'waiting',
  about: `${MANY} issues waiting for a retry, due over a day, beside ${FEW}`,
  withinSeconds: 1500,
  async run(room) {
    const cluster = await room.cluster();
    const many = await furnished(room, await cluster.database(), MANY);
    const few = await furnished(room, await cluster.database(), FEW);
    const idle = await many.server.memory();
    const rates = { many: [] as number[], few: [] as number[] };
    const resident: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      rates.many.push((await many.load.run(WARM_MS, COUNTED_MS, async () => {})).rate);
      resident.push((await many.server.memory()).rss);
      rates.few.push((await few.load.run(WARM_MS, COUNTED_MS, async () => {})).rate);
      room.say(
        `round ${round}: ${Math.round(rates.many.at(-1)!)}/s with many, ${Math.round(rates.few.at(-1)!)}/s with few`,
      );
    }
    many.load.close();
    few.load.close();
    const { highest } = await many.server.memory();
    const other = await few.server.memory();
    const ratio = median(rates.many.map((rate, n) => rate / rates.few[n]!));
    return {
      figures: [
        {
          what: 'resident memory of the server, at its highest',
          value: Math.round(highest),
          unit: 'MB',
          atMost: 400,
        },
        { what: 'event rate ÷ that with few waiting', value: rounded(ratio, 3), unit: '×', atLeast: 0.9 },
      ],
      parts: {
        manyPerSecond: Math.round(median(rates.many)),
        fewPerSecond: Math.round(median(rates.few)),
        memoryMb: {
          idle: Math.round(idle.rss),
          underLoad: Math.round(median(resident)),
          withFew: Math.round(other.highest),
        },
        readyMs: Math.round(many.server.readyMs),
        writtenInSeconds: Math.round(many.seconds),
      },
    };
  },
};

/** A server on a database in which `count` issues wait, and a load for it. */
async function furnished(room: Room, url: string, count: number) {
  const before = await room.server(url);
  const town = await buildTown(before.api, LOAD_TOWN);
  const homes = await buildTown(before.api, HOMES);
  await before.stop();
  room.say(`writing ${count} waiting issues`);
  const first = Date.now() + AHEAD_MS;
  const dueAt = (n: number) => first + Math.floor((n * DAY_MS) / count);
  const { seconds } = await writeWaiting({ url, companies: homes, count, dueAt });
  await settle(url);
  const server = await room.server(url);
  return { server, seconds, load: await Load.open(server.api.url, town) };
}
