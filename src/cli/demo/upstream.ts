/** A service on loopback that is busy: the first call for anything is answered 429, the next ones are served. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Upstream {
  readonly url: string;
  stop(): Promise<void>;
}

const RETRY_AFTER_S = 8;

export async function openUpstream(): Promise<Upstream> {
  const asked = new Set<string>();
  const server = createServer((request, reply) => {
    const what = request.url ?? '/';
    if (asked.has(what)) {
      reply.end('Here you are.');
      return;
    }
    asked.add(what);
    reply.writeHead(429, { 'retry-after': String(RETRY_AFTER_S) });
    reply.end('Too many requests for this minute.');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
