/** API keys: made by an operator, shown once, revocable at once (protocol section 2). */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { agentId, reason } from '../machines/events.ts';
import type { Router } from '../supervisor/router.ts';
import { actorOf } from './auth.ts';
import { afterRow, pageOf, timeCursor } from './cursor.ts';
import type { Doors } from './doors.ts';
import { badFields, notFound } from './problem.ts';
import { answers, keyOf, orThrow, sendJson, sendList, writeHeaders } from './reply.ts';
import { keyShape, listOf, madeKeyShape, page, path, queryText } from './schemas.ts';

type KeyRow = NonNullable<Awaited<ReturnType<Router['key']>>>;

const tags = ['keys'];

export function keyRoutes(scope: FastifyInstance, doors: Doors): void {
  const { router } = doors;
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.route({
    method: 'POST',
    url: '/companies/:companyId/keys',
    config: { access: { of: 'company', may: 'operate' } },
    schema: answers(
      {
        tags,
        summary: 'Make a key; its token is shown only now',
        params: path('companyId'),
        headers: writeHeaders,
        body: z.strictObject({
          role: z.enum(['operator', 'agent', 'viewer']),
          agentId: agentId.nullable().optional(),
          name: z.string().min(1).max(200).nullable().optional(),
          reason: reason.meta({ description: 'Why, for the journal.' }),
        }),
      },
      { 201: madeKeyShape },
    ),
    handler: async (request, reply) => {
      const { companyId } = request;
      const { role, agentId = null, name = null, reason: why } = request.body;
      if ((role === 'agent') !== (agentId !== null)) {
        const message = role === 'agent' ? 'an agent’s key names its agent' : 'only an agent’s key names one';
        throw badFields([{ path: 'agentId', message }]);
      }
      if (agentId !== null && (await doors.homes.companyOf(agentId, 'a', companyId)) === null) {
        throw notFound('agent');
      }
      const { key } = keyOf(request);
      const by = actorOf(request.principal);
      const made = orThrow(await router.createKey({ companyId, role, agentId, name }, by, key, why));
      const duplicate = made.is === 'duplicate' ? { duplicate: true } : {};
      return sendJson(reply, { ...keyView(made.row), token: made.token, ...duplicate }, 201);
    },
  });

  app.route({
    method: 'GET',
    url: '/companies/:companyId/keys',
    config: { access: { of: 'company', may: 'read' } },
    schema: answers(
      { tags, summary: 'List keys', params: path('companyId'), querystring: z.strictObject(page) },
      { 200: listOf(keyShape) },
    ),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const after = cursor === undefined ? undefined : timeCursor(cursor);
      const found = pageOf(await router.keys(request.companyId, limit + 1, after), limit);
      const items = found.page.map((row) => JSON.stringify(keyView(row)));
      return sendList(reply, items, found.more ? afterRow(found.page.at(-1) as KeyRow) : null);
    },
  });

  app.route({
    method: 'DELETE',
    url: '/keys/:keyId',
    config: { access: { of: 'key', may: 'operate' } },
    schema: answers(
      {
        tags,
        summary: 'Revoke a key',
        params: path('keyId'),
        querystring: z.strictObject({ reason: queryText.max(1000).optional() }),
      },
      { 200: keyShape },
    ),
    handler: async (request, reply) => {
      const { keyId } = request.params;
      const revoked = await router.revokeKey(keyId, actorOf(request.principal), request.query.reason);
      if (revoked === null) throw notFound('key');
      // Also where it could not be journalled: it lets nobody in any more.
      doors.auth.forget(keyId);
      doors.holds.revoke(keyId);
      const { row } = orThrow(revoked);
      return sendJson(reply, keyView(row));
    },
  });
}

/** Everything but the hash. */
function keyView(row: KeyRow) {
  const { id, companyId, role, agentId, name, createdAt, createdBy, revokedAt, revokedBy } = row;
  return { id, companyId, role, agentId, name, createdAt, createdBy, revokedAt, revokedBy };
}
