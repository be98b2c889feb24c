/** Addresses without a route: 404, or 405 with `Allow` where another method has one. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BatonError } from '../errors.ts';
import { sendProblem } from './hooks.ts';
import { nothingHere } from './problem.ts';

/**
 * Must come before the routes: it takes note of each.
 * @param shown answers a browser with a page; false: nothing was sent.
 */
export function unknownRoutes(
  app: FastifyInstance,
  shown: (request: FastifyRequest, reply: FastifyReply) => boolean,
): void {
  const routes: { readonly url: string; readonly address: RegExp; readonly method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+');
    for (const each of [method].flat())
      routes.push({ url, address: new RegExp(`^${pattern}$`), method: each });
  });
  app.setNotFoundHandler((request, reply) => {
    const [address = ''] = request.url.split('?');
    const allowed = routes.filter((route) => route.address.test(address)).map((route) => route.method);
    if (allowed.length === 0) {
      if (shown(request, reply)) return reply;
      const near = nearby(address).flatMap((each) => routes.find((route) => route.address.test(each)) ?? []);
      return sendProblem(reply, nothingHere(near[0]?.url));
    }
    const allow = [...new Set(allowed)].sort().join(', ');
    const error = new BatonError('VALIDATION', `This address does not take ${request.method}.`, {
      hint: `It takes ${allow}.`,
    });
    return sendProblem(reply.header('allow', allow), error, 405);
  });
}

/** What may have been meant: with `/v1`, without it, without a slash at the end. */
function nearby(address: string): string[] {
  const path = address.replace(/\/+$/, '');
  return [path, `/v1${path}`, ...(path.startsWith('/v1/') ? [path.slice('/v1'.length)] : [])];
}
