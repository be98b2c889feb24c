/**
 * The side of a queue that works, in a thread of its own: as Baton has its server, so that on two cores neither is given
 * what the other is not.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Board } from './board.ts';
import { workGraphile } from './graphile-worker.ts';
import { workPgBoss } from './pg-boss.ts';

interface Asked {
  readonly kind: 'graphile-worker' | 'pg-boss';
  readonly connectionString: string;
}

/** Starts one; it is working. */
export async function workingThread(asked: Asked, board: Board): Promise<{ end(): Promise<void> }> {
  const thread = new Worker(new URL(import.meta.url), { workerData: { ...asked, shared: board.shared } });
  // A failure there is one here: what has failed measures nothing.
  await once(thread, 'message');
  return {
    async end() {
      thread.postMessage('end');
      await once(thread, 'exit');
    },
  };
}

if (!isMainThread && parentPort !== null) {
  const { kind, connectionString, shared } = workerData as Asked & { shared: SharedArrayBuffer };
  const port = parentPort;
  const work = { 'graphile-worker': workGraphile, 'pg-boss': workPgBoss }[kind];
  const end = await work(connectionString, new Board(shared));
  port.postMessage('working');
  port.once('message', () => {
    void end().then(() => process.exit());
  });
}
