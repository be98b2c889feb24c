/**
 * Work handed in, taken and ended: a run of an issue in Baton, a job in the queues for PostgreSQL that people would use in
 * its place. Each on a database of its own in the same durable PostgreSQL, in turns. Baton keeps a journal of it, tells
 * subscribers, and holds a lock and a lease meanwhile; that is not taken off.
 */
import type { Bench } from './bench.ts';
import type { Cluster } from './support/cluster.ts';
import { pause } from './support/load.ts';
import { cpuOf } from './support/process-usage.ts';
import { baton } from './support/queues/baton.ts';
import { Board } from './support/queues/board.ts';
import { graphileWorker } from './support/queues/graphile-worker.ts';
import { installQueues } from './support/queues/installed.ts';
import { pgBoss } from './support/queues/pg-boss.ts';
import type { Queue, QueueKind } from './support/queues/queue.ts';
import type { Room } from './support/room.ts';
import { median, quantile, rounded } from './support/statistics.ts';

const KINDS: readonly QueueKind[] = [baton, graphileWorker, pgBoss];
const ROUNDS = 4;
/** Handing in at once. */
const PRODUCERS = 64;
/** Handed in and not ended: whoever hands in waits then, so that a queue is measured and not its growth. */
const MOST_WAITING = 1000;
/** A server that has just been started runs code not yet compiled. */
const WARM_MS = 4000;
const COUNTED_MS = 4000;
const ONE_BY_ONE = 200;
const STUCK_MS = 30_000;
/** Whose CPU is counted: what hands in and works (both libraries’ threads), Baton's server, PostgreSQL. */
const PROCESSES = ['clients', 'server', 'database'] as const;
const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);

export const queues: Bench = {
  name: 'queues',
  about: 'work handed in, taken and ended: Baton against graphile-worker and pg-boss on the same PostgreSQL',
  withinSeconds: 400,
  async run(room) {
    installQueues();
    const cluster = await room.cluster();
    const sides = KINDS.map((kind) => new Side(kind));
    for (let round = 1; round <= ROUNDS; round++) {
      for (const side of sides) await side.measure(room, cluster);
      const rates = sides.map(({ name, rates }) => `${name} ${Math.round(rates.at(-1)!)}/s`);
      room.say(`round ${round}: ${rates.join(', ')}`);
    }
    const [own, ...others] = sides as [Side, ...Side[]];
    const ratio = (other: Side, of: (side: Side) => readonly number[]) =>
      rounded(median(of(own).map((value, n) => value / of(other)[n]!)), 2);
    return {
      figures: others.flatMap((other) => [
        { what: `rate ÷ ${other.name}’s`, value: ratio(other, (s) => s.rates), unit: '×', atLeast: 1 },
        {
          what: `handed in until begun, p50 ÷ ${other.name}’s`,
          value: ratio(other, (s) => s.p50s),
          unit: '×',
          atMost: 1,
        },
      ]),
      parts: {
        perSecond: each(sides, ({ rates }) => Math.round(median(rates))),
        rounds: each(sides, ({ rates }) => rates.map(Math.round)),
        cpuMicrosEach: each(sides, ({ micros }) => ({
          all: Math.round(median(micros.map(sum))),
          ofWhich: PROCESSES.map((name, n) => `${name} ${Math.round(median(micros.map((m) => m[n]!)))}`),
        })),
        cpuRatios: each(sides, ({ micros }) =>
          rounded(median(own.micros.map(sum)) / median(micros.map(sum)), 2),
        ),
        beginMsP50: each(sides, ({ p50s }) => rounded(median(p50s), 2)),
        beginMsP99: each(sides, ({ p99s }) => rounded(median(p99s), 2)),
        database: cluster.product,
        durability: cluster.durability,
      },
    };
  },
};

function each<T>(sides: readonly Side[], of: (side: Side) => T): Record<string, T> {
  return Object.fromEntries(sides.map((side) => [side.name, of(side)]));
}

/** One of them, and what was measured of it round by round. */
class Side {
  readonly name: string;
  /** Ended a second. */
  readonly rates: number[] = [];
  /** From handing in one alone until a worker's function is called, ms. */
  readonly p50s: number[] = [];
  readonly p99s: number[] = [];
  /** CPU for each one ended, by PROCESSES, µs: what others on the machine move less than a rate. */
  readonly micros: number[][] = [];
  readonly #kind: QueueKind;

  constructor(kind: QueueKind) {
    this.name = kind.name;
    this.#kind = kind;
  }

  /** Opened for this round only: one that has nothing to do may still ask its database. */
  async measure(room: Room, cluster: Cluster): Promise<void> {
    const board = new Board();
    const queue = await this.#kind.open(room, await cluster.database(), board);
    const work = new Work(queue, board);
    const { rate, micros } = await work.rate(async () => {
      const { user, sys } = await cpuOf(process.pid);
      return [user + sys, await queue.cpu(), await cluster.cpu()];
    });
    this.rates.push(rate);
    this.micros.push(micros);
    const taken: number[] = [];
    for (let n = 0; n < ONE_BY_ONE; n++) taken.push(await work.one());
    this.p50s.push(quantile(taken, 0.5));
    this.p99s.push(quantile(taken, 0.99));
    await queue.close();
  }
}

/** What is handed in to a queue. */
class Work {
  readonly #queue: Queue;
  readonly #board: Board;
  #handedIn = 0;

  constructor(queue: Queue, board: Board) {
    this.#queue = queue;
    this.#board = board;
  }

  /**
   * Ended a second while many hand in, and µs of CPU for each.
   * @param cpu seconds so far, of several processes
   */
  async rate(cpu: () => Promise<readonly number[]>): Promise<{ rate: number; micros: number[] }> {
    let isOver = false;
    let waiting: (() => void)[] = [];
    const produce = async () => {
      while (!isOver) {
        if (this.#handedIn - this.#board.endedCount < MOST_WAITING) await this.#add();
        else await new Promise<void>((resolve) => waiting.push(resolve));
      }
    };
    const produced = Promise.all(Array.from({ length: PRODUCERS }, produce));
    // One looks for all of them: 64 timers a millisecond would be measured too.
    const look = setInterval(() => {
      const go = waiting.splice(0, Math.max(0, MOST_WAITING - (this.#handedIn - this.#board.endedCount)));
      for (const resume of go) resume();
    }, 1);
    await pause(WARM_MS);
    const spent = await cpu();
    const before = this.#board.endedCount;
    const since = performance.now();
    await pause(COUNTED_MS);
    const ended = this.#board.endedCount - before;
    const seconds = (performance.now() - since) / 1000;
    const micros = (await cpu()).map((now, n) => ((now - spent[n]!) / ended) * 1e6);
    isOver = true;
    clearInterval(look);
    for (const resume of waiting) resume();
    waiting = [];
    await produced;
    await this.#atRest();
    return { rate: ended / seconds, micros };
  }

  /** One alone: ms until it began. */
  async one(): Promise<number> {
    const since = process.hrtime.bigint();
    await this.#add();
    await this.#board.until(() => this.#board.begunCount === this.#handedIn, STUCK_MS);
    const ms = Number(this.#board.lastBegunAt - since) / 1e6;
    await this.#atRest();
    return ms;
  }

  #add(): Promise<void> {
    this.#handedIn++;
    return this.#queue.add();
  }

  #atRest(): Promise<void> {
    return this.#board.until(() => this.#board.endedCount === this.#handedIn, STUCK_MS);
  }
}
