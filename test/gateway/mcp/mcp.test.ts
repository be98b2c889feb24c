/** `/mcp` as agents meet it: the official clients over real HTTP. */
import { Agent, request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { CLIENTS, type McpClient } from '../../support/mcp.ts';
import { type Bench, TOKEN } from '../support/bench.ts';
import { start } from '../support/gateway.ts';
import { until } from '../support/ws-client.ts';

const NAMES = [
  'list_issues',
  'get_issue',
  'why_stuck',
  'claim_issue',
  'heartbeat',
  'complete_issue',
  'fail_issue',
  'comment',
  'reassign_issue',
];

const open: McpClient[] = [];
afterEach(async () => {
  for (const client of open.splice(0)) await client.close().catch(() => {});
});

/** A company with two agents, an issue of the first, and keys. */
async function world(bench: Bench, prefix = 'ACME') {
  const company = await bench.company(prefix);
  const agent = await bench.agent(company, { name: 'codex-1' });
  const other = await bench.agent(company, { name: 'claude-1' });
  const issue = await bench.issue(company, { assigneeAgentId: agent });
  return {
    company,
    agent,
    other,
    issue,
    identifier: `${prefix}-${JSON.parse((await bench.router.get(issue))!.view).identifier.split('-')[1]}`,
    executor: await bench.key(company, 'agent', agent),
    operator: await bench.key(company, 'operator'),
    viewer: await bench.key(company, 'viewer'),
  };
}

describe.each(CLIENTS)('with %s', (_name, connect) => {
  async function client(bench: Bench, token: string | null = TOKEN): Promise<McpClient> {
    const made = await connect(bench.gateway.url, token);
    open.push(made);
    return made;
  }

  it('lists the tools of the interface, each with what it takes and what it answers', async () => {
    const tools = await (await client(await start())).tools();
    expect(tools.map(({ name }) => name).sort()).toEqual([...NAMES].sort());
    for (const { inputSchema, outputSchema } of tools) {
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(outputSchema).toMatchObject({ type: 'object' });
      expect(JSON.stringify([inputSchema, outputSchema])).not.toContain('$ref');
    }
  });

  it('an agent claims, keeps its run alive, and completes the issue; the text is what is structured', async () => {
    const bench = await start();
    const w = await world(bench);
    const mcp = await client(bench, w.executor.token);
    expect(mcp.instructions()).toContain(w.agent);
    const claimed = await mcp.call('claim_issue', { waitMs: 1000 });
    const [grant] = claimed.structuredContent.grants;
    expect(grant).toMatchObject({ issue: { id: w.issue, substate: 'executing' }, run: { agentId: w.agent } });
    expect(JSON.parse(claimed.content[0]!.text)).toEqual(claimed.structuredContent);

    const of = { runId: grant.run.id, fence: grant.fence };
    const beat = await mcp.call('heartbeat', { ...of, progress: 0.5, note: 'half' });
    expect(beat.structuredContent).toMatchObject({ unchanged: true, issue: { substate: 'executing' } });
    const done = await mcp.call('complete_issue', { ...of, result: { patch: 'x' } });
    expect(done.structuredContent).toMatchObject({ issue: { state: 'done' }, duplicate: false });
  });

  it('says that a run follows when somebody commented meanwhile, before and after', async () => {
    const bench = await start();
    const w = await world(bench);
    const mcp = await client(bench, w.executor.token);
    const described = (await mcp.tools()).find(({ name }) => name === 'complete_issue');
    expect(described?.description).toMatch(/comment[^.]*meanwhile[^.]*another run/);
    const grant = await bench.grant(w.company, w.agent);
    const operator = await client(bench, w.operator.token);
    await operator.call('comment', { issueId: w.identifier, body: 'The other door, too.' });
    const of = { runId: grant.run.id, fence: grant.fence };
    const { structuredContent: done } = await mcp.call('complete_issue', of);
    expect(done).toMatchObject({ issue: { state: 'running', run: { id: `${w.issue}.2` } } });
    expect(done.note).toMatch(
      new RegExp(`not done[^.]*woken[\\s\\S]*run ${w.issue}\\.2 follows[\\s\\S]*claim_issue`),
    );
    const [next] = (await mcp.call('claim_issue', { waitMs: 1000 })).structuredContent.grants;
    expect(next.run.id).toBe(`${w.issue}.2`);
    const last = await mcp.call('complete_issue', { runId: next.run.id, fence: next.fence });
    expect(last.structuredContent.issue.state).toBe('done');
    expect(last.structuredContent).not.toHaveProperty('note');
  });

  it('of a name that two agents have says how many, and their ids', async () => {
    const bench = await start();
    const w = await world(bench);
    const twin = await bench.agent(w.company, { name: 'claude-1' });
    const operator = await client(bench, w.operator.token);
    const asked = { issueId: w.identifier, agentId: 'claude-1' };
    const refused = await operator.call('reassign_issue', asked);
    expect(refused.structuredContent).toMatchObject({
      code: 'VALIDATION',
      message: `agentId: 2 agents of this company are called "claude-1": name one by its id: ${w.other} (active), ${twin} (active)`,
    });
    const listed = await operator.call('list_issues', { assignee: 'claude-1' });
    expect(listed.structuredContent).toMatchObject({ code: 'VALIDATION', errors: [{ path: 'assignee' }] });
    await bench.router.send({
      actorId: twin,
      event: { type: 'TERMINATE' },
      by: { kind: 'operator', id: 'me' },
    });
    expect((await operator.call('reassign_issue', asked)).structuredContent.issue).toMatchObject({
      assigneeAgentId: w.other,
    });
  });

  it('says why a failed run waits, and gives its issue to another agent by name', async () => {
    const bench = await start();
    const w = await world(bench);
    const grant = await bench.grant(w.company, w.agent);
    const mcp = await client(bench, w.executor.token);
    const failed = await mcp.call('fail_issue', {
      runId: grant.run.id,
      fence: grant.fence,
      error: '429',
      errorFamily: 'transient_upstream',
    });
    expect(failed.structuredContent.issue.state).toBe('scheduled-retry');
    const why = await mcp.call('why_stuck', { issueId: w.identifier });
    expect(why.structuredContent).toMatchObject({
      id: w.issue,
      state: 'scheduled-retry',
      why: { code: 'backoff' },
      nextEvent: 'RETRY.DUE',
      lastError: { error: '429' },
    });
    expect(why.structuredContent.nextAt).toBeGreaterThan(why.structuredContent.now);

    const operator = await client(bench, w.operator.token);
    const given = await operator.call('reassign_issue', { issueId: w.identifier, agentId: 'claude-1' });
    expect(given.structuredContent.issue).toMatchObject({ assigneeAgentId: w.other, substate: 'queued' });
    const late = await mcp.call('complete_issue', { runId: grant.run.id, fence: grant.fence });
    expect(late.isError).toBe(true);
    expect(late.structuredContent).toMatchObject({ code: 'FENCED', retryable: false });
    expect(late.structuredContent.hint).toMatch(/stop this run/);
    expect(JSON.parse(late.content[0]!.text)).toEqual(late.structuredContent);
  });

  it('lists with filters, page by page, and comments', async () => {
    const bench = await start();
    const w = await world(bench);
    for (let n = 0; n < 4; n++) await bench.issue(w.company, { title: `Paint it ${n}`, priority: 'low' });
    const mcp = await client(bench, w.operator.token);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await mcp.call('list_issues', {
        q: 'paint',
        limit: 3,
        ...(cursor === null ? {} : { cursor }),
      });
      seen.push(...page.structuredContent.items.map((issue: { title: string }) => issue.title));
      cursor = page.structuredContent.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(['Paint it 0', 'Paint it 1', 'Paint it 2', 'Paint it 3']);
    const own = await mcp.call('list_issues', { assignee: 'codex-1', state: ['running.queued'] });
    expect(own.structuredContent.items.map((issue: { id: string }) => issue.id)).toEqual([w.issue]);

    const said = { issueId: w.issue, body: 'Look at the log', key: 'once' };
    const first = await mcp.call('comment', said);
    const again = await mcp.call('comment', said);
    expect(again.structuredContent).toMatchObject({
      version: first.structuredContent.version,
      duplicate: true,
    });
  });

  it('a claim that is cancelled is withdrawn, and the connection goes on', async () => {
    const bench = await start();
    const w = await world(bench);
    const mcp = await client(bench, w.executor.token);
    await mcp.call('claim_issue');
    const cancel = new AbortController();
    const waiting = mcp.call('claim_issue', { waitMs: 50_000 }, cancel.signal);
    await until(() => bench.router.waitingClaims === 1);
    cancel.abort();
    await expect(waiting).rejects.toThrow();
    await until(() => bench.router.waitingClaims === 0);
    expect((await mcp.call('get_issue', { issueId: w.issue })).structuredContent.id).toBe(w.issue);
  });

  it('a claim whose client is gone is withdrawn', async () => {
    const bench = await start();
    const w = await world(bench);
    const mcp = await client(bench, w.executor.token);
    await mcp.call('claim_issue');
    const waiting = mcp.call('claim_issue', { waitMs: 50_000 }).catch(() => 'gone');
    await until(() => bench.router.waitingClaims === 1);
    await mcp.close();
    expect(await waiting).toBe('gone');
    await until(() => bench.router.waitingClaims === 0);
  });

  it('a server that stops answers the claims that wait', async () => {
    const bench = await start();
    const w = await world(bench);
    const mcp = await client(bench, w.executor.token);
    await mcp.call('claim_issue');
    const waiting = mcp.call('claim_issue', { waitMs: 50_000 });
    await until(() => bench.router.waitingClaims === 1);
    await bench.gateway.stop();
    expect((await waiting).structuredContent).toEqual({ grants: [] });
  });
});

describe('refusals', () => {
  const [, connect] = CLIENTS[0]!;
  async function client(bench: Bench, token: string | null): Promise<McpClient> {
    const made = await connect(bench.gateway.url, token);
    open.push(made);
    return made;
  }

  it('name the field that is wrong, and change nothing', async () => {
    const bench = await start();
    const w = await world(bench);
    const mcp = await client(bench, w.operator.token);
    const before = (await bench.router.get(w.issue))!.view;
    const cases: [string, Record<string, unknown>, string][] = [
      ['get_issue', {}, 'issueId'],
      ['get_issue', { issueId: 7 }, 'issueId'],
      ['list_issues', { stat: ['idle'] }, 'stat'],
      ['list_issues', { state: ['asleep'] }, 'state'],
      ['list_issues', { cursor: 'x' }, 'cursor'],
      ['comment', { issueId: w.issue }, 'body'],
      ['claim_issue', {}, 'agentId'],
      ['claim_issue', { agentId: w.agent, waitMs: 60_000 }, 'waitMs'],
      ['complete_issue', {}, 'runId'],
      ['complete_issue', { runId: `${w.issue}.1` }, 'fence'],
      ['complete_issue', { issueId: w.issue, result: 1 }, 'result'],
      ['fail_issue', { runId: `${w.issue}.1`, fence: 1 }, 'error'],
      ['heartbeat', { runId: `${w.issue}.1`, fence: 1, progress: 2 }, 'progress'],
    ];
    for (const [name, args, field] of cases) {
      const { isError, structuredContent } = await mcp.call(name, args);
      expect([name, isError, structuredContent.code]).toEqual([name, true, 'VALIDATION']);
      expect(structuredContent.message).toContain(field);
    }
    expect((await bench.router.get(w.issue))!.view).toBe(before);
  });

  it('do not tell another company’s things from what does not exist', async () => {
    const bench = await start();
    const own = await world(bench, 'OWN');
    const foreign = await world(bench, 'OTHER');
    const grant = await bench.grant(foreign.company, foreign.agent);
    const mcp = await client(bench, own.operator.token);
    const missing = {
      issue: `i${own.issue.slice(1, 4)}ffffffffffffffffffff`,
      agent: `a${own.agent.slice(1, 4)}ffffffffffffffffffff`,
    };
    const runId = { there: grant.run.id as string, missing: `${missing.issue}.1` };
    const pairs: [string, Record<string, unknown>, Record<string, unknown>][] = [
      ['get_issue', { issueId: foreign.issue }, { issueId: missing.issue }],
      ['get_issue', { issueId: foreign.identifier }, { issueId: 'OTHER-999' }],
      ['why_stuck', { issueId: foreign.issue }, { issueId: missing.issue }],
      ['comment', { issueId: foreign.issue, body: 'x' }, { issueId: missing.issue, body: 'x' }],
      [
        'reassign_issue',
        { issueId: foreign.issue, agentId: null },
        { issueId: missing.issue, agentId: null },
      ],
      [
        'reassign_issue',
        { issueId: own.issue, agentId: foreign.agent },
        { issueId: own.issue, agentId: missing.agent },
      ],
      ['list_issues', { company: foreign.company }, { company: 'NONE' }],
      ['list_issues', { assignee: foreign.agent }, { assignee: missing.agent }],
      ['claim_issue', { agentId: foreign.agent }, { agentId: missing.agent }],
      ['heartbeat', { runId: runId.there, fence: 1 }, { runId: runId.missing, fence: 1 }],
      ['complete_issue', { runId: runId.there, fence: 1 }, { runId: runId.missing, fence: 1 }],
      ['complete_issue', { issueId: foreign.issue }, { issueId: missing.issue }],
      [
        'fail_issue',
        { runId: runId.there, fence: 1, error: 'x' },
        { runId: runId.missing, fence: 1, error: 'x' },
      ],
    ];
    for (const [name, there, nowhere] of pairs) {
      const found = await mcp.call(name, there);
      expect([name, found.structuredContent.code]).toEqual([name, 'NOT_FOUND']);
      expect([name, found]).toEqual([name, await mcp.call(name, nowhere)]);
    }
  });

  it('keep roles apart: a viewer reads, an agent acts only for itself', async () => {
    const bench = await start();
    const w = await world(bench);
    const viewer = await client(bench, w.viewer.token);
    expect((await viewer.call('get_issue', { issueId: w.issue })).isError).toBeUndefined();
    const agent = await client(bench, w.executor.token);
    const mine = { runId: `${w.issue}.1`, fence: 1 };
    const refused: [McpClient, string, Record<string, unknown>][] = [
      [viewer, 'claim_issue', {}],
      [viewer, 'claim_issue', { agentId: w.agent }],
      [viewer, 'heartbeat', mine],
      [viewer, 'complete_issue', mine],
      [viewer, 'complete_issue', { issueId: w.issue }],
      [viewer, 'fail_issue', { ...mine, error: 'x' }],
      [viewer, 'comment', { issueId: w.issue, body: 'x' }],
      [viewer, 'reassign_issue', { issueId: w.issue, agentId: null }],
      [agent, 'claim_issue', { agentId: w.other }],
      [agent, 'claim_issue', { agentId: 'claude-1' }],
      [agent, 'reassign_issue', { issueId: w.issue, agentId: null }],
    ];
    for (const [mcp, name, args] of refused) {
      const { isError, structuredContent } = await mcp.call(name, args);
      expect([name, args, isError, structuredContent.code]).toEqual([name, args, true, 'FORBIDDEN']);
    }
  });

  it('ask the server’s own operator which company, and name them', async () => {
    const bench = await start();
    await world(bench, 'ONE');
    const mcp = await client(bench, TOKEN);
    expect((await mcp.call('list_issues')).structuredContent.items).toHaveLength(1);
    const two = await world(bench, 'TWO');
    const asked = await mcp.call('list_issues');
    expect(asked.structuredContent).toMatchObject({ code: 'VALIDATION' });
    expect(asked.structuredContent.hint).toMatch(/ONE .*TWO/);
    const { items } = (await mcp.call('list_issues', { company: 'TWO' })).structuredContent;
    expect(items.map((issue: { id: string }) => issue.id)).toEqual([two.issue]);
    const claimed = await mcp.call('claim_issue', { company: 'TWO', agentId: 'codex-1' });
    expect(claimed.structuredContent.grants[0].issue.id).toBe(two.issue);
  });

  it('a defect is INTERNAL with an id and nothing of what threw, and the next call is served', async () => {
    const bench = await start();
    const w = await world(bench);
    const mcp = await client(bench, w.operator.token);
    const { get } = bench.router;
    bench.router.get = () => {
      throw new Error('select secret from /etc/passwd');
    };
    const failed = await mcp.call('why_stuck', { issueId: w.issue });
    bench.router.get = get;
    expect(failed.structuredContent).toMatchObject({ code: 'INTERNAL', requestId: expect.any(String) });
    expect(JSON.stringify(failed)).not.toContain('secret');
    expect((await mcp.call('why_stuck', { issueId: w.issue })).isError).toBeUndefined();
  });

  it('an unknown tool is the protocol’s own error', async () => {
    const mcp = await client(await start(), TOKEN);
    await expect(mcp.call('delete_everything')).rejects.toThrow(/There is no tool/);
  });
});

describe('the way in', () => {
  const initialize = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '0' } },
  };
  const accept = { accept: 'application/json, text/event-stream' };

  it('takes no wrong credential and, outside local mode, none', async () => {
    const bench = await start();
    for (const token of [null, 'wrong']) {
      const { status, body, headers } = await bench.post('/mcp', initialize, { token, headers: accept });
      expect([status, body.code, headers['www-authenticate']]).toEqual([401, 'UNAUTHENTICATED', 'Bearer']);
    }
  });

  it('is closed to foreign hosts and origins, and open to an allowed one', async () => {
    const bench = await start({ localMode: true, allowedOrigins: ['https://ours.example'] });
    const ask = (headers: Record<string, string>, token: string | null = null) =>
      bench.post('/mcp', initialize, { token, headers: { ...accept, ...headers } });
    expect((await ask({})).status).toBe(200);
    expect((await ask({ host: 'evil.example' })).status).toBe(421);
    expect((await ask({ origin: 'https://evil.example' })).status).toBe(403);
    const allowed = await ask({ origin: 'https://ours.example' }, TOKEN);
    expect(allowed.status).toBe(200);
    expect(allowed.headers['access-control-expose-headers']).toContain('mcp-session-id');
  });

  it('refuses bodies that are too large, hostile or not JSON before the SDK sees them', async () => {
    const bench = await start();
    const raw = (body: string, type = 'application/json') =>
      bench.ask('POST', '/mcp', { raw: body, headers: { ...accept, 'content-type': type } });
    expect((await raw(`"${'x'.repeat(300_000)}"`)).status).toBe(413);
    expect((await raw('['.repeat(5000))).status).toBe(400);
    expect((await raw('{"__proto__":{"a":1}}')).status).toBe(400);
    expect((await raw('{')).status).toBe(400);
    expect((await raw('hello', 'text/plain')).status).toBe(415);
    expect((await raw('')).status).toBe(400);
    expect((await raw('null')).status).toBe(400);
    expect((await raw('[]')).status).toBe(400);
    const batch = await raw(JSON.stringify([initialize]));
    expect([batch.status, batch.body.code]).toEqual([400, 'VALIDATION']);
    expect((await raw(JSON.stringify(initialize))).status).toBe(200);
  });

  it('answers odd messages with an error of the protocol, never of the server', async () => {
    const bench = await start();
    const w = await world(bench);
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call' };
    const odd: unknown[] = [
      {},
      7,
      'tools/list',
      { jsonrpc: '1.0', id: 1, method: 'tools/list' },
      { jsonrpc: '2.0', method: 'tools/list' },
      { jsonrpc: '2.0', id: null, method: 'tools/list' },
      { jsonrpc: '2.0', id: { a: 1 }, method: 'tools/list' },
      { jsonrpc: '2.0', id: 1 },
      { jsonrpc: '2.0', id: 1, method: 7 },
      { jsonrpc: '2.0', id: 1, method: 'xstate.stop' },
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x' } },
      { jsonrpc: '2.0', method: 'notifications/cancelled' },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: { a: 1 } } },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: 'all' },
      { ...call },
      { ...call, params: null },
      { ...call, params: [] },
      { ...call, params: { name: 'get_issue' } },
      { ...call, params: { name: 7, arguments: {} } },
      { ...call, params: { name: 'get_issue', arguments: [w.issue] } },
      { ...call, params: { name: 'get_issue', arguments: { issueId: { $gt: '' } } } },
      { ...call, params: { name: 'toString', arguments: {} } },
      { ...call, params: { name: 'comment', arguments: { issueId: w.issue, body: 'x'.repeat(20_000) } } },
      { ...call, params: { name: 'list_issues', arguments: { limit: 1e9 } } },
      { ...call, method: 'completion/complete', params: {} },
      { ...call, method: 'resources/read', params: { uri: 'file:///etc/passwd' } },
      { ...initialize, params: {} },
      { ...initialize, params: { ...initialize.params, protocolVersion: '1999-01-01' } },
    ];
    const versions = [{}, { 'mcp-protocol-version': '2026-07-28' }, { 'mcp-protocol-version': 'x' }];
    for (const body of odd) {
      for (const version of versions) {
        const { status, text } = await bench.post('/mcp', body, { headers: { ...accept, ...version } });
        expect([body, status < 500]).toEqual([body, true]);
        expect([body, /passwd|node_modules|at \w+ \(/.test(text.replace('file:///etc/passwd', ''))]).toEqual([
          body,
          false,
        ]);
      }
    }
    expect((await bench.post('/mcp', initialize, { headers: accept })).status).toBe(200);
    expect(JSON.parse((await bench.router.get(w.issue))!.view).version).toBe(1);
  });

  it('a stream that listens does not keep the server from stopping', async () => {
    const bench = await start();
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const method = 'subscriptions/listen';
    const answer = await fetch(`${bench.gateway.url}/mcp`, {
      method: 'POST',
      headers: {
        ...accept,
        'content-type': 'application/json',
        authorization: `Bearer ${TOKEN}`,
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 'l1',
        method,
        params: { _meta: meta, notifications: { toolsListChanged: true } },
      }),
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await bench.gateway.stop();
    // A stream that had to be cut off would not end but break.
    expect(await answer.text()).toContain('acknowledged');
  });

  it('counts against the connection’s rate like any write', async () => {
    const bench = await start({ rateLimit: 1 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = { ...accept, 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
    const ask = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const { port } = bench.gateway;
        request({ agent, port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode));
        })
          .once('error', reject)
          .end(JSON.stringify(initialize));
      });
    const seen: (number | undefined)[] = [];
    for (let n = 0; n < 4; n++) seen.push(await ask());
    agent.destroy();
    expect(seen).toContain(429);
  });

  it('another key cannot cancel a call, even if it knows the session', async () => {
    const bench = await start();
    const w = await world(bench);
    const session = { 'mcp-session-id': 'guessed', 'mcp-protocol-version': '2025-11-25' };
    const call = { jsonrpc: '2.0', id: 5, method: 'tools/call' };
    const claim = bench.post(
      '/mcp',
      { ...call, params: { name: 'claim_issue', arguments: { agentId: w.other, waitMs: 400 } } },
      { token: w.operator.token, headers: { ...accept, ...session } },
    );
    await until(() => bench.router.waitingClaims === 1);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } };
    await bench.post('/mcp', cancel, { token: w.executor.token, headers: { ...accept, ...session } });
    expect(bench.router.waitingClaims).toBe(1);
    expect((await claim).text).toContain('"grants":[]');
  });

  it('a revoked key’s waiting claim ends', async () => {
    const bench = await start();
    const w = await world(bench);
    const call = { jsonrpc: '2.0', id: 5, method: 'tools/call' };
    const claim = bench
      .post(
        '/mcp',
        { ...call, params: { name: 'claim_issue', arguments: { agentId: w.other, waitMs: 50_000 } } },
        { token: w.operator.token, headers: accept },
      )
      .catch(() => null);
    await until(() => bench.router.waitingClaims === 1);
    await bench.ask('DELETE', `/v1/keys/${w.operator.id}`);
    await claim;
    expect(bench.router.waitingClaims).toBe(0);
  });

  it('says what it is not: no stream to listen to, no session to end', async () => {
    const bench = await start();
    expect((await bench.get('/mcp', { headers: accept })).status).toBe(405);
    expect((await bench.ask('DELETE', '/mcp', { headers: { 'mcp-session-id': 'x' } })).status).toBe(405);
  });
});
