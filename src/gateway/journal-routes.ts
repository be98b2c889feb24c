/** The journal of one issue, agent or key: who did what, when and why, version by version. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { cursorOf, NUMBER, pageOf, readCursor } from './cursor.ts';
import type { Doors } from './doors.ts';
import { answers, sendList } from './reply.ts';
import { changeShape, digits, listOf, page, path } from './schemas.ts';

const shapeOf = {
  issue: changeShape,
  agent: changeShape.omit({ issueId: true }).extend({ agentId: z.string() }),
  key: changeShape.omit({ issueId: true }).extend({ keyId: z.string() }),
} as const;

export function journalRoutes(scope: FastifyInstance, { router }: Doors): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  for (const of of ['issue', 'agent', 'key'] as const) {
    app.route({
      method: 'GET',
      url: `/${of}s/:${of}Id/journal`,
      config: { access: { of, may: 'read' } },
      schema: answers(
        {
          tags: [`${of}s`],
          summary: 'Every accepted event, oldest first',
          params: path(`${of}Id`),
          querystring: z.strictObject({
            ...page,
            after: digits(0).optional().meta({ description: 'Only later versions.' }),
          }),
        },
        { 200: listOf(shapeOf[of]) },
      ),
      handler: async (request, reply) => {
        const { limit, cursor, after = 0 } = request.query;
        const from = cursor === undefined ? after : Number(readCursor(cursor, { v: [NUMBER] }).parts[0]);
        const lines = await router.journal(
          (request.params as Record<string, string>)[`${of}Id`] ?? '',
          from,
          limit + 1,
        );
        const { page: items, more } = pageOf(lines, limit);
        const stamp = request.principal.role === 'operator';
        return sendList(
          reply,
          items.map((line) => line.text({ stamp })),
          more ? cursorOf('v', items.at(-1)?.version ?? 0) : null,
        );
      },
    });
  }
}
