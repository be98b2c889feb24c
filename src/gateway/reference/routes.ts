/** `/docs` and its style sheet: made once, on the first request. */
import type { FastifyInstance } from 'fastify';
import { type OpenApi, referencePage } from './page.ts';
import { STYLE } from './style.ts';

/** @param document the OpenAPI document, complete once every route is registered. */
export function referenceRoutes(app: FastifyInstance, document: () => OpenApi): void {
  let page: string | null = null;
  const kept = 'no-cache';
  app.get('/docs', { schema: { hide: true } }, async (_request, reply) => {
    page ??= referencePage(document());
    return reply.header('cache-control', kept).type('text/html; charset=utf-8').send(page);
  });
  app.get('/docs/style.css', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', kept).type('text/css; charset=utf-8').send(STYLE),
  );
}
