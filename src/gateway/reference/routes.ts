/** `/docs` and its style sheet: made once, on the first request. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type OpenApi, referencePage } from './page.ts';
import { STYLE } from './style.ts';

/** A Host that may stand in a shell's line as it is. */
const PLAIN_HOST = /^(?:[\w.-]+|\[[\da-f:]+\])(?::\d+)?$/i;

/**
 * @param document the OpenAPI document, complete once every route is registered.
 * @param isLocal whether requests from this machine need no credential: then the examples show none.
 */
export function referenceRoutes(app: FastifyInstance, document: () => OpenApi, isLocal: boolean): void {
  let page: ((origin: string) => string) | null = null;
  const kept = 'no-cache';
  app.get('/docs', { schema: { hide: true } }, async (request, reply) => {
    page ??= referencePage(document(), { isLocal });
    const text = page(originOf(request));
    return reply.header('cache-control', kept).type('text/html; charset=utf-8').send(text);
  });
  app.get('/docs/style.css', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', kept).type('text/css; charset=utf-8').send(STYLE),
  );
}

/** The server's address as whoever asks reached it, through a proxy that ends TLS too. */
function originOf({ host, protocol, headers }: FastifyRequest): string {
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : protocol;
  return PLAIN_HOST.test(host) ? `${scheme}://${host}` : 'http://127.0.0.1:4300';
}
