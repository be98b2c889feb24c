/** Problem documents: every refusal has a code, and nothing of the inside leaks. Hostile bodies change nothing. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { start } from './support/gateway.ts';

describe('a problem', () => {
  it('of any kind is application/problem+json with code, status, hint and a request id', async () => {
    const bench = await start();
    const company = await bench.company();
    const issue = await bench.issue(company);
    const raw = (text: string, type = 'application/json') => ({
      raw: text,
      headers: { 'content-type': type },
    });
    const cases = [
      ['GET', '/nothing', {}, 404, 'NOT_FOUND'],
      ['GET', '/v1/nothing/here', {}, 404, 'NOT_FOUND'],
      ['GET', '/v1/companies/%ff', {}, 404, 'NOT_FOUND'],
      ['GET', `/v1/issues/${'x'.repeat(300)}`, {}, 404, 'NOT_FOUND'],
      ['DELETE', `/v1/issues/${issue}`, {}, 405, 'VALIDATION'],
      ['PUT', '/v1/companies', {}, 405, 'VALIDATION'],
      ['POST', '/v1/companies', raw('{"name":'), 400, 'VALIDATION'],
      ['POST', '/v1/companies', raw('name=x', 'application/x-www-form-urlencoded'), 415, 'VALIDATION'],
      ['POST', '/v1/companies', raw('<x/>', 'text/xml'), 415, 'VALIDATION'],
      ['POST', '/v1/companies', {}, 400, 'VALIDATION'],
      ['POST', '/v1/companies', raw(`"${'x'.repeat(257 * 1024)}"`), 413, 'TOO_LARGE'],
      ['GET', '/v1/ws', {}, 426, 'VALIDATION'],
      [
        'POST',
        `/v1/issues/${issue}/events`,
        { headers: { 'idempotency-key': 'x'.repeat(129) } },
        400,
        'VALIDATION',
      ],
    ] as const;
    for (const [method, path, ask, status, code] of cases) {
      const reply = await bench.ask(method, path, ask);
      expect([reply.status, reply.body?.code], `${method} ${path} ${reply.text}`).toEqual([status, code]);
      expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(reply.body).toMatchObject({ status, retryable: false });
      expect(reply.body.type).toMatch(/^urn:baton:error:/);
      for (const key of ['title', 'detail', 'hint']) expect(reply.body[key]).toBeTypeOf('string');
    }
    expect((await bench.ask('PUT', '/v1/companies')).headers.allow).toBe('GET, HEAD, POST');
  });

  it('answers a body in another encoding than UTF-8, and says what to send; nothing of it is read as if it were', async () => {
    const bench = await start();
    const raw = JSON.stringify({ name: 'Acme', prefix: 'ACME' });
    const json = { 'content-type': 'application/json' };
    for (const headers of [
      { ...json, 'content-encoding': 'gzip' },
      { ...json, 'content-encoding': 'identity, br' },
      { 'content-type': 'application/json; charset=utf-16' },
      { 'content-type': 'application/json;Charset="ISO-8859-1"' },
    ]) {
      const { status, body } = await bench.ask('POST', '/v1/companies', { raw, headers });
      expect([status, body.code], JSON.stringify(headers)).toEqual([415, 'VALIDATION']);
      expect(body.hint).toMatch(/UTF-8|Content-Encoding/);
    }
    expect((await bench.get('/v1/companies')).body.items).toEqual([]);
    const headers = {
      'content-type': 'application/json; charset="UTF-8"',
      'content-encoding': 'Identity',
    };
    expect((await bench.ask('POST', '/v1/companies', { raw, headers })).status).toBe(201);
  });

  it('of an address says which one was meant, not to look for an id', async () => {
    const bench = await start();
    for (const [path, meant] of [
      ['/companies', '/v1/companies'],
      ['/v1/v1/issues/i1?limit=1', '/v1/issues/:issueId'],
      ['/v1/machines/issue/', '/v1/machines/issue'],
      ['/v1/healthz', '/healthz'],
    ] as const) {
      const { hint } = (await bench.get(path)).body;
      expect(hint).toContain(`Did you mean ${meant}? All addresses are listed at /docs`);
    }
    expect((await bench.get('/v1/nothing')).body.hint).toMatch(/^All addresses are listed at \/docs/);
  });

  it('is one too where what came was no request', async () => {
    const bench = await start();
    const said = (text: string) =>
      new Promise<string>((resolve, reject) => {
        let answer = '';
        const socket = connect(bench.gateway.port, '127.0.0.1', () => socket.write(text));
        socket.on('data', (chunk) => {
          answer += chunk;
        });
        socket.on('error', reject).on('close', () => resolve(answer));
      });
    const cases = [
      ['nonsense\r\n\r\n', 400, 'VALIDATION'],
      [`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'TOO_LARGE'],
    ] as const;
    for (const [text, status, code] of cases) {
      const [head = '', body = ''] = (await said(text)).split('\r\n\r\n');
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(head).toMatch(/content-type: application\/problem\+json/i);
      expect(JSON.parse(body)).toMatchObject({ status, code, retryable: false });
    }
  });

  it('names the fields that are wrong', async () => {
    const bench = await start();
    const issue = await bench.issue(await bench.company());
    const body = { type: 'RUN.FAILED', runId: '', fence: -1, error: '' };
    const { errors } = (await bench.post(`/v1/issues/${issue}/events`, body)).body;
    expect(errors.map((error: { path: string }) => error.path)).toEqual(['runId', 'fence', 'error']);
  });

  it('that nobody expected is INTERNAL and tells nothing but the id under which the log has it', async () => {
    const bench = await start();
    const issue = await bench.issue(await bench.company());
    bench.router.failing = new Error('select secret from /var/lib/postgres');
    const reply = await bench.post(`/v1/issues/${issue}/events`, { type: 'CANCEL' });
    expect([reply.status, reply.body.code]).toEqual([500, 'INTERNAL']);
    expect(reply.text).not.toMatch(/secret|postgres|node_modules/);
    expect(reply.body.requestId).toBe(reply.headers['x-request-id']);
  });

  it('that comes while the database is away says when to come back', async () => {
    const bench = await start();
    const issue = await bench.issue(await bench.company());
    const path = `/v1/issues/${issue}/events`;
    bench.router.failing = { is: 'retry', code: 'UNAVAILABLE', message: 'away', afterMs: 1500 };
    const reply = await bench.post(path, { type: 'CANCEL' });
    expect([reply.status, reply.body.code, reply.body.retryAfterMs]).toEqual([503, 'UNAVAILABLE', 1500]);
    expect([reply.headers['retry-after'], reply.body.retryable]).toEqual(['2', true]);
    bench.router.failing = new Error('connection terminated');
    bench.router.ready = false;
    expect((await bench.post(path, { type: 'CANCEL' })).body.code).toBe('UNAVAILABLE');
    const readyz = await bench.get('/readyz');
    expect([readyz.status, readyz.body.ready]).toEqual([503, false]);
    expect(readyz.body.reason).toBeTypeOf('string');
  });
});

describe('a hostile body', () => {
  it('is refused with VALIDATION and the path, and changes nothing', async () => {
    const bench = await start();
    const company = await bench.company();
    const path = `/v1/companies/${company}/issues`;
    const deep = `{"title":"x","context":${'['.repeat(40)}${']'.repeat(40)}}`;
    const wide = `{"title":"x","context":{${Array.from({ length: 1001 }, (_, n) => `"k${n}":1`).join(',')}}}`;
    const cases = [
      ['{"title":"a\\u0000b"}', 'title'],
      ['{"title":"x","context":{"a":["\\ud800"]}}', 'context.a.0'],
      ['{"title":"x","context":{"__proto__":{"admin":true}}}', 'context.__proto__'],
      ['{"title":"x","context":{"constructor":1}}', 'context.constructor'],
      ['{"title":"x","context":{"n":9007199254740993}}', 'context.n'],
      ['{"title":"x","context":{"n":1e999}}', 'context.n'],
      [deep, ''],
      [wide, ''],
      ['['.repeat(10_000), ''],
      [Buffer.from([0x22, 0xff, 0x22]), ''],
    ] as const;
    for (const [raw, at] of cases) {
      const reply = await bench.ask('POST', path, { raw });
      expect([reply.status, reply.body.code], String(raw).slice(0, 60)).toEqual([400, 'VALIDATION']);
      expect(reply.body.errors[0].path).toBe(at);
    }
    expect((await bench.get(path)).body.items).toEqual([]);
  });

  it('of a megabyte is taken for bulk creation, and more is not', async () => {
    const bench = await start();
    const path = `/v1/companies/${await bench.company()}/issues/bulk`;
    const issues = (bytes: number) => [
      ...Array.from({ length: Math.floor(bytes / 10_000) }, () => ({
        title: 'x',
        context: 'y'.repeat(9960),
      })),
    ];
    expect((await bench.post(path, { issues: issues(1_000_000) })).status).toBe(200);
    expect((await bench.post(path, { issues: issues(1_200_000) })).body.code).toBe('TOO_LARGE');
  });

  it('that never ends costs one connection only', async () => {
    const bench = await start();
    const socket = connect(bench.gateway.port, '127.0.0.1');
    socket.write('POST /v1/companies HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{');
    expect((await bench.get('/healthz')).status).toBe(200);
    socket.destroy();
  });
});

describe('answers', () => {
  it('carry a request id, the client’s own where it is a decent one, and a strict policy for browsers', async () => {
    const bench = await start();
    const mine = await bench.get('/healthz', { headers: { 'x-request-id': 'trace-1' } });
    expect(mine.headers['x-request-id']).toBe('trace-1');
    const odd = await bench.get('/healthz', { headers: { 'x-request-id': 'a b<script>' } });
    expect(odd.headers['x-request-id']).toMatch(/^[\w-]{8,}$/);
    expect(odd.headers['content-security-policy']).toContain("default-src 'self'");
    expect(odd.headers['x-content-type-options']).toBe('nosniff');
  });
});
