/** Agents, issues, events, comments, runs, claims and logs over HTTP: what works, and what is refused with which code. */
import { describe, expect, it } from 'vitest';
import { start } from './support/gateway.ts';
import { until } from './support/ws-client.ts';

describe('agents', () => {
  it('are made, listed, changed, paused, resumed and terminated', async () => {
    const bench = await start();
    const company = await bench.company();
    const made = await bench.post(`/v1/companies/${company}/agents`, {
      name: 'codex-1',
      maxConcurrentRuns: 2,
    });
    expect([made.status, made.body.name, made.body.maxConcurrentRuns]).toEqual([201, 'codex-1', 2]);
    const path = `/v1/agents/${made.body.id}`;
    expect((await bench.get(path)).body).toEqual(made.body);
    expect((await bench.get(`/v1/companies/${company}/agents`)).body.items).toEqual([made.body]);
    expect((await bench.ask('PATCH', path, { body: { maxConcurrentRuns: 3 } })).body.maxConcurrentRuns).toBe(
      3,
    );
    expect((await bench.post(`${path}/pause`, { drain: true })).body).toMatchObject({ status: 'paused' });
    expect((await bench.post(`${path}/resume`)).body.status).toBe('active');
    expect((await bench.ask('POST', `${path}/terminate`)).body.status).toBe('terminated');
    expect((await bench.post(`${path}/resume`)).body.code).toBe('NOT_ALLOWED');
    expect((await bench.post(`${path}/pause`, { now: true })).body.code).toBe('VALIDATION');
  });

  it('say, once terminated, that nothing leads back, and speak of no issue', async () => {
    const bench = await start();
    const path = `/v1/agents/${await bench.agent(await bench.company())}`;
    await bench.post(`${path}/terminate`);
    const asked = [bench.post(`${path}/resume`), bench.post(`${path}/pause`)];
    for (const { status, body } of await Promise.all([
      ...asked,
      bench.ask('PATCH', path, { body: { name: 'x' } }),
    ])) {
      expect(status).toBe(409);
      expect(body).toMatchObject({ code: 'NOT_ALLOWED', state: 'terminated', allowed: [] });
      expect(body.hint).toBe(
        'A terminated agent stays so, and no event changes it any more: make another agent.',
      );
    }
  });

  it('that take no issues any more are said to be the trouble, also where an issue is handed to one', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const id = await bench.issue(company);
    await bench.post(`/v1/agents/${agent}/terminate`);
    const refused = [
      await bench.post(`/v1/issues/${id}/events`, { type: 'ASSIGN', agentId: agent }),
      await bench.post(`/v1/companies/${company}/issues`, { title: 'x', assigneeAgentId: agent }),
    ];
    for (const { body } of refused) {
      expect(body.code).toBe('NOT_ALLOWED');
      expect(body.hint).toBe('Name an agent that is not terminated, or none.');
    }
    expect(refused[0]?.body.allowed).toContain('ASSIGN');
  });
});

describe('an agent’s own retry policy', () => {
  it('may be all that the server’s may be, and nothing else', async () => {
    const bench = await start();
    const path = `/v1/companies/${await bench.company()}/agents`;
    for (const retry of [
      { delaysMs: [0, 2_592_000_000], jitter: 1, leaseMs: 100, stopGraceMs: 0 },
      { delaysMs: Array(20).fill(1), jitter: 0, leaseMs: 86_400_000, stopGraceMs: 3_600_000 },
    ]) {
      const made = await bench.post(path, { name: 'x', retry });
      expect(made.body.retry, made.text).toEqual(retry);
    }
    for (const retry of [
      { delaysMs: [] },
      { delaysMs: [-1] },
      { jitter: 1.01 },
      { leaseMs: 99 },
      { stopGraceMs: -1 },
      { ladder: [1] },
    ]) {
      expect((await bench.post(path, { name: 'x', retry })).body.code).toBe('VALIDATION');
    }
  });
});

describe('issues', () => {
  it('are made one by one or a thousand at once, all or none', async () => {
    const bench = await start();
    const company = await bench.company();
    const path = `/v1/companies/${company}/issues`;
    const one = await bench.post(path, { title: 'Fix login', priority: 'high', context: { repo: 'x' } });
    expect(one.status).toBe(201);
    expect(one.body).toMatchObject({ identifier: 'ACME-1', state: 'idle', priority: 'high', version: 1 });
    const issues = Array.from({ length: 1000 }, (_, n) => ({ title: `t${n}`, context: { n } }));
    const bulk = await bench.post(`${path}/bulk`, { issues });
    expect(bulk.body.items).toHaveLength(1000);
    expect((await bench.post(`${path}/bulk`, { issues: [...issues, { title: 'x' }] })).body.code).toBe(
      'VALIDATION',
    );
    const missing = [{ title: 'a' }, { title: 'b', assigneeAgentId: 'a7f3000000000000' }];
    expect((await bench.post(`${path}/bulk`, { issues: missing })).body.code).toBe('NOT_FOUND');
    expect((await bench.get(`${path}?limit=500&q=fix`)).body.items).toHaveLength(1);
  });

  it('are found by id and by identifier', async () => {
    const bench = await start();
    const company = await bench.company();
    const id = await bench.issue(company);
    const byId = await bench.get(`/v1/issues/${id}`);
    expect(byId.body.identifier).toBe('ACME-1');
    expect((await bench.get(`/v1/companies/${company}/issues/ACME-1`)).body).toEqual(byId.body);
    for (const wrong of ['ACME-2', 'OTH-1', 'acme-1', 'ACME-01', 'ACME-']) {
      expect((await bench.get(`/v1/companies/${company}/issues/${wrong}`)).body.code).toBe('NOT_FOUND');
    }
  });

  it('are filtered by state, substate, assignee, priority, attempt and text, and paged', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    await bench.issue(company, { title: 'Idle one', priority: 'low' });
    for (let n = 0; n < 3; n++) await bench.issue(company, { title: `Work ${n}`, assigneeAgentId: agent });
    await bench.grant(company, agent);
    const count = async (query: string) =>
      (await bench.get(`/v1/companies/${company}/issues?${query}`)).body.items.length;
    expect(await count('state=idle')).toBe(1);
    expect(await count('state=running')).toBe(3);
    expect(await count('state=running.queued')).toBe(2);
    expect(await count('state=running.executing,idle')).toBe(2);
    expect(await count('state=idle&state=done')).toBe(1);
    expect(await count(`assignee=${agent}`)).toBe(3);
    expect(await count('priority=low,critical')).toBe(1);
    expect(await count('minAttempt=1')).toBe(0);
    expect(await count('q=work')).toBe(3);
    const first = (await bench.get(`/v1/companies/${company}/issues?limit=1&state=running.queued`)).body;
    expect(first.items[0].title).toBe('Work 1');
    const next = `limit=1&state=running.queued&cursor=${first.nextCursor}`;
    const second = (await bench.get(`/v1/companies/${company}/issues?${next}`)).body;
    expect([second.items[0].title, second.nextCursor]).toEqual(['Work 2', null]);
  });

  it('are indexed by the same filters: which there are, as of which seq, without the issues', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const first = await bench.issue(company, { title: 'Idle one', priority: 'low' });
    const second = await bench.issue(company, { title: 'Work', assigneeAgentId: agent });
    const path = `/v1/companies/${company}/issues`;
    const all = (await bench.get(`${path}/index`)).body;
    expect(all).toMatchObject({ numbers: [1, 2], ids: [first, second], dues: [null, null], more: false });
    expect(all.seq).toBeGreaterThan(0);
    expect((await bench.get(`${path}/index?state=running.queued`)).body.numbers).toEqual([2]);
    expect((await bench.get(`${path}/index?q=idle&priority=low`)).body.numbers).toEqual([1]);
    expect((await bench.get(`${path}?after=1`)).body.items.map((item: { id: string }) => item.id)).toEqual([
      second,
    ]);
    for (const wrong of ['index?limit=5', 'index?after=1', `?after=1&cursor=x`, '?after=-1']) {
      const answer = await bench.get(`${path}${wrong.startsWith('?') ? wrong : `/${wrong}`}`);
      expect(answer.body.code).toBe('VALIDATION');
    }
  });

  it('refuse a filter that does not exist, a limit out of range and a made-up cursor', async () => {
    const bench = await start();
    const path = `/v1/companies/${await bench.company()}/issues`;
    for (const query of [
      'colour=red',
      'state=asleep',
      'limit=0',
      'limit=501',
      'cursor=AAAA',
      'q=%00',
      'minAttempt=x',
    ]) {
      expect((await bench.get(`${path}?${query}`)).body.code, query).toBe('VALIDATION');
    }
  });

  it('take a number in a query as plain decimal digits and in no other notation', async () => {
    const bench = await start();
    const company = await bench.company();
    const issues = `/v1/companies/${company}/issues`;
    const journal = `/v1/issues/${await bench.issue(company)}/journal`;
    for (const wrong of ['1e2', '%205', '5%20', '%2B5', '0x10', '5.0', '']) {
      for (const query of [
        `${issues}?limit=`,
        `${issues}?minAttempt=`,
        `${issues}?after=`,
        `${journal}?after=`,
      ]) {
        const answer = await bench.get(`${query}${wrong}`);
        expect([answer.status, answer.body.code], `${query}${wrong}`).toEqual([400, 'VALIDATION']);
      }
    }
    expect((await bench.get(`${issues}?limit=5&minAttempt=0&after=0`)).body.items).toHaveLength(1);
    const said = (await bench.get(`${issues}?limit=1e2`)).body.detail;
    expect(said).toBe('limit: must be a whole number in decimal digits');
    const { parameters } = (await bench.get('/openapi.json')).body.paths['/v1/companies/{companyId}/issues']
      .get;
    const limit = parameters.find((parameter: { name: string }) => parameter.name === 'limit');
    expect(limit).toMatchObject({
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
    });
  });

  it('take events, once per idempotency key, and only at the version one expects', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const id = await bench.issue(company);
    const path = `/v1/issues/${id}/events`;
    const ask = { headers: { 'idempotency-key': 'e1' } };
    const sent = await bench.post(path, { type: 'ASSIGN', agentId: agent }, ask);
    expect(sent.body).toMatchObject({ version: 2, duplicate: false, unchanged: false });
    expect(sent.body.issue).toMatchObject({ assigneeAgentId: agent, state: 'running' });
    const again = await bench.post(path, { type: 'ASSIGN', agentId: agent }, ask);
    expect(again.body).toMatchObject({ version: 2, duplicate: true });
    const same = await bench.post(path, { type: 'ASSIGN', agentId: agent });
    expect(same.body).toMatchObject({ version: 2, unchanged: true });
    const late = await bench.post(path, { type: 'CANCEL', expectedVersion: 1 });
    expect([late.status, late.body.code, late.body.version]).toEqual([409, 'CONFLICT', 2]);
    const wrong = await bench.post(path, { type: 'RETRY.CANCEL' });
    expect([wrong.status, wrong.body.code]).toEqual([409, 'NOT_ALLOWED']);
    expect(wrong.body).toMatchObject({ state: 'running', substate: 'queued' });
    expect(wrong.body.allowed).toContain('CANCEL');
    expect(wrong.body.hint).toBeTypeOf('string');
  });

  it('take no event from inside, none of XState’s, none with unknown fields', async () => {
    const bench = await start();
    const id = await bench.issue(await bench.company());
    for (const body of [
      { type: 'GRANT', claim: 'x' },
      { type: 'xstate.stop' },
      { type: 'CANCEL', stamp: {} },
      { type: 'CANCEL', by: { kind: 'system', id: 'x' } },
      {},
      [],
      null,
    ]) {
      const refused = await bench.post(`/v1/issues/${id}/events`, body);
      expect([refused.status, refused.body.code], JSON.stringify(body)).toEqual([400, 'VALIDATION']);
    }
    expect((await bench.get(`/v1/issues/${id}`)).body.version).toBe(1);
  });

  it('are changed by PATCH in both or in neither, whichever of the two is refused', async () => {
    const bench = await start();
    const id = await bench.issue(await bench.company());
    const path = `/v1/issues/${id}`;
    await bench.post(`${path}/events`, { type: 'CANCEL' });
    const before = (await bench.get(path)).body;
    const both = { title: 'changed', context: { a: 1 }, priority: 'high' };
    const refused = await bench.ask('PATCH', path, { body: both });
    expect([refused.status, refused.body.code]).toEqual([409, 'NOT_ALLOWED']);
    expect(refused.body.allowed).toContain('REOPEN');
    const stale = await bench.ask('PATCH', path, {
      body: { ...both, priority: 'medium', expectedVersion: 1 },
    });
    expect([stale.body.code, stale.body.version]).toEqual(['CONFLICT', before.version]);
    expect((await bench.get(path)).body).toEqual(before);
    // A priority that it has already is no change, and so none that is refused.
    const same = await bench.ask('PATCH', path, { body: { ...both, priority: 'medium' } });
    expect(same.body).toMatchObject({ version: before.version + 1, unchanged: false });
    expect(same.body.issue).toMatchObject({ title: 'changed', priority: 'medium', state: 'cancelled' });
  });

  it('are changed by a PATCH once per key, whatever the keys have in common', async () => {
    const bench = await start();
    const id = await bench.issue(await bench.company());
    const patch = async (key: string, priority: string) => {
      const body = { title: `as ${priority}`, priority };
      const answer = await bench.ask('PATCH', `/v1/issues/${id}`, {
        body,
        headers: { 'idempotency-key': key },
      });
      return [
        answer.body.version,
        answer.body.duplicate,
        answer.body.issue.priority,
        answer.body.issue.title,
      ];
    };
    const long = 'k'.repeat(127);
    expect(await patch(`${long}1`, 'critical')).toEqual([3, false, 'critical', 'as critical']);
    expect(await patch(`${long}2`, 'high')).toEqual([5, false, 'high', 'as high']);
    expect(await patch('q', 'low')).toEqual([7, false, 'low', 'as low']);
    expect(await patch('q:priority', 'medium')).toEqual([9, false, 'medium', 'as medium']);
    expect(await patch(`${long}1`, 'critical')).toEqual([3, true, 'medium', 'as medium']);
    expect((await bench.get(`/v1/issues/${id}`)).body.version).toBe(9);
  });

  it('are changed by PATCH as EDIT and PRIORITY, and tell it in their journal', async () => {
    const bench = await start();
    const id = await bench.issue(await bench.company());
    const changed = await bench.ask('PATCH', `/v1/issues/${id}`, {
      body: { title: 'New', priority: 'critical' },
    });
    expect(changed.body.issue).toMatchObject({ title: 'New', priority: 'critical', version: 3 });
    expect((await bench.ask('PATCH', `/v1/issues/${id}`, { body: {} })).body.code).toBe('VALIDATION');
    const journal = (await bench.get(`/v1/issues/${id}/journal`)).body.items;
    expect(journal.map((change: { type: string }) => change.type)).toEqual(['CREATED', 'PRIORITY', 'EDIT']);
    expect(journal[0].stamp).toBeDefined();
    const later = (await bench.get(`/v1/issues/${id}/journal?after=1&limit=1`)).body;
    expect(later.items[0].version).toBe(2);
    const last = (await bench.get(`/v1/issues/${id}/journal?cursor=${later.nextCursor}`)).body;
    expect(last.items.map((change: { version: number }) => change.version)).toEqual([3]);
  });

  it('show stamps in their journal to operators only', async () => {
    const bench = await start();
    const company = await bench.company();
    const id = await bench.issue(company);
    const { token } = await bench.key(company, 'viewer');
    expect((await bench.get(`/v1/issues/${id}/journal`, { token })).body.items[0].stamp).toBeUndefined();
  });
});

describe('comments', () => {
  it('are written, answered with the comment, and listed oldest first', async () => {
    const bench = await start();
    const id = await bench.issue(await bench.company());
    const path = `/v1/issues/${id}/comments`;
    const ask = { headers: { 'idempotency-key': 'c' } };
    const made = await bench.post(path, { body: 'Look here' }, ask);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ comment: { body: 'Look here' }, issue: { id }, version: 2 });
    const again = await bench.post(path, { body: 'Look here' }, ask);
    expect(again.body).toMatchObject({ comment: made.body.comment, duplicate: true, version: 2 });
    await bench.post(path, { body: 'And here' });
    const first = (await bench.get(`${path}?limit=1`)).body;
    const rest = (await bench.get(`${path}?cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...rest.items].map((c) => c.body).sort()).toEqual(['And here', 'Look here']);
    expect((await bench.post(path, { body: '' })).body.code).toBe('VALIDATION');
    expect((await bench.post(path, { body: 'x'.repeat(16 * 1024 + 1) })).body.code).toBe('VALIDATION');
  });
});

describe('runs', () => {
  async function executing() {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const issue = await bench.issue(company, { assigneeAgentId: agent });
    const { token } = await bench.key(company, 'agent', agent);
    const claimed = await bench.post(`/v1/agents/${agent}/claim`, {}, { token });
    expect(claimed.status).toBe(200);
    const [grant] = claimed.body.grants;
    return {
      bench,
      company,
      agent,
      issue,
      token,
      grant,
      run: `/v1/runs/${grant.run.id}`,
      fence: grant.fence,
    };
  }

  it('are claimed, heartbeaten and succeed, and are read live and ended', async () => {
    const { bench, issue, token, grant, run, fence, company } = await executing();
    expect((await bench.post(`${run}/heartbeat`, { fence, progress: 0.5 }, { token })).status).toBe(200);
    expect((await bench.get(run)).body).toMatchObject({ id: grant.run.id, status: 'running' });
    expect((await bench.get(`/v1/companies/${company}/runs?status=running`)).body.items).toHaveLength(1);
    const done = await bench.post(`${run}/succeed`, { fence, result: { ok: true } }, { token });
    expect(done.body.issue.state).toBe('done');
    expect((await bench.get(run)).body).toMatchObject({ status: 'succeeded', resultJson: { ok: true } });
    expect((await bench.get(`/v1/issues/${issue}/runs`)).body.items).toHaveLength(1);
    expect((await bench.get(`/v1/companies/${company}/runs?status=succeeded`)).body.items).toHaveLength(1);
    expect((await bench.get(`/v1/companies/${company}/runs?status=failed`)).body.items).toEqual([]);
  });

  it('that failed transiently are followed by the retry’s, oldest first, whatever the page size', async () => {
    const { bench, issue, run, fence, token, company } = await executing();
    const failure = { fence, error: '429', errorFamily: 'transient_upstream' };
    const failed = await bench.post(`${run}/fail`, failure, { token });
    expect(failed.body.issue).toMatchObject({ state: 'scheduled-retry', attempt: 1 });
    for (const limit of [1, 2, 50]) {
      for (const path of [`/v1/issues/${issue}/runs`, `/v1/companies/${company}/runs`]) {
        const statuses: string[] = [];
        let cursor = '';
        do {
          const page = (await bench.get(`${path}?limit=${limit}${cursor}`)).body;
          statuses.push(...page.items.map((each: { status: string }) => each.status));
          cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
        } while (cursor !== '');
        const expected = ['failed', 'scheduled_retry'];
        expect(path.includes('issues') ? statuses : statuses.reverse(), `${path} ${limit}`).toEqual(expected);
      }
    }
    expect((await bench.get(`/v1/companies/${company}/runs?status=scheduled_retry`)).body.items).toHaveLength(
      1,
    );
  });

  it('with a fence that is not the one in force are refused and told the holder, and nothing that is not so', async () => {
    const { bench, token, run, fence } = await executing();
    for (const other of [fence - 1, fence + 1]) {
      const { status, body } = await bench.post(`${run}/succeed`, { fence: other }, { token });
      expect([status, body.code]).toEqual([409, 'FENCED']);
      expect(body.title).toBe('The run or its fence is not the one in force');
      expect(body.holder).toMatchObject({ mode: 'executing', fence });
    }
    expect((await bench.post(`${run}/succeed`, {}, { token })).body.errors[0].path).toBe('fence');
  });

  it('take log lines from whoever holds the fence, and from nobody else', async () => {
    const { bench, company, token, run, fence } = await executing();
    const lines = [1, 2, 3].map((n) => ({ at: n, stream: 'stdout', text: `line ${n}` }));
    expect((await bench.post(`${run}/log`, { fence, lines }, { token })).body.appended).toBe(3);
    const first = (await bench.get(`${run}/log?limit=2`)).body;
    expect(first.items.map((line: { offset: number }) => line.offset)).toEqual([1, 2]);
    expect((await bench.get(`${run}/log?after=2`)).body.items[0].text).toBe('line 3');
    expect((await bench.get(`${run}/log?cursor=${first.nextCursor}`)).body.items).toHaveLength(1);
    expect((await bench.post(`${run}/log`, { fence: fence + 1, lines }, { token })).body.code).toBe('FENCED');
    const other = await bench.key(company, 'agent', await bench.agent(company));
    expect((await bench.post(`${run}/log`, { fence, lines }, { token: other.token })).body.code).toBe(
      'FORBIDDEN',
    );
    expect((await bench.post(`${run}/log`, { fence, lines: [{ text: 'x' }] }, { token })).body.code).toBe(
      'VALIDATION',
    );
    const many = Array.from({ length: 1000 }, (_, n) => ({ at: n, stream: 'stderr', text: 'x' }));
    expect((await bench.post(`${run}/log`, { fence, lines: many }, { token })).status).toBe(200);
  });

  it('take log lines once per idempotency key of whoever sends them', async () => {
    const { bench, run, fence, token } = await executing();
    const lines = [{ at: 1, stream: 'stdout', text: 'once' }];
    const log = async (key: string, as: object) =>
      (await bench.post(`${run}/log`, { fence, lines }, { ...as, headers: { 'idempotency-key': key } })).body;
    expect(await log('k', { token })).toEqual({ appended: 1, duplicate: false });
    expect(await log('k', { token })).toEqual({ appended: 0, duplicate: true });
    expect(await log('k2', { token })).toEqual({ appended: 1, duplicate: false });
    expect(await log('k', {})).toEqual({ appended: 1, duplicate: false });
    expect((await bench.get(`${run}/log`)).body.items).toHaveLength(3);
    expect((await log('k'.repeat(129), { token })).code).toBe('VALIDATION');
  });

  it('may still log when their issue was completed and they were left to finish', async () => {
    const { bench, issue, token, run, fence } = await executing();
    await bench.post(`/v1/issues/${issue}/events`, { type: 'COMPLETE' });
    const lines = [{ at: 1, stream: 'stdout', text: 'nearly' }];
    expect((await bench.post(`${run}/log`, { fence, lines }, { token })).status).toBe(200);
    expect((await bench.get(run)).body.status).toBe('running');
  });

  it('that do not exist are NOT_FOUND, their logs too', async () => {
    const { bench, issue } = await executing();
    for (const path of [
      `/v1/runs/${issue}.9`,
      `/v1/runs/${issue}`,
      '/v1/runs/x',
      `/v1/runs/${issue}.9/log`,
    ]) {
      expect((await bench.get(path)).body.code, path).toBe('NOT_FOUND');
    }
  });
});

describe('a claim', () => {
  it('waits for work and is answered with the first grant', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const waiting = bench.post(`/v1/agents/${agent}/claim`, { waitMs: 5000 });
    await until(() => bench.router.waitingClaims === 1);
    await bench.post(`/v1/companies/${company}/issues`, { title: 'x', assigneeAgentId: agent });
    expect((await waiting).body.grants[0].issue.substate).toBe('executing');
  });

  it('repeated with its idempotency key returns what it was granted; a claimId of its own goes before', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company, { maxConcurrentRuns: 3 });
    for (let n = 0; n < 3; n++) await bench.issue(company, { assigneeAgentId: agent });
    const claim = async (key: string, body: object = {}) =>
      (await bench.post(`/v1/agents/${agent}/claim`, body, { headers: { 'idempotency-key': key } })).body;
    const first = await claim('mine');
    expect(first.grants).toHaveLength(1);
    expect((await claim('mine')).grants[0].run.id).toBe(first.grants[0].run.id);
    const named = await claim('mine', { claimId: 'other' });
    expect(named.grants[0].run.id).not.toBe(first.grants[0].run.id);
    expect((await claim('other')).grants[0].run.id).toBe(named.grants[0].run.id);
    for (const wrong of ['k'.repeat(129), '']) expect((await claim(wrong)).code, wrong).toBe('VALIDATION');
  });

  it('is empty after its wait, and repeated with its claimId returns what it was granted', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const path = `/v1/agents/${agent}/claim`;
    expect((await bench.post(path, { waitMs: 30 })).body).toEqual({ grants: [] });
    await bench.issue(company, { assigneeAgentId: agent });
    const first = await bench.post(path, { claimId: 'mine' });
    const again = await bench.post(path, { claimId: 'mine' });
    expect(again.body.grants[0].run.id).toBe(first.body.grants[0].run.id);
    // More than an agent may ever hold is no mistake: it is given what there is.
    expect((await bench.post(path, { max: 1000 })).body).toEqual({ grants: [] });
    for (const wrong of [{ waitMs: 50_001 }, { max: 0 }, { max: 1001 }]) {
      expect((await bench.post(path, wrong)).body.code).toBe('VALIDATION');
    }
  });

  it('is withdrawn when its connection closes', async () => {
    const bench = await start();
    const agent = await bench.agent(await bench.company());
    const controller = new AbortController();
    const url = `${bench.gateway.url}/v1/agents/${agent}/claim`;
    const headers = {
      authorization: 'Bearer the-server-token-of-the-tests-0123456789',
      'content-type': 'application/json',
    };
    const asked = fetch(url, {
      method: 'POST',
      headers,
      body: '{"waitMs":50000}',
      signal: controller.signal,
    });
    await until(() => bench.router.waitingClaims === 1);
    controller.abort();
    await expect(asked).rejects.toThrow();
    await until(() => bench.router.waitingClaims === 0);
  });

  it('still waiting when the server stops is answered empty, and told that its connection ends', async () => {
    const bench = await start();
    const agent = await bench.agent(await bench.company());
    const headers = { connection: 'keep-alive' };
    const waiting = bench.post(`/v1/agents/${agent}/claim`, { waitMs: 50_000 }, { headers });
    await until(() => bench.router.waitingClaims === 1);
    await bench.gateway.stop();
    const answer = await waiting;
    expect([answer.body, answer.headers.connection]).toEqual([{ grants: [] }, 'close']);
  });
});
