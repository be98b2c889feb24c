/**
 * pg-boss: handed in one by one; where the rate is asked for, fetched and completed in batches by loops of our own,
 * for its own workers ask twice a second at most.
 */
import type { Board } from './board.ts';
import { installed } from './installed.ts';
import { CONCURRENCY, PAYLOAD, type QueueKind } from './queue.ts';
import { workingThread } from './thread.ts';

interface Boss {
  start(): Promise<unknown>;
  stop(options: { graceful: boolean }): Promise<void>;
  on(name: 'error', heard: (error: Error) => void): void;
  createQueue(name: string): Promise<void>;
  send(name: string, data: object): Promise<string | null>;
  fetch(name: string, options: { batchSize: number }): Promise<{ id: string }[]>;
  complete(name: string, ids: string[]): Promise<void>;
}
type BossClass = new (options: { connectionString: string; max: number }) => Boss;

const QUEUE = 'work';
const CONNECTIONS = 16;
const LOOPS = 4;
const BATCH = CONCURRENCY / LOOPS;
const IDLE_MS = 5;

export const pgBoss: QueueKind = {
  name: 'pg-boss',
  async open(_, connectionString, board) {
    const boss = await bossAt(connectionString);
    await boss.createQueue(QUEUE);
    const thread = await workingThread({ kind: 'pg-boss', connectionString }, board);
    return {
      async add() {
        await boss.send(QUEUE, PAYLOAD);
      },
      cpu: async () => 0,
      async close() {
        await thread.end();
        await boss.stop({ graceful: false });
      },
    };
  },
};

async function bossAt(connectionString: string): Promise<Boss> {
  const PgBoss = installed<BossClass>('pg-boss');
  const boss = new PgBoss({ connectionString, max: CONNECTIONS });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  return boss;
}

/** In the thread that works. Answers the way to end it. */
export async function workPgBoss(connectionString: string, board: Board): Promise<() => Promise<void>> {
  const boss = await bossAt(connectionString);
  let isOver = false;
  const loop = async () => {
    while (!isOver) {
      const jobs = await boss.fetch(QUEUE, { batchSize: BATCH });
      if (jobs.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
        continue;
      }
      for (const _ of jobs) board.begun();
      await boss.complete(
        QUEUE,
        jobs.map(({ id }) => id),
      );
      board.ended(jobs.length);
    }
  };
  const loops = Array.from({ length: LOOPS }, loop);
  return async () => {
    isOver = true;
    await Promise.all(loops);
    await boss.stop({ graceful: false });
  };
}
