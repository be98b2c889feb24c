/** Agents: who executes. Their settings and status; claims are in claim-routes.ts. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type AgentEvent, newAgent, retryOverride } from '../machines/events.ts';
import type { Shown } from '../supervisor/router.ts';
import { make } from './creation.ts';
import { afterOrdinal, ordinalAfter, pageOf } from './cursor.ts';
import type { Doors } from './doors.ts';
import { envelope } from './event-door.ts';
import { notFound } from './problem.ts';
import { answers, created, keyOf, orThrow, sendList, sendText, writeHeaders } from './reply.ts';
import { agentShape, listOf, page, path } from './schemas.ts';

const tags = ['agents'];
const common = { expectedVersion: z.int().min(1).optional(), reason: z.string().max(1000).optional() };
const asked = newAgent.shape;

export function agentRoutes(scope: FastifyInstance, { router }: Doors): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.route({
    method: 'POST',
    url: '/companies/:companyId/agents',
    config: { access: { of: 'company', may: 'operate' } },
    schema: answers(
      { tags, summary: 'Make an agent', params: path('companyId'), headers: writeHeaders, body: newAgent },
      { 201: agentShape },
    ),
    handler: async (request, reply) => {
      const born = await make(router, request, 'agent', [request.body]);
      return sendText(reply, created(born.items[0]?.view ?? '{}', born.is === 'duplicate'), 201);
    },
  });

  app.route({
    method: 'GET',
    url: '/companies/:companyId/agents',
    config: { access: { of: 'company', may: 'read' } },
    schema: answers(
      { tags, summary: 'List agents', params: path('companyId'), querystring: z.strictObject(page) },
      { 200: listOf(agentShape) },
    ),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const found = await router.list({
        companyId: request.companyId,
        kind: 'agent',
        limit: limit + 1,
        ...ordinalAfter(cursor),
      });
      const { page: items, more } = pageOf(found.items, limit);
      return sendList(
        reply,
        items.map((item) => item.view),
        more ? afterOrdinal((items.at(-1) as Shown).ordinal) : null,
      );
    },
  });

  app.route({
    method: 'GET',
    url: '/agents/:agentId',
    config: { access: { of: 'agent', may: 'read' } },
    schema: answers({ tags, summary: 'Read an agent', params: path('agentId') }, { 200: agentShape }),
    handler: async (request, reply) => {
      const agent = await router.get(request.params.agentId);
      if (agent === null) throw notFound('agent');
      return sendText(reply, agent.view);
    },
  });

  async function tell(request: FastifyRequest, event: AgentEvent) {
    const { agentId } = request.params as { agentId: string };
    const { key } = keyOf(request);
    return orThrow(await router.send(envelope(request.principal, agentId, event, key))).view;
  }

  app.route({
    method: 'PATCH',
    url: '/agents/:agentId',
    config: { access: { of: 'agent', may: 'operate' } },
    schema: answers(
      {
        tags,
        summary: 'Change an agent’s settings',
        params: path('agentId'),
        headers: writeHeaders,
        body: z.strictObject({
          expectedVersion: common.expectedVersion,
          name: asked.name.optional(),
          adapterType: asked.adapterType,
          maxConcurrentRuns: asked.maxConcurrentRuns,
          wakeOnDemand: asked.wakeOnDemand,
          retry: retryOverride.nullable().optional(),
          reason: common.reason,
        }),
      },
      { 200: agentShape },
    ),
    handler: async (request, reply) =>
      sendText(reply, await tell(request, { type: 'UPDATE', ...request.body })),
  });

  app.route({
    method: 'POST',
    url: '/agents/:agentId/pause',
    config: { access: { of: 'agent', may: 'operate' } },
    schema: answers(
      {
        tags,
        summary: 'Pause an agent: stop its runs, or with drain let them finish',
        params: path('agentId'),
        headers: writeHeaders,
        body: z.strictObject({ ...common, drain: z.boolean().optional() }),
      },
      { 200: agentShape },
    ),
    handler: async (request, reply) =>
      sendText(reply, await tell(request, { type: 'PAUSE', ...request.body })),
  });

  for (const [verb, type, summary] of [
    ['resume', 'RESUME', 'Let a paused agent work again'],
    ['terminate', 'TERMINATE', 'End an agent for good; what it had is unassigned'],
  ] as const) {
    app.route({
      method: 'POST',
      url: `/agents/:agentId/${verb}`,
      config: { access: { of: 'agent', may: 'operate' } },
      schema: answers(
        {
          tags,
          summary,
          params: path('agentId'),
          headers: writeHeaders,
          body: z.strictObject(common),
        },
        { 200: agentShape },
      ),
      handler: async (request, reply) => sendText(reply, await tell(request, { type, ...request.body })),
    });
  }
}
