/**
 * `/mcp`: the Model Context Protocol over streamable HTTP (docs/mcp.md). Here stands what HTTP has to do with it; what
 * MCP is, the SDK knows, and what the tools do is in their table.
 *
 * ```
 * hooks (Host, Origin, draining, rate) ─ credential (401) ─ body (400, 413, 415) ─ SDK ─ tool ─ router
 * ```
 *
 * - MR1 There are no sessions. The session id that `initialize` answers is kept nowhere; a client sends it with its
 *   calls, so that a call and its `notifications/cancelled`, which is a request of its own, can be brought together.
 * - MR2 A call ends with its client: cancelled, disconnected, its key revoked – its claim is withdrawn.
 * - MR3 The SDK is read when the first client comes: a server without MCP clients does not pay for it.
 */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BatonError } from '../../errors.ts';
import { authenticate } from '../access.ts';
import type { Doors } from '../doors.ts';
import type { Caller } from './server.ts';

const SESSION = 'mcp-session-id';
/** Headers that the SDK reads; a credential is none of its business. */
const HEADERS = ['accept', 'content-type', 'last-event-id'];
/** It does not look at the host, which the hooks have judged. */
const ADDRESS = 'http://localhost/mcp';

export function mcpRoutes(app: FastifyInstance, doors: Doors): void {
  let loading: Promise<{ fetch: typeof serve }> | null = null;
  /** Calls being answered, by what names them (MR1). */
  const calls = new Map<string, AbortController>();

  async function serve(request: Request, options: object): Promise<Response> {
    loading ??= import('./server.ts').then(({ mcpHandler }) => mcpHandler(doors));
    return (await loading).fetch(request, options);
  }

  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    schema: { hide: true },
    onRequest: async (request) => {
      request.principal = await authenticate(request, doors);
    },
    handler: async (request, reply) => {
      const { principal, body } = request;
      if (Array.isArray(body)) throw batch();
      const call = new AbortController();
      const name = callOf(request);
      if (name !== null) calls.set(name, call);
      const isStream = messageOf(body)?.method === 'subscriptions/listen';
      const done = doors.holds.add({
        keyId: principal.keyId,
        revoked: () => call.abort(),
        // A call is answered before the server stops; a stream would never end.
        drained: () => {
          if (isStream) call.abort();
        },
      });
      reply.raw.once('close', () => {
        done();
        if (name !== null && calls.get(name) === call) calls.delete(name);
        call.abort();
      });
      if (request.raw.socket.destroyed) call.abort();
      const cancelled = cancelledBy(request);
      if (cancelled !== null) calls.get(cancelled)?.abort();

      const caller: Caller = { principal, requestId: request.id };
      const authInfo = { token: '', clientId: principal.id, scopes: [principal.role], extra: { caller } };
      const asked = new Request(ADDRESS, {
        method: request.method,
        headers: headersOf(request),
        signal: call.signal,
      });
      const answer = await serve(asked, { authInfo, ...(body === undefined ? {} : { parsedBody: body }) });
      if (answer.ok && messageOf(body)?.method === 'initialize')
        reply.header(SESSION, doors.random.secret(16));
      return send(reply, answer);
    },
  });
}

/** They left MCP with 2025-06-18, and one would count once against the connection's rate. */
function batch(): BatonError {
  return new BatonError('VALIDATION', 'A request carries one message, not a batch.', {
    hint: 'Send each message as a request of its own.',
  });
}

function send(reply: FastifyReply, answer: Response): FastifyReply {
  answer.headers.forEach((value, name) => {
    // Whether the connection is kept is not the SDK's to say: the server may be stopping.
    if (name !== 'connection') reply.header(name, value);
  });
  reply.code(answer.status).serializer((text: unknown) => text as string);
  return answer.body === null
    ? reply.send()
    : reply.send(Readable.fromWeb(answer.body as ReadableStream<Uint8Array>));
}

function headersOf({ headers }: FastifyRequest): Headers {
  const passed = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && (HEADERS.includes(name) || name.startsWith('mcp-')))
      passed.set(name, value);
  }
  return passed;
}

interface Message {
  readonly method?: unknown;
  readonly id?: unknown;
  readonly params?: { readonly requestId?: unknown };
}

function messageOf(body: unknown): Message | null {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : null;
}

/** What names a call of one client: its principal, its session, its request's id. Null: nothing could cancel it. */
function nameOf({ principal, headers }: FastifyRequest, id: unknown): string | null {
  const session = headers[SESSION];
  if (typeof session !== 'string' || (typeof id !== 'string' && typeof id !== 'number')) return null;
  return JSON.stringify([principal.id, session, id]);
}

function callOf(request: FastifyRequest): string | null {
  const message = messageOf(request.body);
  return message?.method === 'tools/call' ? nameOf(request, message.id) : null;
}

function cancelledBy(request: FastifyRequest): string | null {
  const message = messageOf(request.body);
  if (message?.method !== 'notifications/cancelled') return null;
  return nameOf(request, message.params?.requestId);
}
