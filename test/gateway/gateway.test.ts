/** Listening and stopping, the OpenAPI document, the machine, the metrics, the rate of HTTP writes. */
import { connect, createServer } from 'node:net';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/gateway/metrics.ts';
import { start } from './support/gateway.ts';

describe('a gateway', () => {
  it('whose port is taken takes the next free one and says so, or fails where it must not', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    try {
      const said: string[] = [];
      const log = pino({ level: 'warn' }, { write: (line) => said.push(JSON.parse(line).msg) });
      const bench = await start({ port, strictPort: false, log });
      expect(said).toEqual([`Port ${port} is taken; listening on ${bench.gateway.port} instead.`]);
      expect(bench.gateway.port).toBeGreaterThan(port);
      expect(bench.gateway.port).toBeLessThanOrEqual(port + 20);
      expect(bench.gateway.url).toBe(`http://127.0.0.1:${bench.gateway.port}`);
      await expect(start({ port, strictPort: true })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    } finally {
      taken.close();
    }
  });

  it('logs each address it listens on as a field, for who reads the log with a program', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) });
    const { gateway } = await start({ log });
    expect(lines).toMatchObject([{ msg: 'listening', url: gateway.url }]);
  });

  it('that stops lets a request in flight finish, and does not wait for connections nobody uses', async () => {
    const bench = await start();
    const company = await bench.company();
    const idle = connect(bench.gateway.port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const stats = bench.router.stats.bind(bench.router);
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    bench.router.stats = async (id) => {
      arrive();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return stats(id);
    };
    const asked = bench.get(`/v1/companies/${company}/stats`);
    await arrived;
    const from = performance.now();
    await bench.gateway.stop();
    expect(performance.now() - from).toBeLessThan(2000);
    expect((await asked).status).toBe(200);
    idle.destroy();
  });

  it('limits the writes of one connection and says when to try again', async () => {
    const bench = await start({ rateLimit: 5 });
    const { token } = { token: 'the-server-token-of-the-tests-0123456789' };
    const socket = connect(bench.gateway.port, '127.0.0.1');
    const request = `POST /v1/companies HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Length: 0\r\n\r\n`;
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    for (let n = 0; n < 12; n++) socket.write(request);
    while (text.split('"code"').length < 13) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(text.match(/HTTP\/1.1 400/g)).toHaveLength(10);
    expect(text.match(/HTTP\/1.1 429/g)).toHaveLength(2);
    expect(text).toContain('retry-after: 1');
    socket.destroy();
    expect((await bench.post('/v1/companies', {})).status).toBe(400);
  });
});

describe('the document', () => {
  it('is OpenAPI 3.1, describes every route, and refers to nothing it does not hold', async () => {
    const bench = await start();
    const { body, text } = await bench.get('/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    const routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    for (const route of [
      'POST /v1/companies',
      'GET /v1/companies/{companyId}',
      'POST /v1/companies/{companyId}/agents',
      'PATCH /v1/agents/{agentId}',
      'POST /v1/agents/{agentId}/pause',
      'POST /v1/agents/{agentId}/claim',
      'POST /v1/companies/{companyId}/keys',
      'DELETE /v1/keys/{keyId}',
      'POST /v1/companies/{companyId}/issues/bulk',
      'GET /v1/companies/{companyId}/issues/{identifier}',
      'POST /v1/issues/{issueId}/events',
      'POST /v1/issues/{issueId}/comments',
      'GET /v1/issues/{issueId}/journal',
      'POST /v1/runs/{runId}/heartbeat',
      'GET /v1/runs/{runId}/log',
      'GET /v1/companies/{companyId}/stats',
      'GET /v1/machines/issue',
    ]) {
      expect(routes).toContain(route);
    }
    const known = Object.keys(body.components.schemas);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) expect(known).toContain(name);
    const event =
      body.paths['/v1/issues/{issueId}/events'].post.requestBody.content['application/json'].schema;
    expect(JSON.stringify(event)).toContain('RUN.HEARTBEAT');
    expect(text).not.toContain('__schema');
  });
});

describe('the machine', () => {
  it('is given with its definition, a hash and a place for every state', async () => {
    const bench = await start();
    const { body } = await bench.get('/v1/machines/issue');
    expect(body.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(body.definition.states)).toEqual([
      'idle',
      'running',
      'scheduled-retry',
      'cancelled',
      'done',
    ]);
    const { nodes, edges, width, height } = body.layout;
    expect(nodes).toHaveLength(8);
    for (const a of nodes) {
      expect(a.x + a.width).toBeLessThanOrEqual(width);
      expect(a.y + a.height).toBeLessThanOrEqual(height);
      for (const b of nodes) {
        if (a === b || a.id === b.parent || b.id === a.parent) continue;
        const apart =
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        expect(apart, `${a.id} and ${b.id}`).toBe(true);
      }
    }
    expect(edges.length).toBeGreaterThan(15);
    expect((await bench.get('/v1/machines/issue')).text).toBe((await bench.get('/v1/machines/issue')).text);
  });

  it('is written out as JSON, source and Mermaid, each with its type and a name to keep it under', async () => {
    const bench = await start();
    const path = '/v1/machines/issue/export';
    for (const [as, type, file, begins] of [
      ['json', 'application/json; charset=utf-8', 'issue-machine.json', '{'],
      [
        'source',
        'text/javascript; charset=utf-8',
        'issue-machine.js',
        "import { createMachine } from 'xstate';",
      ],
      ['mermaid', 'text/vnd.mermaid; charset=utf-8', 'issue-machine.mmd', 'stateDiagram-v2'],
    ] as const) {
      const { status, headers, text } = await bench.get(`${path}?as=${as}`);
      expect([status, headers['content-type']]).toEqual([200, type]);
      expect(headers['content-disposition']).toBe(`inline; filename="${file}"`);
      expect(text.startsWith(begins)).toBe(true);
    }
    expect((await bench.get(path)).body.id).toBe('issue');
    expect((await bench.get(`${path}?as=png`)).body.code).toBe('VALIDATION');
    expect((await bench.get(path, { token: null })).body.code).toBe('UNAUTHENTICATED');
  });

  it('is drawn by whoever starts the gateway where it says so', async () => {
    const bench = await start({ machine: () => ({ definition: { id: 'x' }, hash: 'h', layout: {} }) });
    expect((await bench.get('/v1/machines/issue')).body).toEqual({
      definition: { id: 'x' },
      hash: 'h',
      layout: {},
    });
  });
});

describe('metrics', () => {
  it('count answers by type and outcome, commits, timers and sizes', async () => {
    const metrics = createMetrics();
    metrics.answered('CANCEL', 'accepted');
    metrics.answered('CANCEL', 'accepted');
    metrics.answered('CANCEL', 'NOT_ALLOWED');
    metrics.committed('committed', 3, 7);
    metrics.committed('fenced', 1, 2);
    metrics.fired(12);
    metrics.ignored('RETRY.DUE');
    metrics.quarantined('i1', 'why');
    metrics.partitions(4096);
    const sizes = {
      residentBytes: 5,
      timers: 2,
      leases: 1,
      claims: 0,
      subscriptions: 9,
      quarantined: 0,
      backlog: 0,
    };
    metrics.bind(() => ({ resident: 3, partitions: 4096, ...sizes }));
    const bench = await start({ metrics });
    await bench.connect();
    const { text } = await bench.get('/metrics');
    for (const line of [
      'baton_events_total{type="CANCEL",outcome="accepted"} 2',
      'baton_events_total{type="CANCEL",outcome="NOT_ALLOWED"} 1',
      'baton_commits_total{outcome="fenced"} 1',
      'baton_journal_entries_total 7',
      'baton_resident 3',
      'baton_resident_bytes 5',
      'baton_partitions 4096',
      'baton_sockets 1',
    ]) {
      expect(text).toContain(line);
    }
    const again = (await bench.get('/metrics')).text;
    expect(again).toContain('baton_events_total{type="CANCEL",outcome="accepted"} 2');
  });
});
