/** Companies: the tenants. Made only on the server's own token; a company's principals see their own. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { BatonError } from '../errors.ts';

import type { Router } from '../supervisor/router.ts';
import { actorOf } from './auth.ts';
import { afterRow, pageOf, timeCursor } from './cursor.ts';
import type { Doors } from './doors.ts';
import { notFound } from './problem.ts';
import { answers, created, keyOf, orThrow, sendJson, sendList, sendText, writeHeaders } from './reply.ts';
import { companyShape, listOf, page, path, statsShape } from './schemas.ts';

type CompanyRow = NonNullable<Awaited<ReturnType<Router['company']>>>;

const tags = ['companies'];

export function companyRoutes(scope: FastifyInstance, { router }: Doors): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.route({
    method: 'POST',
    url: '/companies',
    config: { access: { of: 'server', may: 'operate' } },
    schema: answers(
      {
        tags,
        summary: 'Make a company',
        headers: writeHeaders,
        body: z.strictObject({
          name: z.string().min(1).max(200),
          prefix: z
            .string()
            .regex(/^[A-Z][A-Z0-9]{1,9}$/, 'an upper-case letter, then 1..9 letters or digits'),
        }),
      },
      { 201: companyShape },
    ),
    handler: async (request, reply) => {
      const { key } = keyOf(request);
      const made = orThrow(await router.createCompany(request.body, actorOf(request.principal), key));
      if (made.is === 'taken') {
        throw new BatonError('CONFLICT', `Another company has the prefix ${request.body.prefix}.`, {
          version: null,
          hint: 'Choose another prefix.',
        });
      }
      return sendText(reply, created(JSON.stringify(companyView(made.row)), made.is === 'duplicate'), 201);
    },
  });

  app.route({
    method: 'GET',
    url: '/companies',
    config: { access: { of: 'any', may: 'read' } },
    schema: answers(
      { tags, summary: 'List companies', querystring: z.strictObject(page) },
      { 200: listOf(companyShape) },
    ),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const after = cursor === undefined ? undefined : timeCursor(cursor);
      const own = request.principal.companyId;
      if (own !== null) {
        const company = after === undefined ? await router.company(own) : null;
        return sendList(reply, company === null ? [] : [JSON.stringify(companyView(company))], null);
      }
      const found = pageOf(await router.companies(limit + 1, after), limit);
      const items = found.page.map((row) => JSON.stringify(companyView(row)));
      return sendList(reply, items, found.more ? afterRow(found.page.at(-1) as CompanyRow) : null);
    },
  });

  app.route({
    method: 'GET',
    url: '/companies/:companyId',
    config: { access: { of: 'company', may: 'read' } },
    schema: answers({ tags, summary: 'Read a company', params: path('companyId') }, { 200: companyShape }),
    handler: async (request, reply) => {
      const company = await router.company(request.companyId);
      if (company === null) throw notFound('company');
      return sendJson(reply, companyView(company));
    },
  });

  app.route({
    method: 'GET',
    url: '/companies/:companyId/stats',
    config: { access: { of: 'company', may: 'read' } },
    schema: answers(
      { tags, summary: 'Counts by state, retries due, events per second', params: path('companyId') },
      { 200: statsShape },
    ),
    handler: async (request, reply) => sendJson(reply, await router.stats(request.companyId)),
  });
}

function companyView({ id, name, prefix, createdAt }: CompanyRow) {
  return { id, name, prefix, createdAt };
}
