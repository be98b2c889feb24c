/**
 * The gateway: translates HTTP and WebSocket into calls of the `Router` and back (architecture A13). This file puts it
 * together, listens, and stops; nothing here knows a route or a frame.
 */
import helmet from '@fastify/helmet';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Clock, Random } from '../clock.ts';
import { serverUrl } from '../config.ts';
import type { DrawnMachine } from '../machines/drawing.ts';
import type { Router } from '../supervisor/router.ts';
import { guardRoutes } from './access.ts';
import { agentRoutes } from './agent-routes.ts';
import { Authenticator } from './auth.ts';
import { BODY_BYTES, jsonBodies } from './body.ts';
import { claimRoutes } from './claim-routes.ts';
import { commentRoutes } from './comment-routes.ts';
import { companyRoutes } from './company-routes.ts';
import { type Dashboard, dashboard } from './dashboard.ts';
import type { Doors } from './doors.ts';
import { Guard } from './guard.ts';
import { Holds } from './holds.ts';
import { Homes } from './homes.ts';
import { hooks, sendUnroutable } from './hooks.ts';
import { InFlight } from './in-flight.ts';
import { framing, inspectRoutes } from './inspect-routes.ts';
import { issueRoutes } from './issue-routes.ts';
import { journalRoutes } from './journal-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { logRoutes } from './log-routes.ts';
import { machineRoutes } from './machine-routes.ts';
import { mcpRoutes } from './mcp/route.ts';
import type { Metrics } from './metrics.ts';
import { openapi } from './openapi.ts';
import { KeyRates } from './rate.ts';
import { runRoutes } from './run-routes.ts';
import { systemRoutes } from './system-routes.ts';
import { unknownRoutes } from './unknown-routes.ts';
import { answerUnreadable } from './unreadable.ts';
import { versionRoutes } from './version-routes.ts';
import { webSockets, wsRoute } from './ws-route.ts';

export interface GatewayOptions {
  readonly router: Router;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Address to bind to. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** True: a taken port is an error. False: the next free one is taken, up to 20 further on. */
  readonly strictPort: boolean;
  /** The server's own token, an operator of every company; null: there is none. */
  readonly token: string | null;
  /** Requests from this machine without a credential are the operator's (protocol section 1). */
  readonly localMode: boolean;
  /** Origins of other sites that may use this server from a browser: `https://name[:port]`. */
  readonly allowedOrigins: readonly string[];
  /** The Stately inspector that `/inspect/stately` shows in a frame. */
  readonly statelyUrl: string;
  /** Events per second and connection; a burst may be twice that. Null: no limit. */
  readonly rateLimit: number | null;
  readonly version: string;
  /** The issue machine as it is to be drawn; without it, it is drawn from its definition. */
  readonly machine?: () => DrawnMachine;
}

export interface Gateway {
  /** As people open it: `http://127.0.0.1:4300`. */
  readonly url: string;
  readonly port: number;
  /** Says `bye`, lets requests in flight finish, closes. Safe to repeat. At most about five seconds. */
  stop(): Promise<void>;
}

/** What a page from here may load: only what is here. */
const POLICY = { 'default-src': ["'self'"], 'frame-ancestors': ["'none'"] };
const HEADERS_MS = 10_000;
const REQUEST_MS = 65_000;
/** How long requests in flight may take to finish when the server stops, ms. */
const DRAIN_MS = 5000;
const NEXT_PORTS = 20;

/** @throws Error `EADDRINUSE` and the like when it cannot listen. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  let draining = false;
  const { router, clock, random, log, metrics, host } = options;
  const doors: Doors = {
    router,
    clock,
    random,
    log,
    metrics,
    auth: new Authenticator(options),
    guard: new Guard(options),
    homes: new Homes(router),
    holds: new Holds({ router, clock, log }),
    rateLimit: options.rateLimit,
    keyRates: options.rateLimit === null ? null : new KeyRates(options.rateLimit),
    version: options.version,
    draining: () => draining,
  };
  const inFlight = new InFlight();
  const app = await build(doors, inFlight, options);
  try {
    await listen(app, options);
  } catch (error) {
    await app.close();
    throw error;
  }
  const { port } = app.server.address() as { port: number };
  let stopped: Promise<void> | null = null;
  return {
    url: serverUrl(host, port),
    port,
    stop() {
      draining = true;
      stopped ??= stop(app, doors, inFlight);
      return stopped;
    },
  };
}

async function build(
  doors: Doors,
  inFlight: InFlight,
  { machine, statelyUrl, localMode }: GatewayOptions,
): Promise<FastifyInstance> {
  const { random, log } = doors;
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    // A request without a Host is refused by a hook, with a problem document: Node's own answer is empty.
    http: { requireHostHeader: false },
    requestTimeout: REQUEST_MS,
    // Draining is answered by a hook, with a code clients know.
    return503OnClosing: false,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : random.secret(9);
    },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => {
      sendUnroutable(error, request as never, reply as never, doors);
    },
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 200 },
  });
  app.server.headersTimeout = HEADERS_MS;
  jsonBodies(app);
  await webSockets(app);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: POLICY,
    },
    // Plain HTTP on loopback; whoever ends TLS in front of it sets this.
    strictTransportSecurity: false,
  });
  inFlight.watch(app);
  hooks(app, doors);
  // Notes every route, so it comes before them; the pages are there when somebody asks.
  let pages: Dashboard | null = null;
  unknownRoutes(app, (request, reply) => pages?.missing(request, reply) ?? false);
  await openapi(app, doors.version, localMode);
  pages = dashboard(app, undefined, framing(POLICY, statelyUrl));
  systemRoutes(app, doors, pages);
  wsRoute(app, doors);
  mcpRoutes(app, doors);
  inspectRoutes(app, doors, statelyUrl);
  await app.register(
    async (scope) => {
      guardRoutes(scope, doors);
      companyRoutes(scope, doors);
      keyRoutes(scope, doors);
      journalRoutes(scope, doors);
      agentRoutes(scope, doors);
      claimRoutes(scope, doors);
      issueRoutes(scope, doors);
      versionRoutes(scope, doors);
      commentRoutes(scope, doors);
      runRoutes(scope, doors);
      logRoutes(scope, doors);
      machineRoutes(scope, machine);
    },
    { prefix: '/v1' },
  );
  await app.ready();
  return app;
}

/** Binds, to the next free port where that is allowed: said then, for nobody would look for it there. */
async function listen(app: FastifyInstance, options: GatewayOptions): Promise<void> {
  const { host, port, strictPort, log } = options;
  const last = strictPort || port === 0 ? port : Math.min(port + NEXT_PORTS, 65_535);
  for (let at = port; ; at++) {
    try {
      await app.listen({ host, port: at, listenTextResolver: listeningLine });
      if (at !== port) log.warn(`Port ${port} is taken; listening on ${at} instead.`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || at >= last) throw error;
    }
  }
}

/** What is logged of an address listened on: its fields, where Fastify means a text and hands it to `log.info` as it is. */
function listeningLine(url: string): string {
  return { url, msg: 'listening' } as unknown as string;
}

/**
 * Holds end first: sockets are told, long polls are answered. Then what is in flight finishes, and whatever connection
 * is left – kept alive by a client, opened and never used – is closed.
 */
async function stop(app: FastifyInstance, { holds, clock }: Doors, inFlight: InFlight): Promise<void> {
  holds.drain();
  const closing = app.close();
  let disarm = () => {};
  const patience = new Promise<void>((resolve) => {
    disarm = clock.after(DRAIN_MS, resolve);
  });
  await Promise.race([inFlight.idle(), patience]);
  disarm();
  app.server.closeAllConnections();
  await closing;
}
