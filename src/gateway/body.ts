/** Bodies of HTTP requests: JSON in UTF-8, looked over before anything else sees it (json.ts). Nothing else is taken. */
import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { BatonError } from '../errors.ts';
import { JSON_LIMITS, parseJson } from './json.ts';
import { badFields, UnreadableBody } from './problem.ts';

/** Largest body in bytes; a route that takes more says so. */
export const BODY_BYTES = 256 * 1024;
export const BULK_BODY_BYTES = 1024 * 1024;

/** Replaces fastify's body parsers on `app`. */
export function jsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      mustBePlain(request.headers);
      done(null, bodyOf(body as Buffer, request.routeOptions.config.jsonKeys ?? JSON_LIMITS.keys));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Names of UTF-8 and of what is part of it. */
const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

/** @throws UnreadableBody when the headers say that the bytes are not JSON in UTF-8 as it is: they may look like it. */
function mustBePlain(headers: IncomingHttpHeaders): void {
  const { 'content-encoding': coding, 'content-type': type = '' } = headers;
  if (coding?.split(',').some((one) => one.trim().toLowerCase() !== 'identity')) {
    throw new UnreadableBody(
      `The body is encoded (${coding}).`,
      'Send it as it is, without Content-Encoding.',
    );
  }
  for (const [, charset = ''] of type.matchAll(/;\s*charset\s*=\s*"?([^\s";]*)/gi)) {
    if (CHARSETS.has(charset.toLowerCase())) continue;
    throw new UnreadableBody(`The body is in ${charset}.`, 'Send it in UTF-8.');
  }
}

/** An empty body is none: routes without required fields take it. */
function bodyOf(body: Buffer, keys: number): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw badFields([{ path: '', message: 'The body is not UTF-8.' }]);
  const parsed = parseJson(body.toString(), { ...JSON_LIMITS, keys });
  switch (parsed.is) {
    case 'value':
      return parsed.value;
    case 'malformed':
      throw new BatonError('VALIDATION', 'The body is not JSON.', {
        errors: [{ path: '', message: parsed.message }],
      });
    case 'hostile':
      throw badFields([{ path: parsed.path, message: parsed.message }]);
  }
}
