/** `GET /inspect/ws`: the objects of Stately's inspection protocol, who may read them, and what they cost. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { chartOf } from '../../src/machines/chart.ts';
import { issueMachine } from '../../src/machines/issue-machine.ts';
import { ensureBuilt } from '../support/built.ts';
import { type Bench, TOKEN } from './support/bench.ts';
import { start } from './support/gateway.ts';
import { Client, type Frame, until } from './support/ws-client.ts';

beforeAll(ensureBuilt, 120_000);

const BEARER = { authorization: `Bearer ${TOKEN}` };

function inspect(bench: Bench, query = '', headers: Record<string, string> = BEARER): Client {
  return new Client(`ws://127.0.0.1:${bench.gateway.port}/inspect/ws${query}`, { protocol: null, headers });
}
const of = (type: string) => (frame: Frame) => frame.type === type;
const send = (bench: Bench, issue: string, event: object) => bench.post(`/v1/issues/${issue}/events`, event);

describe('who inspects', () => {
  it('is shown the live issues first, then each event and the snapshot after it', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const issue = await bench.issue(company, { assigneeAgentId: agent, title: 'Fix login' });
    const client = inspect(bench);
    const actor = await client.next(of('@xstate.actor'));
    const { createdAt } = (await bench.get(`/v1/issues/${issue}`)).body;
    expect(actor).toMatchObject({
      _version: '0.7.2',
      id: null,
      sessionId: issue,
      rootId: issue,
      name: 'ACME-1',
      createdAt: String(createdAt),
      version: 1,
      snapshot: {
        status: 'active',
        value: { running: 'queued' },
        context: { title: 'Fix login', lock: { mode: 'reserved' } },
        children: {},
        historyValue: {},
        tags: [],
      },
    });
    const read = createMachine(JSON.parse(actor.definition));
    expect(chartOf(read, {})).toEqual(chartOf(issueMachine, {}));

    await send(bench, issue, { type: 'CANCEL', reason: 'enough' });
    const event = await client.next(of('@xstate.event'));
    const snapshot = await client.next(of('@xstate.snapshot'));
    expect(event).toMatchObject({
      sessionId: issue,
      rootId: issue,
      version: 2,
      event: { type: 'CANCEL', reason: 'enough' },
    });
    expect(snapshot).toMatchObject({
      sessionId: issue,
      event: event.event,
      seq: event.seq,
      version: 2,
      snapshot: { value: 'cancelled' },
    });
    expect(client.frames.map(({ type }) => type)).toEqual([
      '@xstate.actor',
      '@xstate.event',
      '@xstate.snapshot',
    ]);
  });

  it('is sent the definition once, and every actor before anything is told of it', async () => {
    const bench = await start();
    const company = await bench.company();
    for (let n = 0; n < 3; n++) await bench.issue(company);
    const closed = await bench.issue(company);
    await send(bench, closed, { type: 'CANCEL' });
    const client = inspect(bench);
    await until(() => client.frames.length === 3);
    const born = await bench.issue(company);
    await send(bench, closed, { type: 'REOPEN' });
    await client.next((frame) => frame.type === '@xstate.snapshot' && frame.sessionId === closed);
    const later = client.frames.slice(3).map((frame) => [frame.type, frame.sessionId]);
    expect(later).toEqual(
      [born, closed].flatMap((id) => [
        ['@xstate.actor', id],
        ['@xstate.event', id],
        ['@xstate.snapshot', id],
      ]),
    );
    expect(client.frames.filter((frame) => frame.definition !== undefined)).toHaveLength(1);
    expect(client.frames[0].definition).toBeDefined();
  });

  it('comes late and is complete all the same: ids and numbers are the journal’s', async () => {
    const bench = await start();
    const issue = await bench.issue(await bench.company());
    const early = inspect(bench);
    await early.next(of('@xstate.actor'));
    await send(bench, issue, { type: 'EDIT', title: 'Renamed' });
    const seen = await early.next(of('@xstate.snapshot'));
    const late = await inspect(bench).next(of('@xstate.actor'));
    expect(late).toMatchObject({ sessionId: issue, version: seen.version, snapshot: seen.snapshot });
    expect(late.definition).toBeDefined();
  });

  it('sees one issue, ended or not, or one company, where that is asked for', async () => {
    const bench = await start();
    const [acme, other] = [await bench.company(), await bench.company('OTHER')];
    const issue = await bench.issue(acme);
    await send(bench, issue, { type: 'CANCEL' });
    const noise = await bench.issue(acme);
    const far = await bench.issue(other);
    const one = inspect(bench, `?issue=${issue}`);
    expect(await one.next(of('@xstate.actor'))).toMatchObject({
      sessionId: issue,
      snapshot: { value: 'cancelled' },
    });
    const company = inspect(bench, `?company=${other}`);
    await company.next(of('@xstate.actor'));
    for (const id of [noise, far, issue]) await send(bench, id, { type: 'EDIT', title: 'x' });
    await one.next(of('@xstate.snapshot'));
    await company.next(of('@xstate.snapshot'));
    expect(new Set(one.frames.map(({ sessionId }) => sessionId))).toEqual(new Set([issue]));
    expect(new Set(company.frames.map(({ sessionId }) => sessionId))).toEqual(new Set([far]));
  });

  it('with the server’s own token sees every company, those to come too', async () => {
    const bench = await start();
    const first = await bench.issue(await bench.company());
    const client = inspect(bench);
    await client.next((frame) => frame.sessionId === first);
    const second = await bench.issue(await bench.company('LATER'));
    expect(await client.next((frame) => frame.sessionId === second)).toMatchObject({ type: '@xstate.actor' });
  });
});

describe('the page that shows the Stately editor', () => {
  it('is the only one that may frame something: that origin, and no other', async () => {
    const bench = await start({ statelyUrl: 'https://editor.example:8443/inspect?x=1' });
    const html = { accept: 'text/html' };
    const policy = async (path: string) =>
      (await bench.get(path, { headers: html })).headers['content-security-policy'];
    expect(await policy('/inspect/stately')).toBe(
      "default-src 'self';frame-ancestors 'none';frame-src https://editor.example:8443",
    );
    for (const path of ['/', '/inspect', '/issues/x', '/machine']) {
      expect(await policy(path), path).toBe("default-src 'self';frame-ancestors 'none'");
    }
    expect((await bench.get('/inspect/settings')).body).toEqual({
      statelyUrl: 'https://editor.example:8443/inspect?x=1',
    });
  });
});

describe('an inspecting connection', () => {
  it('is opened by what the upgrade carried, by hello, or by local mode – and by nothing else', async () => {
    const bench = await start();
    const issue = await bench.issue(await bench.company());
    const hello = inspect(bench, '', {});
    hello.send({ t: 'hello', token: TOKEN });
    expect(await hello.next(of('@xstate.actor'))).toMatchObject({ sessionId: issue });
    expect(await inspect(bench, '', { authorization: 'Bearer wrong' }).ended).toBe(4401);
    const wrong = inspect(bench, '', {});
    wrong.send({ t: 'hello', token: 'wrong' });
    expect(await wrong.ended).toBe(4401);
    const noise = inspect(bench);
    noise.send({ t: 'sub', id: 's1', topic: 'company:x' });
    expect(await noise.ended).toBe(4400);
    const local = await start({ localMode: true });
    const here = await local.issue(await local.company());
    expect(await inspect(local, '', {}).next(of('@xstate.actor'))).toMatchObject({ sessionId: here });
  });

  it('is refused to a foreign Origin or Host before the upgrade', async () => {
    const bench = await start({ localMode: true });
    for (const headers of [{ origin: 'https://evil.example' }, { host: 'rebound.example' }]) {
      const client = inspect(bench, '', headers);
      await expect(client.opened).rejects.toThrow('403');
    }
  });

  it('is for operators and viewers, and shows nothing of another company', async () => {
    const bench = await start();
    const [acme, other] = [await bench.company(), await bench.company('OTHER')];
    const own = await bench.issue(acme);
    const foreign = await bench.issue(other);
    const agent = await bench.agent(acme);
    const key = async (role: 'operator' | 'viewer' | 'agent') => ({
      authorization: `Bearer ${(await bench.key(acme, role, role === 'agent' ? agent : null)).token}`,
    });
    expect(await inspect(bench, '', await key('agent')).ended).toBe(4403);
    for (const query of [
      `?issue=${foreign}`,
      '?issue=nonsense',
      `?company=${other}`,
      `?company=${acme}&issue=${foreign}`,
    ]) {
      expect(await inspect(bench, query, await key('operator')).ended).toBe(4404);
    }
    const viewer = inspect(bench, '', await key('viewer'));
    await viewer.next(of('@xstate.actor'));
    await send(bench, foreign, { type: 'CANCEL' });
    await send(bench, own, { type: 'CANCEL' });
    await viewer.next(of('@xstate.snapshot'));
    expect(new Set(viewer.frames.map(({ sessionId }) => sessionId))).toEqual(new Set([own]));
  });

  it('shows no claim and no stamp to anybody, and viewers neither context nor result', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const issue = await bench.issue(company, { assigneeAgentId: agent, context: { secret: 'alpha' } });
    await send(bench, issue, { type: 'WAKE', reason: 'look', payload: { context: 'beta' } });
    const { token } = await bench.key(company, 'viewer');
    const viewer = inspect(bench, `?issue=${issue}`, { authorization: `Bearer ${token}` });
    const operator = inspect(bench, `?issue=${issue}`);
    for (const client of [viewer, operator]) await client.next(of('@xstate.actor'));
    const { run, fence } = await bench.grant(company, agent);
    await bench.post(`/v1/runs/${run.id}/succeed`, { fence, result: { text: 'gamma' } });
    for (const client of [viewer, operator])
      await client.next((frame) => frame.event?.type === 'RUN.SUCCEEDED');
    const [seen, all] = [JSON.stringify(viewer.frames), JSON.stringify(operator.frames)];
    for (const secret of ['alpha', 'beta', 'gamma']) expect(seen).not.toContain(secret);
    expect(seen).toContain('[redacted]');
    expect(all).toContain('alpha');
    for (const text of [seen, all]) expect(text).not.toMatch(/"(claim|stamp)"/);
  });

  it('ends when its key is revoked, and when the server stops', async () => {
    const bench = await start();
    const company = await bench.company();
    await bench.issue(company);
    const { id, token } = await bench.key(company, 'viewer');
    const client = inspect(bench, '', { authorization: `Bearer ${token}` });
    await client.next(of('@xstate.actor'));
    await bench.ask('DELETE', `/v1/keys/${id}`);
    expect(await client.ended).toBe(4401);
    const other = inspect(bench);
    await other.next(of('@xstate.actor'));
    await bench.gateway.stop();
    expect(await other.ended).toBe(1001);
  });

  it('costs nothing while nobody has one: nobody listens, and no object is made', async () => {
    const bench = await start();
    const company = await bench.company();
    const issue = await bench.issue(company);
    expect(bench.router.subscriptions).toBe(0);
    const client = inspect(bench);
    await client.next(of('@xstate.actor'));
    expect(bench.router.subscriptions).toBe(1);
    client.close();
    await until(() => bench.router.subscriptions === 0);
    await send(bench, issue, { type: 'CANCEL' });
    expect(client.frames).toHaveLength(1);
  });

  it('is no page: plain HTTP is told to upgrade', async () => {
    const bench = await start();
    expect((await bench.get('/inspect/ws')).status).toBe(426);
  });
});
