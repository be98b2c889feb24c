/**
 * What a server process holds once its garbage is gone: a heap that was not collected just now says nothing of a leak.
 * Asked over the inspector of Node, which the server must have been started with (`INSPECTED`).
 */
import WebSocket from 'ws';
import { memoryOf } from '../../bench/support/process-usage.ts';
import type { ServerProcess } from '../support/server-process.ts';

/** The environment of a server whose garbage can be collected from outside; its heap else as `bin/baton.mjs` has it. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0 --max-semi-space-size=32' } as const;

/** Resident memory after a full collection, MB. */
export async function collected(server: ServerProcess): Promise<number> {
  const url = /Debugger listening on (ws:\S+)/.exec(server.output())?.[1];
  if (url === undefined) throw new Error('the server was started without its inspector');
  await new Promise<void>((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.on('error', reject);
    socket.on('open', () => {
      // Twice: what the first one finalizes is garbage for the second.
      for (const id of [1, 2]) socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }));
    });
    socket.on('message', (data) => {
      if (!String(data).includes('"id":2')) return;
      socket.close();
      resolve();
    });
  });
  // Pages go back to the system a moment later.
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (await memoryOf(server.pid)).rss;
}
