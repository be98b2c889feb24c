/** Comments: written as the event COMMENT, kept as records, read oldest first. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { issueEvents } from '../machines/events.ts';
import type { RecordLine } from '../supervisor/router.ts';
import { cursorOf, NUMBER, pageOf, readCursor } from './cursor.ts';
import type { Doors } from './doors.ts';
import { acceptedFields, envelope, mayEvent } from './event-door.ts';
import { invalid } from './problem.ts';
import { answers, keyOf, orThrow, sendList, sendText, writeHeaders } from './reply.ts';
import { acceptedShape, commentShape, listOf, page, path } from './schemas.ts';

const tags = ['comments'];
/** A comment's id: its issue's, or its own letter's. */
const COMMENT_ID = /^[a-z][0-9a-z.]{1,64}$/;

/** What is read of a journal row to find the comment it added. */
const addedComment = z.object({
  effects: z.array(z.object({ type: z.string(), data: z.object({ commentId: z.string().optional() }) })),
});

export function commentRoutes(scope: FastifyInstance, { router }: Doors): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  /** The comment that a version of an issue added: a repeat is told the version only. */
  async function commentOf(issueId: string, version: number): Promise<string | undefined> {
    const [line] = await router.journal(issueId, version - 1, 1);
    const change =
      line === undefined ? null : addedComment.safeParse(JSON.parse(line.text({ stamp: false })));
    return change?.data?.effects.find((effect) => effect.type === 'comment.added')?.data.commentId;
  }

  app.route({
    method: 'POST',
    url: '/issues/:issueId/comments',
    config: { access: { of: 'issue', may: 'work' } },
    schema: answers(
      {
        tags,
        summary: 'Write a comment; an operator’s is a human wake',
        params: path('issueId'),
        headers: writeHeaders,
        body: z.strictObject({
          body: z.string(),
          reopen: z.boolean().optional(),
          expectedVersion: z.int().min(1).optional(),
        }),
      },
      { 201: z.looseObject({ ...acceptedShape.shape, comment: commentShape.nullable() }) },
    ),
    handler: async (request, reply) => {
      const { issueId } = request.params;
      const parsed = issueEvents.safeParse({ type: 'COMMENT', ...request.body });
      if (!parsed.success) throw invalid(parsed.error);
      mayEvent(request.principal, 'COMMENT');
      const { key } = keyOf(request);
      const answer = orThrow(await router.send(envelope(request.principal, issueId, parsed.data, key)));
      const id = answer.ids[0] ?? (await commentOf(issueId, answer.version));
      const comment = id === undefined ? null : await router.record(issueId, 'comment', id);
      return sendText(reply, `{"comment":${comment?.record ?? 'null'},${acceptedFields(answer)}}`, 201);
    },
  });

  app.route({
    method: 'GET',
    url: '/issues/:issueId/comments',
    config: { access: { of: 'issue', may: 'read' } },
    schema: answers(
      { tags, summary: 'Comments, oldest first', params: path('issueId'), querystring: z.strictObject(page) },
      { 200: listOf(commentShape) },
    ),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const [at, id] = cursor === undefined ? [] : readCursor(cursor, { m: [NUMBER, COMMENT_ID] }).parts;
      const after = at === undefined ? undefined : { at: Number(at), id: id as string };
      const lines = await router.records(request.params.issueId, 'comment', limit + 1, after);
      const { page: items, more } = pageOf(lines, limit);
      const last = items.at(-1) as RecordLine;
      return sendList(
        reply,
        items.map((line) => line.record),
        more ? cursorOf('m', last.at, last.id) : null,
      );
    },
  });
}
