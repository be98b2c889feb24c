/** Issues: made, listed, read, changed, sent events. Runs and comments have files of their own. */

import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  type IssueEvent,
  issueContext,
  issueEvents,
  newIssue,
  priority,
  reason,
  title,
} from '../machines/events.ts';
import { BULK_BODY_BYTES } from './body.ts';
import { make } from './creation.ts';
import { afterOrdinal, ordinalAfter } from './cursor.ts';
import type { Doors } from './doors.ts';
import { envelope, mayEvent } from './event-door.ts';
import { issueByIdentifier } from './identifiers.ts';
import { indexFilter, indexIssues, issueFilter, listIssues } from './issue-list.ts';
import { badFields, notFound } from './problem.ts';
import { answers, created, keyOf, orThrow, sendAccepted, sendList, sendText, writeHeaders } from './reply.ts';
import { acceptedShape, issueIndexShape, issueShape, listOf, path } from './schemas.ts';

const tags = ['issues'];

export function issueRoutes(scope: FastifyInstance, { router }: Doors): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.route({
    method: 'POST',
    url: '/companies/:companyId/issues',
    config: { access: { of: 'company', may: 'operate' } },
    schema: answers(
      { tags, summary: 'Make an issue', params: path('companyId'), headers: writeHeaders, body: newIssue },
      { 201: issueShape },
    ),
    handler: async (request, reply) => {
      const born = await make(router, request, 'issue', [request.body]);
      return sendText(reply, created(born.items[0]?.view ?? '{}', born.is === 'duplicate'), 201);
    },
  });

  app.route({
    method: 'POST',
    url: '/companies/:companyId/issues/bulk',
    // A thousand issues of up to 64 keys, their contexts included.
    config: { access: { of: 'company', may: 'operate' }, jsonKeys: 64_000 },
    bodyLimit: BULK_BODY_BYTES,
    schema: answers(
      {
        tags,
        summary: 'Make up to 1,000 issues, all or none',
        params: path('companyId'),
        headers: writeHeaders,
        body: z.strictObject({ issues: z.array(newIssue).min(1).max(1000) }),
      },
      { 200: z.looseObject({ items: z.array(issueShape) }) },
    ),
    handler: async (request, reply) => {
      const born = await make(router, request, 'issue', request.body.issues);
      const items = born.items.map((item) => item.view).join(',');
      return sendText(reply, created(`{"items":[${items}]}`, born.is === 'duplicate'));
    },
  });

  app.route({
    method: 'GET',
    url: '/companies/:companyId/issues',
    config: { access: { of: 'company', may: 'read' } },
    schema: answers(
      { tags, summary: 'List issues', params: path('companyId'), querystring: issueFilter },
      { 200: listOf(issueShape) },
    ),
    handler: async (request, reply) => {
      const { cursor, after: above } = request.query;
      if (cursor !== undefined && above !== undefined) {
        throw badFields([{ path: 'after', message: 'a cursor says already where to go on' }]);
      }
      const { after: from = above } = ordinalAfter(cursor);
      const { items, after } = await listIssues(router, request.companyId, request.query, from);
      return sendList(
        reply,
        items.map((item) => item.view),
        after === null ? null : afterOrdinal(after),
      );
    },
  });

  app.route({
    method: 'GET',
    url: '/companies/:companyId/issues/index',
    config: { access: { of: 'company', may: 'read' } },
    schema: answers(
      {
        tags,
        summary: 'Which issues match, without the issues: for windows of long lists',
        params: path('companyId'),
        querystring: indexFilter,
      },
      { 200: issueIndexShape },
    ),
    handler: async (request, reply) =>
      sendText(reply, await indexIssues(router, request.companyId, request.query)),
  });

  app.route({
    method: 'GET',
    url: '/companies/:companyId/issues/:identifier',
    config: { access: { of: 'company', may: 'read' } },
    schema: answers(
      {
        tags,
        summary: 'Read an issue by its identifier, as ACME-7',
        params: path('companyId', 'identifier'),
      },
      { 200: issueShape },
    ),
    handler: async (request, reply) => {
      const company = await router.company(request.companyId);
      const { identifier } = request.params;
      const issue = company === null ? null : await issueByIdentifier(router, company, identifier);
      if (issue === null) throw notFound('issue');
      return sendText(reply, issue.view);
    },
  });

  app.route({
    method: 'GET',
    url: '/issues/:issueId',
    config: { access: { of: 'issue', may: 'read' } },
    schema: answers({ tags, summary: 'Read an issue', params: path('issueId') }, { 200: issueShape }),
    handler: async (request, reply) => {
      const issue = await router.get(request.params.issueId);
      if (issue === null) throw notFound('issue');
      return sendText(reply, issue.view);
    },
  });

  app.route({
    method: 'POST',
    url: '/issues/:issueId/events',
    config: { access: { of: 'issue', may: 'work' } },
    schema: answers(
      {
        tags,
        summary: 'Send an event',
        params: path('issueId'),
        headers: writeHeaders,
        body: issueEvents,
      },
      { 200: acceptedShape },
    ),
    handler: async (request, reply) => {
      const event = request.body;
      mayEvent(request.principal, event.type);
      const { key } = keyOf(request);
      const sent = envelope(request.principal, request.params.issueId, event, key);
      return sendAccepted(reply, orThrow(await router.send(sent)));
    },
  });

  app.route({
    method: 'PATCH',
    url: '/issues/:issueId',
    config: { access: { of: 'issue', may: 'operate' } },
    schema: answers(
      {
        tags,
        summary: 'Change title, context (EDIT) or priority (PRIORITY)',
        params: path('issueId'),
        headers: writeHeaders,
        body: z.strictObject({
          expectedVersion: z.int().min(1).optional(),
          title: title.optional(),
          context: issueContext.optional(),
          priority: priority.optional(),
          reason,
        }),
      },
      { 200: acceptedShape },
    ),
    handler: async (request, reply) => {
      const { priority: rank, title: name, context, expectedVersion, reason: why } = request.body;
      const { key } = keyOf(request);
      const because = why === undefined ? {} : { reason: why };
      const events: IssueEvent[] = [];
      if (rank !== undefined) events.push({ type: 'PRIORITY', priority: rank, ...because });
      if (name !== undefined || context !== undefined) {
        const fields = {
          ...(name === undefined ? {} : { title: name }),
          ...(context === undefined ? {} : { context }),
        };
        events.push({ type: 'EDIT', ...fields, ...because });
      }
      // EDIT last: it always changes something, so its version is the answer's and the key is remembered with it.
      const event = events.pop();
      if (event === undefined) {
        throw badFields([{ path: '', message: 'title, context or priority must be given' }]);
      }
      const [first] = events;
      const checked = { ...event, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
      const sent = envelope(request.principal, request.params.issueId, checked, key);
      return sendAccepted(reply, orThrow(await router.send(first === undefined ? sent : { ...sent, first })));
    },
  });
}
