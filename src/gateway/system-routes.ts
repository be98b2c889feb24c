/** What belongs to the server and to no company: health, metrics, the machine, where to look next. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { BatonError } from '../errors.ts';
import { authenticate } from './access.ts';
import { type Dashboard, wantsHtml } from './dashboard.ts';
import type { Doors } from './doors.ts';
import { answers, sendJson } from './reply.ts';

const tags = ['server'];

/** Outside `/v1`. Health needs no credential; metrics are of every company, so they take the server's own. */
export function systemRoutes(scope: FastifyInstance, doors: Doors, dashboard: Dashboard): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.route({
    method: 'GET',
    url: '/',
    schema: { hide: true },
    handler: async (request, reply) => {
      if (wantsHtml(request) && dashboard.page(request, reply)) return reply;
      return sendJson(reply.header('vary', 'accept'), {
        name: 'baton',
        version: doors.version,
        docs: '/docs',
        openapi: '/openapi.json',
        mcp: '/mcp',
        http: '/v1',
        webSocket: '/v1/ws',
        health: '/healthz',
        readiness: '/readyz',
        metrics: '/metrics',
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/healthz',
    schema: answers({ tags, summary: 'It listens' }, { 200: z.looseObject({ ok: z.boolean() }) }),
    handler: async (_request, reply) => sendJson(reply, { ok: true, version: doors.version }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    schema: answers(
      { tags, summary: 'It owns its partitions and the database answers' },
      { 200: z.looseObject({ ready: z.boolean() }) },
    ),
    handler: async (_request, reply) => {
      const readiness = doors.router.readiness();
      if (readiness.ready && !doors.draining()) return sendJson(reply, readiness);
      const reason = doors.draining() ? 'draining' : readiness.reason;
      // Not a problem document: probes and people read the same shape either way.
      return sendJson(reply, { ...readiness, ready: false, reason }, 503);
    },
  });

  app.route({
    method: 'GET',
    url: '/metrics',
    schema: answers({ tags, summary: 'Prometheus metrics' }, {}),
    handler: async (request, reply) => {
      const principal = await authenticate(request, doors);
      if (principal.companyId !== null) {
        throw new BatonError(
          'FORBIDDEN',
          'Metrics are of all companies: only the server’s own token reads them.',
        );
      }
      const { type, text } = await doors.metrics.scrape();
      return reply.type(type).send(text as never);
    },
  });
}
