/**
 * Answers of HTTP routes. Views come from the router as JSON text and go out as they are: parsing them to write them
 * again would be the dearest thing the event path does.
 */
import type { FastifyReply, FastifySchema } from 'fastify';
import { z } from 'zod';
import type { Refusal } from '../supervisor/router.ts';
import { type Accepted, acceptedFields } from './event-door.ts';
import { refused } from './problem.ts';
import { problem } from './schemas.ts';

/** Sends JSON text as it is. Takes any route's reply, so that the text need not be typed as the schema's object. */
export function sendText(reply: unknown, text: string, status = 200): FastifyReply {
  const to = reply as FastifyReply;
  return to.code(status).type('application/json; charset=utf-8').send(text);
}

/** Sends a value as JSON. */
export function sendJson(reply: unknown, value: unknown, status = 200): FastifyReply {
  return sendText(reply, JSON.stringify(value), status);
}

/** `{ items, nextCursor }` from texts. */
export function sendList(reply: unknown, items: readonly string[], nextCursor: string | null): FastifyReply {
  return sendText(reply, `{"items":[${items.join(',')}],"nextCursor":${JSON.stringify(nextCursor)}}`);
}

/** The answer to an event: `{ version, issue, duplicate, unchanged }`. */
export function sendAccepted(reply: unknown, answer: Accepted): FastifyReply {
  return sendText(reply, `{${acceptedFields(answer)}}`);
}

/** The accepted answer. @throws BatonError what a refusal says. */
export function orThrow<A extends { readonly is: string }>(answer: A | Refusal): Exclude<A, Refusal> {
  if (answer.is === 'refused' || answer.is === 'retry') throw refused(answer as Refusal);
  return answer as Exclude<A, Refusal>;
}

/** A creation's answer: the thing's own text, marked when it is that of an earlier request with the same key. */
export function created(text: string, duplicate: boolean): string {
  return duplicate ? `${text.slice(0, -1)},"duplicate":true}` : text;
}

/** The header of writes: an idempotency key (protocol section 3). */
export const writeHeaders = z.looseObject({
  'idempotency-key': z.string().min(1).max(128).optional().meta({
    description:
      'A write under a key that was used before, a different one too, changes nothing and answers the first one, duplicate: true.',
  }),
});

/** The key of a write as routers take it: absent when the client sent none. */
export function keyOf(request: { headers: object }): { key?: string } {
  const { 'idempotency-key': key } = request.headers as Record<string, unknown>;
  return typeof key === 'string' ? { key } : {};
}

/**
 * Adds what a route answers to its schema, for the document only: answers are made of the router's texts, and typing
 * them as objects would make every route parse them. Errors are the same everywhere.
 */
export function answers<S extends FastifySchema>(schema: S, ok: Readonly<Record<number, z.ZodType>>): S {
  const response = {
    ...ok,
    default: {
      description: 'Not done, and why.',
      content: { 'application/problem+json': { schema: problem } },
    },
  };
  return { ...schema, response };
}
