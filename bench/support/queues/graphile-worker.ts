/**
 * graphile-worker as its page on performance has it: jobs fetched in batches ahead of their workers, and ends written in
 * batches. For one job at a time that costs it nothing: a notification wakes it.
 */
import type { Board } from './board.ts';
import { installed } from './installed.ts';
import { CONCURRENCY, PAYLOAD, type QueueKind } from './queue.ts';
import { workingThread } from './thread.ts';

interface GraphileWorker {
  run(options: object): Promise<Runner>;
  makeWorkerUtils(options: object): Promise<Utils>;
  readonly Logger: new (scoped: () => (level: string, message: string) => void) => object;
}
interface Runner {
  readonly events: { on(name: 'job:complete', heard: (told: { error: unknown }) => void): void };
  stop(): Promise<void>;
}
interface Utils {
  migrate(): Promise<void>;
  addJob(task: string, payload: object): Promise<unknown>;
  release(): Promise<void>;
}

const TASK = 'work';
/** More would share the two cores with what they wait for. */
const CONNECTIONS = 16;

export const graphileWorker: QueueKind = {
  name: 'graphile-worker',
  async open(_, connectionString, board) {
    const { makeWorkerUtils } = installed<GraphileWorker>('graphile-worker');
    const utils = await makeWorkerUtils({ connectionString, maxPoolSize: CONNECTIONS, logger: quiet() });
    await utils.migrate();
    const thread = await workingThread({ kind: 'graphile-worker', connectionString }, board);
    return {
      async add() {
        await utils.addJob(TASK, PAYLOAD);
      },
      cpu: async () => 0,
      async close() {
        await thread.end();
        await utils.release();
      },
    };
  },
};

/** It tells of each job otherwise, which costs it time. Errors end the bench anyway. */
function quiet(): object {
  const { Logger } = installed<GraphileWorker>('graphile-worker');
  return new Logger(() => (level, message) => {
    if (level === 'error') process.stderr.write(`graphile-worker: ${message}\n`);
  });
}

/** In the thread that works. Answers the way to end it. */
export async function workGraphile(connectionString: string, board: Board): Promise<() => Promise<void>> {
  const { run } = installed<GraphileWorker>('graphile-worker');
  const runner = await run({
    preset: {
      worker: {
        connectionString,
        maxPoolSize: CONNECTIONS,
        concurrentJobs: CONCURRENCY,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        logger: quiet(),
      },
    },
    noHandleSignals: true,
    taskList: { [TASK]: async () => board.begun() },
  });
  runner.events.on('job:complete', ({ error }) => {
    if (error) throw error;
    board.ended();
  });
  return () => runner.stop();
}
