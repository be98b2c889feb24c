/**
 * `GET /v1/ws`: the door between the WebSocket library and sessions (protocol section 6). Host and Origin were looked at
 * before the upgrade (hooks.ts). Handlers are attached before anything is awaited, so no early frame is lost.
 *
 * What ends here: a code per reason; a socket that does not answer the closing handshake is cut off after a second.
 */
import type { IncomingMessage } from 'node:http';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { BatonError } from '../errors.ts';
import { bearer } from './auth.ts';
import { ChangeFrames } from './change-frames.ts';
import type { Doors } from './doors.ts';
import { Intake } from './intake.ts';
import { problemOf } from './problem.ts';
import { CLOSE, FRAME_BYTES, SUBPROTOCOL } from './protocol.ts';
import { Session } from './session.ts';
import { HeldBack, SocketWire } from './socket-wire.ts';
import { StatsFeeds } from './stats-feed.ts';

/** How long the other side may take to answer a close, ms. */
const GOODBYE_MS = 1000;
/** Sockets that have not said who they are; beyond, upgrades are refused. */
const STRANGERS = 4096;

/** Registers the WebSocket library on the whole server: it must come before the hooks that may refuse an upgrade. */
export async function webSockets(app: FastifyInstance): Promise<void> {
  await app.register(websocket, {
    options: {
      maxPayload: FRAME_BYTES,
      perMessageDeflate: false,
      clientTracking: true,
      handleProtocols: chosenProtocol,
    },
    // The default calls `done` twice; sessions have said goodbye before the server closes (gateway.ts).
    preClose(done) {
      done();
    },
    errorHandler(error, socket) {
      // The library closes by itself, with the right code, after its own errors (1002, 1007, 1009).
      if ('code' in error && String(error.code).startsWith('WS_ERR')) return;
      socket.close(CLOSE.internal, 'internal error');
    },
  });
}

/**
 * Ours when offered. Else the first one offered is echoed, only so that the client lives to see close code 4406: a
 * handshake without a common protocol would be dropped by browsers before any code could be sent.
 */
function chosenProtocol(offered: Set<string>, _request: IncomingMessage): string | false {
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL;
  const [first] = offered;
  return first ?? false;
}

/** Within `/v1`, but outside its gate: who asks is said by `hello`. */
export function wsRoute(app: FastifyInstance, doors: Doors): void {
  const { router, clock, random, log, metrics, holds, homes, rateLimit, keyRates } = doors;
  const heldBack = new HeldBack();
  const intake = new Intake(clock);
  const frames = new ChangeFrames();
  const stats = new StatsFeeds({ router, clock, log });
  let strangers = 0;

  app.route({
    method: 'GET',
    url: '/v1/ws',
    schema: { hide: true },
    preValidation: async (request) => {
      if (request.ws && strangers >= STRANGERS) {
        throw new BatonError('UNAVAILABLE', 'Too many connections are being opened.', { retryAfterMs: 1000 });
      }
    },
    handler: socketsOnly(`Upgrade with the sub-protocol ${SUBPROTOCOL}.`),
    wsHandler: (socket, request) => {
      socket.on('error', (error) => log.debug({ err: error }, 'socket error'));
      const close = closerOf(socket, clock);
      if (socket.protocol !== SUBPROTOCOL) {
        close(CLOSE.subprotocol, `the sub-protocol is ${SUBPROTOCOL}`);
        return;
      }
      metrics.opened();
      strangers += 1;
      const drained = () => session.bye();
      const unheld = holds.add({ keyId: null, revoked() {}, drained });
      let unhold = () => {
        strangers -= 1;
        unheld();
      };
      const tcp = request.raw.socket;
      const session: Session = new Session({
        wire: new SocketWire(socket, tcp, heldBack, close),
        router,
        clock,
        random,
        log,
        homes,
        frames,
        stats,
        rateLimit,
        keyRates,
        resolve: resolver(request, doors),
        opened: (principal) => {
          unhold();
          unhold = holds.add({
            keyId: principal.keyId,
            revoked: () => session.revoked(),
            drained,
          });
        },
        ended: (code) => {
          unhold();
          metrics.closed(code);
        },
      });
      const inbox = intake.inbox(socket);
      socket.on('message', (data: RawData, isBinary: boolean) => {
        const take = () => (isBinary ? session.binary() : session.receive(data.toString()));
        // The first frames are few, cost little, and must be counted before the credential is looked up.
        if (session.isEarly) take();
        else inbox.push(take);
      });
      tcp.on('drain', () => session.drained());
      socket.on('close', (code) => inbox.push(() => session.closed(code)));
    },
  });
}

/** Answers whoever asks a WebSocket's address without upgrading. */
export function socketsOnly(hint: string) {
  const error = new BatonError('VALIDATION', 'This address speaks WebSocket only.', { hint });
  const text = JSON.stringify(problemOf(error, 426));
  return async (_request: FastifyRequest, reply: FastifyReply) =>
    reply.code(426).header('upgrade', 'websocket').type('application/problem+json').send(text);
}

/** Begins the closing handshake; a socket that does not answer it is cut off. */
export function closerOf(socket: WebSocket, clock: Clock): (code: number, reason: string) => void {
  return (code, reason) => {
    socket.close(code, reason);
    const disarm = clock.after(GOODBYE_MS, () => socket.terminate());
    socket.once('close', disarm);
  };
}

/** The credential of `hello`, else that of the upgrade request (protocol section 2). */
function resolver(request: FastifyRequest, { auth, guard }: Doors) {
  const carried = bearer(request.headers.authorization);
  const fromHere = guard.fromHere(request.headers);
  return (token: string | null) => auth.principal(token ?? carried, fromHere);
}
