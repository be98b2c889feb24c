/** Who may what: credentials, roles, companies kept apart, local mode, foreign hosts and origins. */
import { describe, expect, it } from 'vitest';
import { type Ask, type Bench, TOKEN } from './support/bench.ts';
import { start } from './support/gateway.ts';

/** A company with one of everything, and a key of every role. */
async function world(bench: Bench, prefix: string) {
  const company = await bench.company(prefix);
  const agent = await bench.agent(company);
  const other = await bench.agent(company);
  const issue = await bench.issue(company, { assigneeAgentId: agent });
  const grant = await bench.grant(company, agent);
  const idle = await bench.issue(company);
  return {
    company,
    agent,
    other,
    issue,
    idle,
    run: grant.run.id as string,
    fence: grant.fence as number,
    key: await bench.key(company, 'viewer'),
    operator: (await bench.key(company, 'operator')).token,
    executor: (await bench.key(company, 'agent', agent)).token,
    viewer: (await bench.key(company, 'viewer')).token,
  };
}
type World = Awaited<ReturnType<typeof world>>;

type Route = readonly [method: string, path: string, body?: object];

function reads(w: World): Route[] {
  return [
    ['GET', `/v1/companies/${w.company}`],
    ['GET', `/v1/companies/${w.company}/agents`],
    ['GET', `/v1/companies/${w.company}/keys`],
    ['GET', `/v1/companies/${w.company}/issues`],
    ['GET', `/v1/companies/${w.company}/runs`],
    ['GET', `/v1/companies/${w.company}/stats`],
    ['GET', `/v1/agents/${w.agent}`],
    ['GET', `/v1/issues/${w.issue}`],
    ['GET', `/v1/issues/${w.issue}/journal`],
    ['GET', `/v1/issues/${w.issue}/runs`],
    ['GET', `/v1/issues/${w.issue}/comments`],
    ['GET', `/v1/runs/${w.run}`],
    ['GET', `/v1/runs/${w.run}/log`],
  ];
}

/** Writes only an operator may do. */
function operations(w: World): Route[] {
  return [
    ['POST', `/v1/companies/${w.company}/agents`, { name: 'x' }],
    ['POST', `/v1/companies/${w.company}/keys`, { role: 'viewer' }],
    ['POST', `/v1/companies/${w.company}/issues`, { title: 'x' }],
    ['POST', `/v1/companies/${w.company}/issues/bulk`, { issues: [{ title: 'x' }] }],
    ['PATCH', `/v1/agents/${w.agent}`, { name: 'y' }],
    ['PATCH', `/v1/issues/${w.idle}`, { title: 'y' }],
    ['POST', `/v1/issues/${w.idle}/events`, { type: 'PRIORITY', priority: 'low' }],
    ['POST', `/v1/agents/${w.other}/pause`, {}],
    ['POST', `/v1/agents/${w.other}/resume`, {}],
    ['DELETE', `/v1/keys/${w.key.id}`],
    ['POST', `/v1/agents/${w.other}/terminate`, {}],
  ];
}

/** Writes an agent may do as well. */
function work(w: World): Route[] {
  return [
    ['POST', `/v1/issues/${w.idle}/events`, { type: 'WAKE', reason: 'look' }],
    ['POST', `/v1/issues/${w.idle}/comments`, { body: 'hi' }],
    ['POST', `/v1/agents/${w.agent}/claim`, {}],
    ['POST', `/v1/runs/${w.run}/heartbeat`, { fence: w.fence }],
    ['POST', `/v1/runs/${w.run}/log`, { fence: w.fence, lines: [{ at: 1, stream: 'o', text: 'x' }] }],
    ['POST', `/v1/runs/${w.run}/succeed`, { fence: w.fence }],
  ];
}

const call = (bench: Bench, [method, path, body]: Route, token: string | null) =>
  bench.ask(method, path, { token, ...(body === undefined ? {} : { body }) });

describe('roles', () => {
  it('an operator of the company may do everything in it', async () => {
    const bench = await start();
    const w = await world(bench, 'ACME');
    for (const route of [...reads(w), ...work(w), ...operations(w)]) {
      const { status, text } = await call(bench, route, w.operator);
      expect(status, `${route[0]} ${route[1]} ${text}`).toBeLessThan(300);
    }
  });

  it('an agent reads its company and does its own work, and is FORBIDDEN everything else', async () => {
    const bench = await start();
    const w = await world(bench, 'ACME');
    for (const route of [...reads(w), ...work(w)]) {
      const { status, text } = await call(bench, route, w.executor);
      expect(status, `${route[0]} ${route[1]} ${text}`).toBeLessThan(300);
    }
    const others: Route[] = [
      ['POST', `/v1/agents/${w.other}/claim`, {}],
      ['POST', `/v1/issues/${w.idle}/events`, { type: 'CANCEL' }],
      ['POST', '/v1/companies', { name: 'B', prefix: 'BB' }],
    ];
    for (const route of [...operations(w), ...others]) {
      const { status, body } = await call(bench, route, w.executor);
      expect([status, body.code], `${route[0]} ${route[1]}`).toEqual([403, 'FORBIDDEN']);
    }
  });

  it('a viewer only reads, and is told so before its body is looked at', async () => {
    const bench = await start();
    const w = await world(bench, 'ACME');
    for (const route of reads(w)) expect((await call(bench, route, w.viewer)).status, route[1]).toBe(200);
    for (const [method, path, body] of [...work(w), ...operations(w)]) {
      const wrong: Route = [method, path, ...(body === undefined ? [] : [{ nonsense: true }])] as never;
      const refused = await call(bench, wrong, w.viewer);
      expect([refused.status, refused.body.code], path).toEqual([403, 'FORBIDDEN']);
    }
  });

  it('an agent cannot write as another agent’s run', async () => {
    const bench = await start();
    const w = await world(bench, 'ACME');
    const { token } = await bench.key(w.company, 'agent', w.other);
    const refused = await bench.post(`/v1/runs/${w.run}/succeed`, { fence: w.fence }, { token });
    expect(['FORBIDDEN', 'FENCED']).toContain(refused.body.code);
    expect((await bench.get(`/v1/issues/${w.issue}`)).body.substate).toBe('executing');
  });
});

describe('another company', () => {
  it('is answered as what does not exist, to the byte, whatever is asked by whom', async () => {
    const bench = await start();
    const mine = await world(bench, 'ACME');
    const theirs = await world(bench, 'OTH');
    const swap = (path: string) =>
      path.replace(/[caik]7f3[0-9a-f]+/, (id) => `${id.slice(0, 4)}${'0'.repeat(id.length - 4)}`);
    const malformed = (path: string) => path.replace(/[caik]7f3[0-9a-f]+(\.\d+)?/, 'nonsense');
    for (const token of [mine.operator, mine.executor, mine.viewer]) {
      for (const route of [...reads(theirs), ...work(theirs), ...operations(theirs)]) {
        const foreign = await call(bench, route, token);
        expect([foreign.status, foreign.body.code], route[1]).toEqual([404, 'NOT_FOUND']);
        for (const change of [swap, malformed]) {
          const missing = await call(bench, [route[0], change(route[1]), route[2]] as Route, token);
          expect(missing.text, change(route[1])).toBe(foreign.text);
        }
      }
    }
    expect((await bench.get(`/v1/issues/${theirs.idle}`)).body.version).toBe(1);
  });

  it('cannot be reached by a body, a filter or an identifier either', async () => {
    const bench = await start();
    const mine = await world(bench, 'ACME');
    const theirs = await world(bench, 'OTH');
    const ask: Ask = { token: mine.operator };
    const event = { type: 'ASSIGN', agentId: theirs.agent };
    expect((await bench.post(`/v1/issues/${mine.idle}/events`, event, ask)).body.code).toBe('NOT_FOUND');
    const filtered = await bench.get(`/v1/companies/${mine.company}/issues?assignee=${theirs.agent}`, ask);
    expect(filtered.body.items).toEqual([]);
    expect((await bench.get(`/v1/companies/${mine.company}/issues/OTH-1`, ask)).body.code).toBe('NOT_FOUND');
    const { items } = (await bench.get('/v1/companies', ask)).body;
    expect(items.map((each: { id: string }) => each.id)).toEqual([mine.company]);
  });
});

describe('an id that is none', () => {
  it('is a missing one in bodies and filters as in addresses: clients know no shape of ids', async () => {
    const bench = await start();
    const w = await world(bench, 'ACME');
    const events = `/v1/issues/${w.idle}/events`;
    for (const id of ['nonsense', 'constructor', 'hasOwnProperty', w.issue, w.run, 'é'.repeat(40)]) {
      const asked: Route[] = [
        ['POST', events, { type: 'ASSIGN', agentId: id }],
        ['POST', `/v1/companies/${w.company}/issues`, { title: 'x', assigneeAgentId: id }],
        ['POST', `/v1/companies/${w.company}/keys`, { role: 'agent', agentId: id }],
      ];
      for (const route of asked) {
        const { status, body } = await call(bench, route, w.operator);
        expect([status, body.code], `${route[1]} ${id}`).toEqual([404, 'NOT_FOUND']);
      }
      const list = `/v1/companies/${w.company}/issues?assignee=${encodeURIComponent(id)}`;
      expect((await bench.get(list, { token: w.operator })).body.items, id).toEqual([]);
    }
    const word = { type: 'RUN.HEARTBEAT', runId: 'nonsense', fence: w.fence };
    const refused = await bench.post(`/v1/issues/${w.issue}/events`, word, { token: w.executor });
    expect([refused.status, refused.body.code]).toEqual([409, 'FENCED']);
    expect((await bench.get(`/v1/issues/${w.idle}`)).body.version).toBe(1);
  });

  it('is malformed only when it is empty, endless or unstorable', async () => {
    const bench = await start();
    const w = await world(bench, 'ACME');
    for (const agentId of ['', 'x'.repeat(129), 'a\0', 7]) {
      const event = { type: 'ASSIGN', agentId };
      const refused = await bench.post(`/v1/issues/${w.idle}/events`, event, { token: w.operator });
      expect([refused.status, refused.body.code], String(agentId)).toEqual([400, 'VALIDATION']);
    }
    const list = `/v1/companies/${w.company}/issues?assignee=a%00`;
    expect((await bench.get(list, { token: w.operator })).status).toBe(400);
  });
});

describe('a credential', () => {
  it('that is missing, of another scheme, wrong, or half right is UNAUTHENTICATED', async () => {
    const bench = await start();
    const w = await world(bench, 'ACME');
    const [id] = w.viewer.split('.');
    const wrong = [
      '',
      'Basic abc',
      `Bearer ${TOKEN}x`,
      `Bearer ${id}.`,
      `Bearer ${id}.secret`,
      `Bearer ${'x'.repeat(600)}`,
    ];
    for (const authorization of wrong) {
      const ask: Ask = { token: null, ...(authorization === '' ? {} : { headers: { authorization } }) };
      const refused = await bench.get(`/v1/companies/${w.company}`, ask);
      expect([refused.status, refused.body.code], authorization).toEqual([401, 'UNAUTHENTICATED']);
      expect(refused.headers['www-authenticate']).toBe('Bearer');
    }
    const inQuery = await bench.get(`/v1/companies/${w.company}?token=${TOKEN}`, { token: null });
    expect(inQuery.status).toBe(401);
  });

  it('is not needed for health and the document, and is for metrics', async () => {
    const bench = await start();
    const w = await world(bench, 'ACME');
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/']) {
      expect((await bench.get(path, { token: null })).status, path).toBe(200);
    }
    expect((await bench.get('/metrics', { token: null })).status).toBe(401);
    expect((await bench.get('/metrics', { token: w.operator })).status).toBe(403);
    const scraped = await bench.get('/metrics');
    expect(scraped.text).toContain('baton_http_requests_total');
    expect(scraped.text).not.toContain(w.company);
  });
});

describe('local mode', () => {
  it('takes requests without a credential from this machine, and no others', async () => {
    const bench = await start({ localMode: true, allowedOrigins: ['https://board.example'] });
    const path = `/v1/companies/${await bench.company()}`;
    const { port } = bench.gateway;
    const status = async (headers: Record<string, string>) =>
      (await bench.get(path, { token: null, headers })).status;
    expect(await status({})).toBe(200);
    expect(await status({ host: `localhost:${port}` })).toBe(200);
    expect(await status({ host: `localhost:${port}`, origin: `http://localhost:${port}` })).toBe(200);
    expect(await status({ origin: 'https://board.example' })).toBe(401);
    expect(await status({ origin: 'http://localhost:1' })).toBe(403);
    expect(await status({ host: 'board.example' })).toBe(401);
    expect((await bench.get(path, { token: 'wrong' })).status).toBe(401);
    expect((await bench.get(path)).status).toBe(200);
  });

  it('does not exist where it was not asked for', async () => {
    const bench = await start({ localMode: false });
    expect((await bench.get('/v1/companies', { token: null })).status).toBe(401);
  });
});

describe('a foreign page', () => {
  it('is refused by Host with 421 and by Origin with 403, whatever the route', async () => {
    const bench = await start();
    for (const path of ['/v1/companies', '/healthz', '/nothing']) {
      const rebound = await bench.get(path, { headers: { host: 'evil.example' } });
      expect([rebound.status, rebound.body.code], path).toEqual([421, 'FORBIDDEN']);
      const foreign = await bench.get(path, { headers: { origin: 'https://evil.example' } });
      expect([foreign.status, foreign.body.code], path).toEqual([403, 'FORBIDDEN']);
    }
    for (const origin of ['null', 'file://', 'not an origin', 'http://127.0.0.1:1']) {
      expect((await bench.get('/healthz', { headers: { origin } })).status, origin).toBe(403);
    }
  });

  it('never gets a WebSocket: 403 before the upgrade', async () => {
    const bench = await start();
    for (const headers of [{ host: 'evil.example' }, { origin: 'https://evil.example' }]) {
      const client = bench.socket({ headers });
      await expect(client.opened).rejects.toThrow('403');
    }
  });

  it('of an allowed origin may read answers, and is told so in a preflight', async () => {
    const bench = await start({ allowedOrigins: ['https://board.example'] });
    const headers = { origin: 'https://board.example' };
    const preflight = await bench.ask('OPTIONS', '/v1/companies', { headers, token: null });
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([
      204,
      headers.origin,
    ]);
    const read = await bench.get('/v1/companies', { headers });
    expect([read.status, read.headers['access-control-allow-origin']]).toEqual([200, headers.origin]);
    const client = bench.socket({ headers });
    await client.opened;
  });
});
