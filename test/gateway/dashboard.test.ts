import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dashboard, PAGES } from '../../src/gateway/dashboard.ts';
import { ensureBuilt } from '../support/built.ts';
import { ROOT } from '../support/source.ts';
import { start } from './support/gateway.ts';

const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
let folder: string;
const apps: FastifyInstance[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-web-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>baton</title>');
  writeFileSync(join(folder, 'assets', 'main-a1b2.js'), 'console.log("x");'.repeat(50));
  writeFileSync(join(folder, 'manifest.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function served(from = folder): Promise<FastifyInstance> {
  const app = Fastify();
  apps.push(app);
  dashboard(app, from);
  await app.ready();
  return app;
}

describe('the files of the dashboard', () => {
  it('a file with its hash in the name is kept for ever, shrunk for whoever takes it so', async () => {
    const app = await served();
    const plain = await app.inject({ url: '/assets/main-a1b2.js' });
    expect(plain.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(plain.headers['cache-control']).toContain('immutable');
    const shrunk = await app.inject({ url: '/assets/main-a1b2.js', headers: { 'accept-encoding': 'gzip' } });
    expect(shrunk.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(shrunk.rawPayload).toString()).toBe(plain.body);
  });

  it('every page is answered with the one HTML file, asked for again each time, 304 while it is the same', async () => {
    const app = await served();
    for (const page of PAGES) {
      const answer = await app.inject({ url: page.replace(':id', 'ACME-7') });
      expect(answer.body).toContain('<title>baton</title>');
      expect(answer.headers['cache-control']).toBe('no-cache');
      const again = await app.inject({
        url: '/machine',
        headers: { 'if-none-match': String(answer.headers.etag) },
      });
      expect([again.statusCode, again.body]).toEqual([304, '']);
    }
  });

  it.each([
    '/assets/../index.html',
    '/assets/%2e%2e/index.html',
    '/assets/none.js',
    '/manifest.json',
    '/index.html',
    '/issues/ACME-7/more',
    '/v1/none',
  ])('%s is not in the table and is no page', async (url) => {
    expect((await (await served()).inject({ url, headers: HTML })).statusCode).toBe(404);
  });

  it('a server without built files has no pages', async () => {
    const app = await served(join(folder, 'missing'));
    expect((await app.inject({ url: '/machine', headers: HTML })).statusCode).toBe(404);
  });

  it('knows the pages that the dashboard itself knows', () => {
    const text = readFileSync(join(ROOT, 'web/src/pages.ts'), 'utf8');
    const paths = [...text.matchAll(/^\s*(?:\{ .*)?path: '([^']+)'|, path: '([^']+)'/gm)].map(
      ([, a, b]) => a ?? b,
    );
    expect(paths.sort()).toEqual(['/', ...PAGES].sort());
  });
});

describe('the address /', () => {
  beforeAll(ensureBuilt, 120_000);

  it('answers curl with JSON and a browser with the page', async () => {
    const bench = await start();
    const json = await bench.get('/', { token: null });
    expect(json.body).toMatchObject({ name: 'baton', openapi: '/openapi.json' });
    const page = await bench.get('/', { token: null, headers: HTML });
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    expect(page.headers.vary).toContain('accept');
  });

  it('an address that is none is a page for a browser, which says so, and a problem document for everybody else', async () => {
    const bench = await start();
    const page = await bench.get('/agents/none', { token: null, headers: HTML });
    expect([page.status, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
    expect(page.headers['cache-control']).toBe('no-store');
    const problem = await bench.get('/agents/none', { token: null });
    expect([problem.status, problem.body]).toMatchObject([404, { code: 'NOT_FOUND' }]);
  });

  it('an API address that does not exist is a problem document also for a browser', async () => {
    const answer = await (await start()).get('/v1/none', { headers: HTML });
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });
});
