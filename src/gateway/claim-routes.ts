/** Claims over HTTP: a worker's long poll (domain section 4). */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Claimed } from '../supervisor/router.ts';
import type { Doors } from './doors.ts';
import { claimFields } from './protocol.ts';
import { answers, orThrow, sendText } from './reply.ts';
import { grantShape, path } from './schemas.ts';

/** How long a withdrawn claim may take to say whether it was granted just before, ms. */
const LAST_WORD_MS = 250;

const NOTHING: Claimed = { is: 'granted', grants: [] };

export function claimRoutes(scope: FastifyInstance, { router, random, clock, holds }: Doors): void {
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
        body: z.strictObject(claimFields),
      },
      { 200: z.looseObject({ grants: z.array(grantShape) }) },
    ),
    handler: async (request, reply) => {
      const { max = 1, waitMs = 0, claimId = random.secret(16) } = request.body;
      const { companyId, principal } = request;
      const pool = request.params.agentId;
      const { answer, withdraw } = router.claim({ pool, companyId, claimId, max, waitMs, session: null });
      let release: (claimed: Claimed) => void = () => {};
      const cutShort = new Promise<Claimed>((resolve) => {
        release = resolve;
      });
      let disarm = () => {};
      // The grant of a claim withdrawn in the same moment stands, so it is waited for a little.
      const giveUp = () => {
        withdraw();
        disarm();
        disarm = clock.after(LAST_WORD_MS, () => release(NOTHING));
      };
      const done = holds.add({ keyId: principal.keyId, revoked: giveUp, drained: giveUp });
      reply.raw.once('close', () => {
        if (!reply.raw.writableEnded) giveUp();
      });
      // Closed already, while its credential and its agent were looked up: nobody would say so again.
      if (request.raw.socket.destroyed) giveUp();
      try {
        const { grants } = orThrow(await Promise.race([answer, cutShort]));
        return sendText(reply, `{"grants":[${grants.join(',')}]}`);
      } finally {
        done();
        disarm();
      }
    },
  });
}
