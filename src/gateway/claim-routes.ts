/** Claims over HTTP: a worker's long poll (domain section 4). */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Doors } from './doors.ts';
import { longPoll } from './long-poll.ts';
import { claimFields } from './protocol.ts';
import { answers, keyOf, orThrow, sendText, writeHeaders } from './reply.ts';
import { grantShape, path } from './schemas.ts';

export function claimRoutes(scope: FastifyInstance, doors: Doors): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.route({
    method: 'POST',
    url: '/agents/:agentId/claim',
    config: { access: { of: 'agent', may: 'work' } },
    schema: answers(
      {
        tags: ['runs'],
        summary: 'Ask for work: answered when granted, or empty after waitMs',
        params: path('agentId'),
        headers: writeHeaders,
        body: z.strictObject(claimFields),
      },
      { 200: z.looseObject({ grants: z.array(grantShape) }) },
    ),
    handler: async (request, reply) => {
      const { companyId, principal } = request;
      const gone = new AbortController();
      reply.raw.once('close', () => {
        if (!reply.raw.writableEnded) gone.abort();
      });
      if (request.raw.socket.destroyed) gone.abort();
      const { claimId = keyOf(request).key, ...body } = request.body;
      const asked = { ...body, claimId, pool: request.params.agentId, companyId, keyId: principal.keyId };
      const { grants } = orThrow(await longPoll(doors, asked, gone.signal));
      return sendText(reply, `{"grants":[${grants.join(',')}]}`);
    },
  });
}
