/**
 * The gate before every route of `/v1` (protocol section 2). Each route declares what it is about and what one must be;
 * a route that declares nothing is refused at registration, so none can be forgotten.
 *
 * The order is fixed: credential (401), then whether the thing is in the principal's company (404, the same for foreign,
 * missing and malformed ids), only then the role (403). So a 403 never tells that an id exists elsewhere (P15).
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BatonError } from '../errors.ts';
import { isId, issueOfRun } from '../ids.ts';
import { bearer, type Principal } from './auth.ts';
import type { Doors } from './doors.ts';
import { notFound } from './problem.ts';

export interface Access {
  /** What the path names: a company, or a thing of one; `server`: all companies; `any`: nothing in particular. */
  readonly of: 'server' | 'any' | 'company' | 'agent' | 'issue' | 'run' | 'key';
  /** `read`: every role. `work`: operators and agents; of an agent only that agent itself. `operate`: operators. */
  readonly may: 'read' | 'work' | 'operate';
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** How many keys the route's body may have, where the usual 1,000 do not do (json.ts). */
    jsonKeys?: number;
  }
  interface FastifyRequest {
    /** Set by the gate. */
    principal: Principal;
    /** The company of what the path names, set by the gate where `access.of` is a thing of a company. */
    companyId: string;
  }
}

/** Puts the gate before every route registered on `app` from here on. */
export function guardRoutes(app: FastifyInstance, doors: Doors): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) throw new Error(`${route.url} does not say who may use it`);
  });
  app.addHook('onRequest', async (request) => {
    request.principal = await authenticate(request, doors);
  });
  app.addHook('preValidation', async (request) => {
    const { access } = request.routeOptions.config;
    if (access === undefined) throw new Error('a route without access');
    await admit(request, access, doors);
  });
}

/** @throws BatonError UNAUTHENTICATED; RATE_LIMITED where its key has sent too many writes over all connections. */
export async function authenticate(request: FastifyRequest, doors: Doors): Promise<Principal> {
  const token = bearer(request.headers.authorization);
  const fromHere = doors.guard.fromHere(request.headers);
  const principal = await doors.auth.principal(token, fromHere);
  if (principal !== null) {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const retryAfterMs = isRead
      ? null
      : (doors.keyRates?.wait(principal.keyId, doors.clock.monotonic()) ?? null);
    if (retryAfterMs === null) return principal;
    throw new BatonError('RATE_LIMITED', 'More writes than this key may send.', { retryAfterMs });
  }
  throw new BatonError(
    'UNAUTHENTICATED',
    token === null ? 'No credential was sent.' : 'The credential is not valid.',
  );
}

async function admit(request: FastifyRequest, access: Access, doors: Doors): Promise<void> {
  const { principal } = request;
  const params = request.params as Record<string, string>;
  if (access.of === 'server') {
    if (principal.companyId !== null) throw forbidden('Only the server’s own token may do this.', principal);
  } else if (access.of !== 'any') {
    const id = params[`${access.of}Id`] ?? '';
    const company = await companyOf(access.of, id, principal.companyId, doors);
    if (company === null) throw notFound(access.of);
    request.companyId = company;
  }
  mayDo(principal, access, params.agentId);
}

/** The company of what is named, or null when the principal may not know of it. `within`: the principal's company. */
async function companyOf(
  of: 'company' | 'agent' | 'issue' | 'run' | 'key',
  id: string,
  within: string | null,
  doors: Doors,
): Promise<string | null> {
  const mine = (companyId: string) => (within === null || within === companyId ? companyId : null);
  switch (of) {
    case 'company': {
      if (!isId(id, 'c') || mine(id) === null) return null;
      return (await doors.router.company(id)) === null ? null : id;
    }
    case 'agent':
      return doors.homes.companyOf(id, 'a', within);
    case 'issue':
      return doors.homes.companyOf(id, 'i', within);
    case 'run': {
      const issueId = issueOfRun(id);
      return issueId === null ? null : doors.homes.companyOf(issueId, 'i', within);
    }
    case 'key': {
      const key = isId(id, 'k') ? await doors.router.key(id) : null;
      return key === null ? null : mine(key.companyId);
    }
  }
}

function mayDo(principal: Principal, access: Access, agentId: string | undefined): void {
  if (access.may === 'read' || principal.role === 'operator') return;
  if (principal.role === 'viewer') throw forbidden('A viewer only reads.', principal);
  if (access.may === 'operate') throw forbidden('Only an operator may do this.', principal);
  if (access.of === 'agent' && agentId !== principal.agentId) {
    throw forbidden('An agent acts only for itself.', principal);
  }
}

function forbidden(message: string, principal: Principal): BatonError {
  return new BatonError('FORBIDDEN', message, { role: principal.role });
}
