/** Making actors over HTTP: what was asked, by whom and under which key, handed to the router as one creation. */
import type { FastifyRequest } from 'fastify';
import type { Born, Refusal, Router } from '../supervisor/router.ts';
import { actorOf } from './auth.ts';
import { keyOf, orThrow } from './reply.ts';

type Asker = Pick<FastifyRequest, 'companyId' | 'principal' | 'headers'>;

/** Makes all of `asked`, of one kind, or none. @throws BatonError what a refusal says. */
export async function make(
  router: Router,
  request: Asker,
  kind: string,
  asked: readonly unknown[],
): Promise<Exclude<Born, Refusal>> {
  const by = actorOf(request.principal);
  return orThrow(await router.create({ kind, companyId: request.companyId, asked, by, ...keyOf(request) }));
}
