/** Runs: read, and reported by whoever executes them (protocol section 4, RUN.*). */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { issueOfRun } from '../ids.ts';
import { eventFields, issueEvents } from '../machines/events.ts';
import type { Doors } from './doors.ts';
import { envelope, mayEvent } from './event-door.ts';
import { invalid, notFound } from './problem.ts';
import {
  answers,
  keyOf,
  orThrow,
  sendAccepted,
  sendJson,
  sendList,
  sendText,
  writeHeaders,
} from './reply.ts';
import { companyRuns, liveOf, runsOf } from './run-list.ts';
import { acceptedShape, listOf, page, path, runShape } from './schemas.ts';

const tags = ['runs'];
const status = z.enum([
  'queued',
  'running',
  'scheduled_retry',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
]);
/** The verbs of `POST /runs/:runId/…` and the events they are. */
const REPORTS = {
  heartbeat: 'RUN.HEARTBEAT',
  succeed: 'RUN.SUCCEEDED',
  fail: 'RUN.FAILED',
  stopped: 'RUN.STOPPED',
} as const;

/** The body of a verb: its event without the type and the run, which the path says. */
function reportBody(type: (typeof REPORTS)[keyof typeof REPORTS]) {
  const { runId: _, ...fields } = eventFields(type);
  return z.strictObject(fields);
}

export function runRoutes(scope: FastifyInstance, { router }: Doors): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.route({
    method: 'GET',
    url: '/issues/:issueId/runs',
    config: { access: { of: 'issue', may: 'read' } },
    schema: answers(
      {
        tags,
        summary: 'Runs of an issue, oldest first',
        params: path('issueId'),
        querystring: z.strictObject(page),
      },
      { 200: listOf(runShape) },
    ),
    handler: async (request, reply) => {
      const issue = await router.get(request.params.issueId);
      if (issue === null) throw notFound('issue');
      const { items, nextCursor } = await runsOf(router, issue, request.query.limit, request.query.cursor);
      return sendList(reply, items, nextCursor);
    },
  });

  app.route({
    method: 'GET',
    url: '/companies/:companyId/runs',
    config: { access: { of: 'company', may: 'read' } },
    schema: answers(
      {
        tags,
        summary: 'Runs of a company: those that live, then the ended ones',
        params: path('companyId'),
        querystring: z.strictObject({ ...page, status: status.optional() }),
      },
      { 200: listOf(runShape) },
    ),
    handler: async (request, reply) => {
      const { limit, cursor, status: of = null } = request.query;
      const { items, nextCursor } = await companyRuns(router, request.companyId, of, limit, cursor);
      return sendList(reply, items, nextCursor);
    },
  });

  app.route({
    method: 'GET',
    url: '/runs/:runId',
    config: { access: { of: 'run', may: 'read' } },
    schema: answers({ tags, summary: 'Read a run', params: path('runId') }, { 200: runShape }),
    handler: async (request, reply) => {
      const { runId } = request.params;
      const issue = await router.get(issueOfRun(runId) ?? '');
      const live = issue === null ? undefined : liveOf(issue).find((run) => run.id === runId);
      if (live !== undefined) return sendJson(reply, live);
      const ended = issue === null ? null : await router.record(issue.id, 'run', runId);
      if (ended === null) throw notFound('run');
      return sendText(reply, ended.record);
    },
  });

  async function report(request: FastifyRequest, type: string) {
    const { runId } = request.params as { runId: string };
    const parsed = issueEvents.safeParse({ ...(request.body as object), type, runId });
    if (!parsed.success) throw invalid(parsed.error);
    mayEvent(request.principal, type);
    const { key } = keyOf(request);
    return router.send(envelope(request.principal, issueOfRun(runId) ?? '', parsed.data, key));
  }

  for (const [verb, type] of Object.entries(REPORTS)) {
    app.route({
      method: 'POST',
      url: `/runs/:runId/${verb}`,
      config: { access: { of: 'run', may: 'work' } },
      schema: answers(
        {
          tags,
          summary: `Report ${type} of a run`,
          params: path('runId'),
          headers: writeHeaders,
          body: reportBody(type),
        },
        { 200: acceptedShape },
      ),
      handler: async (request, reply) => sendAccepted(reply, orThrow(await report(request, type))),
    });
  }
}
