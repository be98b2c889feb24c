/**
 * `GET /inspect/ws`: the door between the WebSocket library and inspecting connections (protocol section 8). Host and
 * Origin were looked at before the upgrade (hooks.ts). The page at `/inspect` is one of the dashboard's.
 */
import type { FastifyInstance } from 'fastify';
import type { RawData } from 'ws';
import { BatonError } from '../errors.ts';
import { strictDefinition } from '../machines/definition.ts';
import { issueMachine } from '../machines/issue-machine.ts';
import { bearer } from './auth.ts';
import type { Doors } from './doors.ts';
import { Inspector } from './inspector.ts';
import { sendJson } from './reply.ts';
import { HeldBack, SocketWire } from './socket-wire.ts';
import { closerOf, socketsOnly } from './ws-route.ts';

/** A connection is asked for a sign of life this often, and cut off when none came until the next time, ms. */
const PING_MS = 20_000;
/** Connections at once; beyond, upgrades are refused. Each costs as much as a reader of a whole company. */
const MOST = 64;

/**
 * What is sent with the page that shows the Stately editor: the only one that may frame something, and only that origin.
 * @param policy the directives of every other page.
 */
export function framing(policy: Readonly<Record<string, readonly string[]>>, statelyUrl: string) {
  const directives = { ...policy, 'frame-src': [new URL(statelyUrl).origin] };
  const text = Object.entries(directives).map(([name, values]) => `${name} ${values.join(' ')}`);
  return { '/inspect/stately': { 'content-security-policy': text.join(';') } };
}

export function inspectRoutes(app: FastifyInstance, doors: Doors, statelyUrl: string): void {
  const { router, clock, log, metrics, holds, homes, auth, guard } = doors;
  const heldBack = new HeldBack();
  let definition: string | null = null;
  let connections = 0;

  app.route({
    method: 'GET',
    url: '/inspect/settings',
    schema: { hide: true },
    handler: async (_request, reply) => sendJson(reply, { statelyUrl }),
  });

  app.route({
    method: 'GET',
    url: '/inspect/ws',
    schema: { hide: true },
    preValidation: async (request) => {
      if (request.ws && connections >= MOST) {
        throw new BatonError('UNAVAILABLE', 'Too many connections inspect already.', { retryAfterMs: 5000 });
      }
    },
    handler: socketsOnly('Open /inspect in a browser, or upgrade to a WebSocket.'),
    wsHandler: (socket, request) => {
      socket.on('error', (error) => log.debug({ err: error }, 'socket error'));
      const { authorization } = request.headers;
      const fromHere = guard.fromHere(request.headers);
      const { issue, company } = request.query as { issue?: unknown; company?: unknown };
      const tcp = request.raw.socket;
      let isAlive = true;
      let disarm = () => {};
      metrics.opened();
      connections += 1;
      let unhold = holds.add({ keyId: null, revoked() {}, drained: () => inspector.draining() });
      const inspector: Inspector = new Inspector(
        {
          wire: new SocketWire(socket, tcp, heldBack, closerOf(socket, clock)),
          router,
          clock,
          log,
          homes,
          issueId: typeof issue === 'string' ? issue : null,
          companyId: typeof company === 'string' ? company : null,
          definition: () => {
            definition ??= JSON.stringify(strictDefinition(issueMachine));
            return definition;
          },
          resolve: (token) => auth.principal(token ?? bearer(authorization), fromHere),
          opened: ({ keyId }) => {
            unhold();
            unhold = holds.add({
              keyId,
              revoked: () => inspector.revoked(),
              drained: () => inspector.draining(),
            });
          },
          ended: (code) => {
            unhold();
            disarm();
            connections -= 1;
            metrics.closed(code);
          },
        },
        authorization !== undefined,
      );
      socket.on('message', (data: RawData, isBinary: boolean) => {
        inspector.receive(isBinary ? '' : data.toString());
      });
      tcp.on('drain', () => inspector.drained());
      socket.on('close', (code) => inspector.closed(code));

      socket.on('pong', () => {
        isAlive = true;
      });
      const ping = () => {
        if (!isAlive) return socket.terminate();
        isAlive = false;
        socket.ping();
        disarm = clock.after(PING_MS, ping);
      };
      disarm = clock.after(PING_MS, ping);
    },
  });
}
