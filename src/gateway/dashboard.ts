/**
 * The dashboard: files that `npm run build` made of `web/`, served from memory. There are few and they never change while
 * the server runs, so a request is looked up in a closed table: no path of a request ever reaches the file system.
 *
 * - DB1 What is not in the table is answered by whoever else has the address, or with 404: a browser gets the page, which
 *   says so, everybody else a problem document. Under `/v1` it is a problem document for browsers, too.
 * - DB2 Files under `/assets/` have their content's hash in the name and are kept for ever; everything else is asked
 *   for again each time and mostly answered 304.
 * - DB3 `/` answers JSON as it always did unless HTML is asked for by name, as browsers do and `curl` does not.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Where the build puts it, seen from `src/gateway` and from `dist/gateway` alike. */
const BUILT = fileURLToPath(new URL('../../dist/web/', import.meta.url));

/** Addresses of the page itself, as `web/src/pages.ts` knows them; each is answered with its one HTML file. */
export const PAGES = [
  '/issues/:id',
  '/agents',
  '/stuck',
  '/machine',
  '/log',
  '/inspect',
  '/inspect/stately',
] as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.map': 'application/json',
};
/** What is text shrinks; fonts are compressed already. */
const SHRINKS = /^(text\/|image\/svg|application\/json)/;

interface Served {
  readonly body: Buffer;
  readonly gzip: Buffer | null;
  readonly type: string;
  readonly etag: string;
  readonly kept: string;
}

export interface Dashboard {
  /** Answers with the page's HTML; false: there is none (the dashboard was not built), and nothing was sent. */
  page(request: FastifyRequest, reply: FastifyReply): boolean;
  /** The same with 404, for whoever asks with a browser for an address that is none; false: nothing was sent. */
  missing(request: FastifyRequest, reply: FastifyReply): boolean;
}

/**
 * Puts the routes of the built files on `app`; without built files it puts none.
 * @param folder where they are; the package's own unless a test says otherwise.
 * @param headers what is sent with a page besides what is sent with all of them.
 */
export function dashboard(
  app: FastifyInstance,
  folder = BUILT,
  headers: Readonly<Partial<Record<(typeof PAGES)[number], Readonly<Record<string, string>>>>> = {},
): Dashboard {
  const files = read(folder);
  const index = files.get('/index.html');
  if (index === undefined) return { page: () => false, missing: () => false };
  for (const [path, file] of files) {
    if (path === '/index.html') continue;
    app.get(path, { schema: { hide: true } }, (request, reply) => send(request, reply, file));
  }
  for (const path of PAGES) {
    app.get(path, { schema: { hide: true } }, (request, reply) =>
      send(request, reply.headers(headers[path] ?? {}), index),
    );
  }
  return {
    page(request, reply) {
      send(request, reply, index);
      return true;
    },
    missing(request, reply) {
      if (request.method !== 'GET' || request.url.startsWith('/v1/') || !wantsHtml(request)) return false;
      // Neither kept nor answered with 304: the address may be one tomorrow.
      reply
        .code(404)
        .headers({ 'cache-control': 'no-store', vary: 'accept' })
        .type(index.type)
        .send(index.body);
      return true;
    },
  };
}

/** Whether HTML is asked for by name: a wildcard is no wish for it. */
export function wantsHtml(request: FastifyRequest): boolean {
  return /\btext\/html\b/.test(request.headers.accept ?? '');
}

function send(request: FastifyRequest, reply: FastifyReply, file: Served): FastifyReply {
  reply.headers({ 'cache-control': file.kept, etag: file.etag, vary: 'accept, accept-encoding' });
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
  reply.type(file.type);
  if (file.gzip === null || !/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
    return reply.send(file.body);
  }
  return reply.header('content-encoding', 'gzip').send(file.gzip);
}

function read(folder: string): Map<string, Served> {
  const found = new Map<string, Served>();
  for (const path of filesUnder(folder)) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const body = readFileSync(join(folder, path));
    const address = `/${path.split(sep).join('/')}`;
    found.set(address, {
      body,
      gzip: SHRINKS.test(type) ? gzipSync(body, { level: 9 }) : null,
      type,
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      kept: address.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
  }
  return found;
}

function filesUnder(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
