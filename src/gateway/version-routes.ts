/**
 * One version of an issue: the newest one with the events it allows, and any earlier one as it was. What a page needs
 * to offer only what would be accepted and to travel back in time, without a copy of the machine's rules.
 */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { BatonError } from '../errors.ts';
import { allowedTypes } from '../machines/issue-judge.ts';
import type { Persisted } from '../machines/kind.ts';
import { actorOf } from './auth.ts';
import type { Doors } from './doors.ts';
import { mayEventType } from './event-door.ts';
import { notFound } from './problem.ts';
import { answers, sendJson, sendText } from './reply.ts';
import { changeShape, path } from './schemas.ts';

const tags = ['issues'];
/** A malformed number is answered as a missing version, as a malformed id is (P15). */
const VERSION = /^[1-9][0-9]{0,9}$/;

export function versionRoutes(scope: FastifyInstance, { router, clock }: Doors): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.route({
    method: 'GET',
    url: '/issues/:issueId/versions/:version',
    config: { access: { of: 'issue', may: 'read' } },
    schema: answers(
      {
        tags,
        summary: 'The change that made a version, with the issue as of it',
        params: path('issueId', 'version'),
      },
      { 200: changeShape },
    ),
    handler: async (request, reply) => {
      const { issueId, version } = request.params;
      const found = VERSION.test(version) ? await router.version(issueId, Number(version)) : null;
      if (found === null) throw noSuchVersion();
      const stamp = request.principal.role === 'operator';
      return sendText(reply, found.text({ view: true, stamp }));
    },
  });

  app.route({
    method: 'GET',
    url: '/issues/:issueId/allowed',
    config: { access: { of: 'issue', may: 'read' } },
    schema: answers(
      {
        tags,
        summary: 'Types of events that would change the issue now, sent by whoever asks',
        params: path('issueId'),
      },
      { 200: z.looseObject({ version: z.int(), allowed: z.array(z.string()) }) },
    ),
    handler: async (request, reply) => {
      const issue = await router.get(request.params.issueId);
      if (issue === null) throw notFound('issue');
      const { principal } = request;
      // One put aside takes no events, and its state may be unreadable (A9).
      if (isQuarantined(issue.view)) return sendJson(reply, { version: issue.version, allowed: [] });
      const stamp = { at: clock.now(), u: 0, ids: [], facts: {} };
      const allowed = allowedTypes(issue.state as Persisted<never>, actorOf(principal), stamp);
      const own = allowed.filter((type) => mayEventType(principal, type));
      return sendJson(reply, { version: issue.version, allowed: own });
    },
  });
}

function noSuchVersion(): BatonError {
  const message = 'There is no such version, or what came before it is no longer kept.';
  return new BatonError('NOT_FOUND', message, {
    hint: 'Versions count from 1; BATON_RETENTION_DAYS says for how long they can be shown.',
  });
}

function isQuarantined(view: string): boolean {
  return (JSON.parse(view) as { why: { code: string } }).why.code === 'quarantined';
}
