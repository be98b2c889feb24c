/** `baton.v1` over real sockets: every frame, every close code, who may what. */
import { describe, expect, it } from 'vitest';
import { TOKEN } from './support/bench.ts';
import { start } from './support/gateway.ts';
import { until } from './support/ws-client.ts';

describe('hello', () => {
  it('is answered with node, time, principal and limits', async () => {
    const bench = await start({ rateLimit: 2000 });
    const company = await bench.company();
    const agent = await bench.agent(company);
    const { token } = await bench.key(company, 'agent', agent);
    const client = bench.socket();
    client.send({ t: 'hello', token, client: { name: 'test', version: '1' } });
    const welcome = await client.next((frame) => frame.t === 'welcome');
    expect(welcome).toMatchObject({
      node: 'n1',
      principal: { role: 'agent', agentId: agent, companyId: company },
      pingMs: 20_000,
      limits: { frameBytes: 65_536, subscriptions: 128, eventsPerSecond: 2000 },
    });
    expect(Math.abs(welcome.now - Date.now())).toBeLessThan(1000);
    await until(() => bench.router.attached(agent) === 1);
  });

  it('needs no token when the upgrade carried one, or in local mode', async () => {
    const bench = await start({ localMode: true });
    for (const headers of [{ authorization: `Bearer ${TOKEN}` }, undefined]) {
      const client = bench.socket(headers ? { headers } : {});
      client.send({ t: 'hello' });
      expect((await client.next((frame) => frame.t === 'welcome')).principal.role).toBe('operator');
    }
  });

  it('with a wrong credential, or none, is closed with 4401', async () => {
    const bench = await start();
    for (const token of ['wrong', undefined]) {
      const client = bench.socket();
      client.send({ t: 'hello', ...(token === undefined ? {} : { token }) });
      expect(await client.ended).toBe(4401);
    }
    const carried = bench.socket({ headers: { authorization: 'Bearer wrong' } });
    carried.send({ t: 'hello' });
    expect(await carried.ended).toBe(4401);
  });
});

describe('a close code', () => {
  it('4406 says that no sub-protocol is common, whether another or none was offered', async () => {
    const bench = await start();
    for (const protocol of [null, 'baton.v0']) expect(await bench.socket({ protocol }).ended).toBe(4406);
  });

  it('4401 ends a connection whose first frame is not hello', async () => {
    const bench = await start();
    const client = bench.socket();
    client.send({ t: 'unsub', id: 'x' });
    expect(await client.ended).toBe(4401);
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['no object', '[1,2]'],
    ['a binary frame', Buffer.from('{"t":"pong"}')],
    ['a frame without t and id', '{}'],
    ['an unknown frame without id', '{"t":"what"}'],
    ['a second hello', '{"t":"hello"}'],
    ['a malformed pong', '{"t":"pong","x":1}'],
    ['an event without id', '{"t":"event"}'],
    ['an id that is no text', '{"t":"unsub","id":7}'],
    ['a nest of brackets', '['.repeat(10_000)],
  ])('4400 answers %s', async (_name, frame) => {
    const bench = await start();
    const client = await bench.connect();
    client.send(frame);
    expect(await client.ended).toBe(4400);
  });

  it('1009 answers a frame larger than 64 KiB', async () => {
    const bench = await start();
    const client = await bench.connect();
    client.send(JSON.stringify({ t: 'unsub', id: 'x'.repeat(66_000) }));
    expect(await client.ended).toBe(1009);
  });

  it('1001 comes after bye when the server stops, and the server is gone in bounded time', async () => {
    const bench = await start();
    const client = await bench.connect();
    const silent = bench.socket();
    await silent.opened;
    const from = performance.now();
    await bench.gateway.stop();
    expect(await client.ended).toBe(1001);
    expect(performance.now() - from).toBeLessThan(3000);
    const bye = client.frames.find((frame) => frame.t === 'bye');
    expect(bye.reason).toBe('draining');
    expect(bye.reconnectMs).toBeGreaterThanOrEqual(1000);
    await bench.gateway.stop();
    await expect(bench.get('/healthz')).rejects.toThrow('ECONNREFUSED');
  });

  it('4401 ends the connections of a key revoked here at once, and elsewhere within five seconds', async () => {
    const bench = await start();
    const company = await bench.company();
    const [here, elsewhere, kept] = await Promise.all([1, 2, 3].map(() => bench.key(company, 'viewer')));
    const clients = await Promise.all([here, elsewhere, kept].map((key) => bench.connect(key?.token)));
    await bench.ask('DELETE', `/v1/keys/${here?.id}`);
    expect(await clients[0]?.ended).toBe(4401);
    await bench.router.revokeKey(elsewhere?.id as string, { kind: 'operator', id: 'x' });
    const from = performance.now();
    expect(await clients[1]?.ended).toBe(4401);
    expect(performance.now() - from).toBeLessThan(5000);
    expect(await clients[2]?.ask({ t: 'unsub', id: 'x' })).toEqual({ t: 'ok', id: 'x' });
    expect(bench.router.sweeps.length).toBeLessThan(4);
  });
});

describe('a frame with an id', () => {
  it('that is wrong is answered VALIDATION with the fields, and the socket stays open', async () => {
    const bench = await start();
    const company = await bench.company();
    const issue = await bench.issue(company);
    const client = await bench.connect();
    const deep = JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`);
    const wrong: [object, string][] = [
      [{ t: 'what' }, 't'],
      [{ t: 'ok' }, 't'],
      [{ t: 'event', issueId: issue, event: { type: 'GRANT' } }, 'event.type'],
      [{ t: 'event', issueId: issue, event: { type: 'xstate.done' } }, 'event.type'],
      [{ t: 'event', issueId: issue, event: { type: 'CANCEL' }, extra: 1 }, ''],
      [{ t: 'event', issueId: issue, event: { type: 'WAKE', reason: 'a\0' } }, 'event.reason'],
      [{ t: 'event', issueId: issue, event: { type: 'EDIT', context: deep } }, ''],
      [{ t: 'sub', topic: 'nothing:x' }, 'topic'],
      [{ t: 'sub', topic: `company:${company}`, since: -1 }, 'since'],
      [{ t: 'sub', topic: `company:${company}`, since: 'x' }, 'since'],
      [{ t: 'sub', topic: `company:${company}`, where: { colour: ['red'] } }, 'where'],
      [{ t: 'sub', topic: `company:${company}`, where: { state: ['asleep'] } }, 'where.state.0'],
      [{ t: 'sub', topic: `issue:${issue}`, where: { state: ['idle'] } }, 'where'],
      [{ t: 'claim', waitMs: 50_001 }, 'waitMs'],
      [{ t: 'claim' }, 'agentId'],
    ];
    for (const [frame, path] of wrong) {
      const answer = await client.ask(frame);
      expect([answer.t, answer.code, answer.errors[0].path], JSON.stringify(frame)).toEqual([
        'error',
        'VALIDATION',
        path,
      ]);
      expect(answer.retryable).toBe(false);
      expect(answer.hint).toBeTypeOf('string');
    }
    expect((await bench.get(`/v1/issues/${issue}`)).body.version).toBe(1);
  });
});

describe('an event', () => {
  it('is answered with version and issue, once per key, and refused with what the machine says', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const issueId = await bench.issue(company);
    const client = await bench.connect();
    const event = { type: 'ASSIGN', agentId: agent };
    const sent = await client.ask({ t: 'event', key: 'k', issueId, event });
    expect(sent).toMatchObject({ t: 'ok', version: 2, duplicate: false, unchanged: false });
    expect(sent.issue).toMatchObject({ id: issueId, substate: 'queued' });
    expect(await client.ask({ t: 'event', key: 'k', issueId, event })).toMatchObject({
      version: 2,
      duplicate: true,
    });
    expect(await client.ask({ t: 'event', issueId, event })).toMatchObject({ version: 2, unchanged: true });
    const refused = await client.ask({ t: 'event', issueId, event: { type: 'RETRY.CANCEL' } });
    expect(refused).toMatchObject({ t: 'error', code: 'NOT_ALLOWED', state: 'running', retryable: false });
    const late = { type: 'CANCEL', expectedVersion: 1 };
    expect(await client.ask({ t: 'event', issueId, event: late })).toMatchObject({
      code: 'CONFLICT',
      version: 2,
    });
  });

  it('that cannot be committed now is retryable, and one that fails for no known reason is INTERNAL', async () => {
    const bench = await start();
    const issueId = await bench.issue(await bench.company());
    const client = await bench.connect();
    bench.router.failing = { is: 'retry', code: 'UNAVAILABLE', message: 'away', afterMs: 700 };
    const away = await client.ask({ t: 'event', issueId, event: { type: 'CANCEL' } });
    expect(away).toMatchObject({ code: 'UNAVAILABLE', retryable: true, retryAfterMs: 700 });
    bench.router.failing = new Error('secret');
    const defect = await client.ask({ t: 'event', issueId, event: { type: 'CANCEL' } });
    expect(defect.code).toBe('INTERNAL');
    expect(JSON.stringify(defect)).not.toContain('secret');
  });

  it('of a role that may not send it is FORBIDDEN; of another company NOT_FOUND, as are ids that are none', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const mine = await bench.issue(company);
    const theirs = await bench.issue(await bench.company('OTH'));
    const missing = `i7f3${'0'.repeat(18)}`;
    for (const role of ['operator', 'agent', 'viewer'] as const) {
      const { token } = await bench.key(company, role, role === 'agent' ? agent : null);
      const client = await bench.connect(token);
      const own = await client.ask({
        t: 'event',
        issueId: mine,
        event: { type: 'PRIORITY', priority: 'low' },
      });
      expect(own.t === 'ok' ? 'ok' : own.code, role).toBe(role === 'operator' ? 'ok' : 'FORBIDDEN');
      const answers = [];
      for (const issueId of [theirs, missing, 'nonsense', agent]) {
        const { id: _id, ...answer } = await client.ask({ t: 'event', issueId, event: { type: 'CANCEL' } });
        answers.push(answer);
      }
      expect(answers[0].code, role).toBe('NOT_FOUND');
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    }
    expect((await bench.get(`/v1/issues/${theirs}`)).body.version).toBe(1);
  });
});

describe('a subscription', () => {
  it('to a company sends a snapshot, then every change with an unbroken prev chain', async () => {
    const bench = await start();
    const company = await bench.company();
    const issue = await bench.issue(company);
    const client = await bench.connect();
    expect(await client.ask({ t: 'sub', id: 's', topic: `company:${company}` })).toMatchObject({
      recovered: false,
      seq: 1,
    });
    const snapshot = await client.next((frame) => frame.t === 'snapshot');
    expect(snapshot).toMatchObject({ sub: 's', seq: 1, more: false });
    expect(snapshot.items[0].id).toBe(issue);
    for (const type of ['COMPLETE', 'REOPEN', 'CANCEL'])
      await bench.post(`/v1/issues/${issue}/events`, { type });
    await client.next((frame) => frame.t === 'change' && frame.change.seq === 4);
    const changes = client.frames.filter((frame) => frame.t === 'change');
    expect(changes.map((frame) => frame.prev)).toEqual([1, 2, 3]);
    expect(changes[0].change).toMatchObject({
      type: 'COMPLETE',
      from: 'idle',
      to: 'done',
      issue: { state: 'done' },
    });
    expect(changes[0].change.stamp).toBeDefined();
    expect((await client.ask({ t: 'unsub', id: 's' })).t).toBe('ok');
    const before = client.frames.length;
    await bench.post(`/v1/issues/${issue}/events`, { type: 'REOPEN' });
    await client.ask({ t: 'unsub', id: 'x' });
    expect(client.frames.length).toBe(before + 1);
  });

  it('resumed from a seq gets what it missed and no snapshot; from above the head a fresh one', async () => {
    const bench = await start();
    const company = await bench.company();
    const issue = await bench.issue(company);
    await bench.post(`/v1/issues/${issue}/events`, { type: 'COMPLETE' });
    const client = await bench.connect();
    expect((await client.ask({ t: 'sub', id: 'a', topic: `company:${company}`, since: 1 })).recovered).toBe(
      true,
    );
    const missed = await client.next((frame) => frame.sub === 'a');
    expect(missed).toMatchObject({ t: 'change', prev: 1, change: { seq: 2 } });
    expect((await client.ask({ t: 'sub', id: 'b', topic: `company:${company}`, since: 99 })).recovered).toBe(
      false,
    );
    expect((await client.next((frame) => frame.sub === 'b')).t).toBe('snapshot');
  });

  it('to a journal sends every version without views; to an issue and an agent what concerns them', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const issue = await bench.issue(company);
    const client = await bench.connect();
    await client.ask({ t: 'sub', id: 'j', topic: `journal:${issue}` });
    await client.ask({ t: 'sub', id: 'i', topic: `issue:${issue}` });
    await client.ask({ t: 'sub', id: 'a', topic: `agent:${agent}` });
    await bench.post(`/v1/issues/${issue}/events`, { type: 'ASSIGN', agentId: agent });
    await bench.post(`/v1/agents/${agent}/pause`, {});
    await client.next((frame) => frame.sub === 'a' && frame.change?.type === 'PAUSE');
    const of = (sub: string) => client.frames.filter((frame) => frame.sub === sub && frame.t === 'change');
    expect(of('j').map((frame) => [frame.prev, frame.change.version, frame.change.issue])).toEqual([
      [0, 1, undefined],
      [1, 2, undefined],
    ]);
    expect(of('i').map((frame) => frame.change.issue.version)).toEqual([2]);
    expect(of('a').map((frame) => frame.change.type)).toEqual(['ASSIGN', 'PAUSE']);
  });

  it('that is filtered sends the change by which an issue leaves', async () => {
    const bench = await start();
    const company = await bench.company();
    const issue = await bench.issue(company);
    const client = await bench.connect();
    await client.ask({
      t: 'sub',
      id: 's',
      topic: `company:${company}`,
      where: { state: ['idle'], priority: ['medium'] },
    });
    await bench.post(`/v1/issues/${issue}/events`, { type: 'COMPLETE' });
    await bench.post(`/v1/issues/${issue}/events`, { type: 'REOPEN' });
    await client.next((frame) => frame.t === 'change' && frame.change.to === 'idle');
    expect(client.frames.filter((frame) => frame.t === 'change').map((frame) => frame.change.to)).toEqual([
      'done',
      'idle',
    ]);
  });

  it('is one of at most 128, each with an id of its own', async () => {
    const bench = await start();
    const topic = `company:${await bench.company()}`;
    const client = await bench.connect();
    for (let n = 0; n < 128; n++) expect((await client.ask({ t: 'sub', id: `s${n}`, topic })).t).toBe('ok');
    expect((await client.ask({ t: 'sub', id: 's128', topic })).code).toBe('VALIDATION');
    await client.ask({ t: 'unsub', id: 's0' });
    expect((await client.ask({ t: 'sub', id: 's1', topic })).code).toBe('VALIDATION');
    expect((await client.ask({ t: 'sub', id: 's0', topic })).t).toBe('ok');
  });

  it('to another company, or to what does not exist, is NOT_FOUND and takes no room', async () => {
    const bench = await start();
    const company = await bench.company();
    const other = await bench.company('OTH');
    const theirs = await bench.issue(other);
    const agent = await bench.agent(other);
    const { token } = await bench.key(company, 'viewer');
    const client = await bench.connect(token);
    const topics = [
      `company:${other}`,
      `stats:${other}`,
      `issue:${theirs}`,
      `agent:${agent}`,
      `journal:${theirs}`,
    ];
    for (const topic of [
      ...topics,
      'company:x',
      'issue:',
      `issue:${company}`,
      `journal:i7f3${'0'.repeat(18)}`,
    ]) {
      expect((await client.ask({ t: 'sub', id: 's', topic })).code, topic).toBe('NOT_FOUND');
    }
    expect((await client.ask({ t: 'sub', id: 's', topic: `company:${company}` })).t).toBe('ok');
    await bench.issue(company);
    const change = await client.next((frame) => frame.t === 'change');
    expect(change.change.stamp).toBeUndefined();
  });
});

describe('a claim', () => {
  it('of an agent waits, is granted, and its worker is told to stop', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const { token } = await bench.key(company, 'agent', agent);
    const client = await bench.connect(token);
    const claimed = client.ask({ t: 'claim', id: 'c', waitMs: 20_000 });
    await until(() => bench.router.waitingClaims === 1);
    const issue = await bench.issue(company, { assigneeAgentId: agent });
    const [grant] = (await claimed).grants;
    expect(grant).toMatchObject({ issue: { id: issue }, leaseMs: 30_000 });
    await bench.post(`/v1/issues/${issue}/events`, { type: 'CANCEL' });
    expect(await client.next((frame) => frame.t === 'stop')).toMatchObject({
      runId: grant.run.id,
      fence: grant.fence,
      cause: 'issue_cancelled',
    });
    const again = await bench.connect(token);
    expect((await again.next((frame) => frame.t === 'stop')).runId).toBe(grant.run.id);
    const stopped = { type: 'RUN.STOPPED', runId: grant.run.id, fence: grant.fence };
    expect((await again.ask({ t: 'event', issueId: issue, event: stopped })).t).toBe('ok');
  });

  it('of an operator names the agent; of another agent or a viewer it is FORBIDDEN', async () => {
    const bench = await start();
    const company = await bench.company();
    const [agent, other] = [await bench.agent(company), await bench.agent(company)];
    const foreign = await bench.agent(await bench.company('OTH'));
    const operator = await bench.connect((await bench.key(company, 'operator')).token);
    expect((await operator.ask({ t: 'claim', agentId: agent })).grants).toEqual([]);
    expect(bench.router.attached(agent)).toBe(1);
    expect((await operator.ask({ t: 'claim', agentId: foreign })).code).toBe('NOT_FOUND');
    const worker = await bench.connect((await bench.key(company, 'agent', agent)).token);
    expect((await worker.ask({ t: 'claim', agentId: other })).code).toBe('FORBIDDEN');
    expect((await worker.ask({ t: 'claim', agentId: foreign })).code).toBe('NOT_FOUND');
    const viewer = await bench.connect((await bench.key(company, 'viewer')).token);
    expect((await viewer.ask({ t: 'claim', agentId: agent })).code).toBe('FORBIDDEN');
  });

  it('is withdrawn when its connection closes', async () => {
    const bench = await start();
    const agent = await bench.agent(await bench.company());
    const client = await bench.connect();
    client.send({ t: 'claim', id: 'c', agentId: agent, waitMs: 50_000 });
    await until(() => bench.router.waitingClaims === 1);
    client.close();
    await until(() => bench.router.waitingClaims === 0 && bench.router.attached(agent) === 0);
  });
});
