/** An issue at one of its versions: as it was, and what may be sent to it as it is. */
import { describe, expect, it } from 'vitest';
import { start } from './support/gateway.ts';

describe('a version of an issue', () => {
  it('is the change that made it, with state, lock and context as they were', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const issue = await bench.issue(company, { assigneeAgentId: agent, context: { repo: 'then' } });
    await bench.grant(company, agent);
    await bench.post(`/v1/issues/${issue}/events`, {
      type: 'EDIT',
      title: 'Renamed',
      context: { repo: 'now' },
    });
    await bench.post(`/v1/issues/${issue}/events`, { type: 'CANCEL' });
    const at = async (version: number | string) => bench.get(`/v1/issues/${issue}/versions/${version}`);
    const [first, second, third] = [(await at(1)).body, (await at(2)).body, (await at(4)).body];
    expect(first).toMatchObject({ type: 'CREATED', from: null, to: 'running.queued', version: 1 });
    expect(first.issue).toMatchObject({ lock: { mode: 'reserved' }, context: { repo: 'then' }, version: 1 });
    expect(second).toMatchObject({ type: 'GRANT', to: 'running.executing' });
    expect(second.issue).toMatchObject({ title: 'Fix login', lock: { mode: 'executing', agentId: agent } });
    expect(third.issue).toMatchObject({ state: 'cancelled', lock: null, context: { repo: 'now' } });
  });

  it('that never was is missing, however it is written', async () => {
    const bench = await start();
    const issue = await bench.issue(await bench.company());
    for (const version of ['2', '0', '-1', '1.5', 'x', '01', '99999999999999999999']) {
      expect((await bench.get(`/v1/issues/${issue}/versions/${version}`)).body.code).toBe('NOT_FOUND');
    }
  });

  it('shows stamps to operators only, and nothing to another company', async () => {
    const bench = await start();
    const company = await bench.company();
    const issue = await bench.issue(company);
    const path = `/v1/issues/${issue}/versions/1`;
    expect((await bench.get(path)).body.stamp).toBeDefined();
    const viewer = await bench.key(company, 'viewer');
    expect((await bench.get(path, { token: viewer.token })).body.stamp).toBeUndefined();
    const stranger = await bench.key(await bench.company('OTHER'), 'operator');
    for (const of of [path, `/v1/issues/${issue}/allowed`]) {
      expect((await bench.get(of, { token: stranger.token })).body.code).toBe('NOT_FOUND');
    }
  });
});

describe('what an issue allows', () => {
  it('is what would be accepted: each is, and what is not listed is refused or changes nothing', async () => {
    const bench = await start();
    const company = await bench.company();
    const agents = [await bench.agent(company), await bench.agent(company)];
    const stages = [
      async () => bench.issue(company),
      async () => bench.issue(company, { assigneeAgentId: agents[0] }),
      async () => {
        const issue = await bench.issue(company);
        await bench.post(`/v1/issues/${issue}/events`, { type: 'CANCEL' });
        return issue;
      },
    ];
    const verbs = [
      { type: 'CANCEL' },
      { type: 'COMPLETE' },
      { type: 'REOPEN' },
      { type: 'RETRY.NOW' },
      { type: 'RETRY.CANCEL' },
      { type: 'FORCE_RELEASE' },
      { type: 'ASSIGN', agentId: agents[1] },
      { type: 'PRIORITY', priority: 'critical' },
    ];
    for (const stage of stages) {
      for (const verb of verbs) {
        const issue = await stage();
        const { body } = await bench.get(`/v1/issues/${issue}/allowed`);
        const answer = await bench.post(`/v1/issues/${issue}/events`, verb);
        const changed = answer.status === 200 && !answer.body.unchanged;
        expect([verb.type, body.allowed.includes(verb.type)]).toEqual([verb.type, changed]);
        expect(body.version).toBeGreaterThan(0);
      }
    }
  });

  it('is nothing for a viewer, and for an agent only what agents may send', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const issue = await bench.issue(company, { assigneeAgentId: agent });
    await bench.grant(company, agent);
    const path = `/v1/issues/${issue}/allowed`;
    const viewer = await bench.key(company, 'viewer');
    expect((await bench.get(path, { token: viewer.token })).body.allowed).toEqual([]);
    const key = await bench.key(company, 'agent', agent);
    const { allowed } = (await bench.get(path, { token: key.token })).body;
    expect(allowed).toContain('RUN.SUCCEEDED');
    expect(allowed).not.toContain('CANCEL');
  });
});
