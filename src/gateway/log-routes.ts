/** A run's log: appended by whoever has authority over the run, read by anybody of the company. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { BatonError } from '../errors.ts';
import { issueOfRun } from '../ids.ts';
import { fence } from '../machines/events.ts';
import type { IssueView } from '../machines/view.ts';
import type { Shown } from '../supervisor/router.ts';
import { actorOf, type Principal } from './auth.ts';
import { cursorOf, NUMBER, pageOf, readCursor } from './cursor.ts';
import type { Doors } from './doors.ts';
import { notFound } from './problem.ts';
import { answers, keyOf, sendJson, sendList, writeHeaders } from './reply.ts';
import { liveOf } from './run-list.ts';
import { digits, listOf, logLineShape, page, path } from './schemas.ts';

const tags = ['runs'];

export function logRoutes(scope: FastifyInstance, { router }: Doors): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.route({
    method: 'POST',
    url: '/runs/:runId/log',
    // A thousand lines of three keys each.
    config: { access: { of: 'run', may: 'work' }, jsonKeys: 4000 },
    schema: answers(
      {
        tags,
        summary: 'Append lines to a run’s log',
        params: path('runId'),
        headers: writeHeaders,
        body: z.strictObject({
          fence,
          lines: z
            .array(
              z.strictObject({
                at: z.int().min(0),
                stream: z.string().min(1).max(32),
                text: z.string().max(16 * 1024),
              }),
            )
            .min(1)
            .max(1000),
        }),
      },
      { 200: z.looseObject({ appended: z.int(), duplicate: z.boolean() }) },
    ),
    handler: async (request, reply) => {
      const { runId } = request.params;
      const issue = await router.get(issueOfRun(runId) ?? '');
      if (issue === null) throw notFound('run');
      authority(issue, runId, request.body.fence, request.principal);
      const { lines } = request.body;
      const { key } = keyOf(request);
      const by = actorOf(request.principal);
      const scope = key === undefined ? undefined : `${by.kind}:${by.id}:${key}`;
      const duplicate = (await router.appendLog(runId, lines, scope)) === 'duplicate';
      return sendJson(reply, { appended: duplicate ? 0 : lines.length, duplicate });
    },
  });

  app.route({
    method: 'GET',
    url: '/runs/:runId/log',
    config: { access: { of: 'run', may: 'read' } },
    schema: answers(
      {
        tags,
        summary: 'Lines of a run’s log, in order',
        params: path('runId'),
        querystring: z.strictObject({
          ...page,
          after: digits(0).optional().meta({ description: 'Only later offsets.' }),
        }),
      },
      { 200: listOf(logLineShape) },
    ),
    handler: async (request, reply) => {
      const { runId } = request.params;
      const { limit, cursor, after = 0 } = request.query;
      const from = cursor === undefined ? after : Number(readCursor(cursor, { f: [NUMBER] }).parts[0]);
      const found = pageOf(await router.log(runId, from, limit + 1), limit);
      if (found.page.length === 0) {
        const issue = await router.get(issueOfRun(runId) ?? '');
        const exists =
          issue !== null &&
          (liveOf(issue).some((run) => run.id === runId) ||
            (await router.record(issue.id, 'run', runId)) !== null);
        if (!exists) throw notFound('run');
      }
      return sendList(
        reply,
        found.page.map((line) => JSON.stringify(line)),
        found.more ? cursorOf('f', found.page.at(-1)?.offset ?? 0) : null,
      );
    },
  });
}

/**
 * A run may log while it executes, or while it is left to finish after its issue was completed; with its own fence and,
 * for an agent, as its own agent.
 * @throws BatonError FORBIDDEN (another agent’s run), FENCED
 */
function authority(issue: Shown, runId: string, given: number, principal: Principal): void {
  const { lock, detached, fence: current } = JSON.parse(issue.view) as IssueView;
  const finishing = detached?.cause === 'issue_done' ? detached : null;
  const named = [lock, detached].find((each) => each?.runId === runId) ?? null;
  if (principal.agentId !== null && named !== null && named.agentId !== principal.agentId) {
    throw new BatonError('FORBIDDEN', 'This run is another agent’s.');
  }
  const holder = lock?.mode === 'executing' && lock.runId === runId ? lock : finishing;
  if (holder !== null && holder.runId === runId && holder.fence === given) return;
  throw new BatonError('FENCED', 'This run has no authority over the issue.', {
    holder: lock,
    detached,
    fence: current,
  });
}
