/**
 * What every request meets before its route, in this order, and what becomes of errors:
 *
 * ```
 * request id ─ one Host (400) ─ Host, Origin (421, 403) ─ CORS, preflight (204) ─ draining (503) ─ rate of writes (429)
 *   ─ route's gate: credential (401), company (404), role (403) (access.ts) ─ schema (400) ─ handler
 * ```
 */
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { BatonError } from '../errors.ts';
import type { Doors } from './doors.ts';
import { authorityOf, namesOneHost } from './guard.ts';
import { expected, internal, invalid, problemOf, retryAfterSeconds } from './problem.ts';
import { Bucket } from './rate.ts';

/** Puts the hooks on the whole server. */
export function hooks(app: FastifyInstance, doors: Doors): void {
  const { guard, clock, metrics, rateLimit } = doors;
  const buckets = new WeakMap<Socket, Bucket>();

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    const { raw } = request;
    if (!namesOneHost(raw)) {
      const error = new BatonError('VALIDATION', 'A request names its host once.', {
        hint: 'Send one "Host" header: that of the address the server prints.',
      });
      return sendProblem(reply, error);
    }
    let verdict = guard.judge(request.headers);
    const authority = authorityOf(raw.url);
    if (verdict === 'ok' && authority !== null) {
      // From here on it is what the request is for (RFC 9112, 3.2.2).
      raw.headers.host = authority;
      verdict = guard.judge(request.headers);
    }
    if (verdict !== 'ok') {
      const isHost = verdict === 'foreign-host';
      const error = new BatonError(
        'FORBIDDEN',
        `The ${isHost ? 'Host' : 'Origin'} is not one of this server’s.`,
        {
          hint: 'Add the origin to BATON_ALLOWED_ORIGINS, or use the address the server prints.',
        },
      );
      // The WebSocket protocol knows one answer for both (protocol section 6).
      return sendProblem(reply, error, isHost && !request.ws ? 421 : 403);
    }
    if (guard.needsCors(request.headers)) {
      allowOrigin(request, reply);
      if (request.method === 'OPTIONS') return reply.code(204).send();
    }
    if (doors.draining() && request.url !== '/healthz' && request.url !== '/readyz') {
      reply.header('connection', 'close');
      return sendProblem(reply, new BatonError('DRAINING', 'The server is stopping.'));
    }
    if (rateLimit !== null && request.method !== 'GET' && request.method !== 'HEAD') {
      const { socket } = request.raw;
      let bucket = buckets.get(socket);
      if (bucket === undefined) {
        bucket = new Bucket(rateLimit, clock.monotonic());
        buckets.set(socket, bucket);
      }
      const taken = bucket.take(clock.monotonic());
      if (taken.is !== 'ok') {
        const retryAfterMs = taken.is === 'wait' ? taken.retryAfterMs : 1000;
        if (taken.is === 'persistent') reply.header('connection', 'close');
        const error = new BatonError('RATE_LIMITED', 'More writes than this connection may send.', {
          retryAfterMs,
        });
        return sendProblem(reply, error);
      }
    }
  });

  app.addHook('onSend', (request, reply, payload, done) => {
    // Either way the connection ends with this answer: nobody may send the next request over it.
    if (request.ws || doors.draining()) reply.header('connection', 'close');
    done(null, payload);
  });

  app.addHook('onResponse', async (_request, reply) => {
    metrics.served(reply.statusCode);
  });

  // A missing body is an empty one: the schema then names the fields that are missing.
  app.setValidatorCompiler(({ schema }) => (data: unknown) => {
    const parsed = (schema as z.ZodType).safeParse(data ?? {});
    return parsed.success ? { value: parsed.data } : { error: invalid(parsed.error) };
  });
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));

  app.setErrorHandler((thrown, request, reply) => sendError(thrown, request, reply, doors));
}

/** An address that is none: no hook has seen the request, and none will see the answer. */
export function sendUnroutable(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  doors: Doors,
): void {
  if (request.raw.headers.upgrade !== undefined) {
    const { socket } = request.raw;
    reply.header('connection', 'close');
    reply.raw.once('finish', () => socket.destroySoon());
  }
  sendError(thrown, request, reply, doors);
}

/** Any thrown thing as problem details; what nobody expected is logged, and only its id leaves. */
export function sendError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  doors: Doors,
): FastifyReply {
  const known = expected(thrown);
  if (known !== null) return sendProblem(reply, known.error, known.status);
  doors.log.error({ err: thrown, requestId: request.id }, 'a request failed');
  const { ready, reason } = doors.router.readiness();
  // Reads of a store that is away fail as they may; the client should come back, not report a defect.
  if (!ready) return sendProblem(reply, new BatonError('UNAVAILABLE', reason ?? 'The server is not ready.'));
  return sendProblem(reply, internal(request.id));
}

export function sendProblem(reply: FastifyReply, error: BatonError, status?: number): FastifyReply {
  const problem = problemOf(error, status);
  const seconds = retryAfterSeconds(problem);
  if (seconds !== null) reply.header('retry-after', seconds);
  if (problem.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  return reply
    .code(problem.status)
    .header('x-request-id', reply.request.id)
    .type('application/problem+json; charset=utf-8')
    .serializer((text: unknown) => text as string)
    .send(JSON.stringify(problem));
}

function allowOrigin(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({
    'access-control-allow-origin': request.headers.origin,
    'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
    'access-control-allow-headers':
      'authorization, content-type, idempotency-key, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name',
    'access-control-expose-headers': 'x-request-id, retry-after, mcp-session-id',
    'access-control-max-age': '600',
    vary: 'origin',
  });
}
