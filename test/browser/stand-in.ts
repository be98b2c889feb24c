/**
 * A page that speaks the handshake of Stately's inspector, on an origin of its own: it says `@statelyai.connected` to
 * whoever frames it and keeps what it is sent. Beside it a page that says the same from a wrong origin.
 */
import { createServer, type Server } from 'node:http';

const PAGE = `<!doctype html><title>stand-in</title><body><script>
window.received = [];
addEventListener('message', (event) => received.push({ origin: event.origin, data: event.data }));
parent.postMessage({ type: '@statelyai.connected' }, '*');
</script>`;

export interface StandIn {
  readonly url: string;
  readonly origin: string;
  /** How often its page was asked for. */
  asked(): number;
  close(): Promise<void>;
}

export async function standIn(): Promise<StandIn> {
  let asked = 0;
  const server: Server = createServer((request, response) => {
    if (request.url?.startsWith('/inspect')) asked += 1;
    response.setHeader('content-type', 'text/html');
    response.end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const origin = `http://127.0.0.1:${port}`;
  return {
    url: `${origin}/inspect`,
    origin,
    asked: () => asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
