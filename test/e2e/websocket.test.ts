/** The live side of the protocol (section 6) over the whole server: claims, stops, subscriptions, resume. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView } from '../../src/machines/view.ts';
import { call, office, startServer, type TestServer } from '../support/server.ts';
import { type Frame, RawSocket } from '../support/socket.ts';

let server: TestServer;
const sockets: RawSocket[] = [];

beforeAll(async () => {
  server = await startServer({ 'stop-grace-ms': '600', 'lease-ms': '1500' });
});
afterAll(async () => {
  for (const socket of sockets) socket.cut();
  await server.stop();
});

async function open(token: string | null = null): Promise<RawSocket> {
  const socket = await RawSocket.open(server.url, token);
  sockets.push(socket);
  return socket;
}
async function agentSocket(companyId: string, agentId: string): Promise<RawSocket> {
  const key = await call<{ token: string }>(server, 'POST', `/companies/${companyId}/keys`, {
    role: 'agent',
    agentId,
  });
  return open(key.body.token);
}
const changesOf = (socket: RawSocket, sub: string) =>
  socket.frames.filter((f) => f.t === 'change' && f.sub === sub) as (Frame & {
    prev: number;
    change: { seq: number; version: number; type: string };
  })[];

describe('the counts of a company', () => {
  it('by state add up to its issues; where the running ones are stands apart', async () => {
    const o = await office(server, 'one');
    await o.issue(o.agents[0]);
    await o.issue(o.agents[0]);
    await o.issue();
    await call(server, 'POST', `/agents/${o.agents[0]}/claim`, {});
    const stats = (await call(server, 'GET', `/companies/${o.companyId}/stats`)).body;
    expect(stats.byState).toEqual({ idle: 1, running: 2, 'scheduled-retry': 0, cancelled: 0, done: 0 });
    expect(stats.bySubstate).toEqual({ 'running.queued': 1, 'running.executing': 1 });
  });
});

describe('a connection that sends hundreds of events at once', () => {
  it('and closes has all of them taken, and its neighbour is answered meanwhile', async () => {
    const o = await office(server, 'one');
    const [issue, other] = [await o.issue(), await o.issue()];
    const [flood, neighbour] = [await open(), await open()];
    for (let n = 0; n < 500; n++) {
      flood.send({
        t: 'event',
        id: `e${n}`,
        issueId: issue.id,
        event: { type: 'COMMENT', body: `${n}` },
      });
    }
    flood.close();
    const event = { type: 'PRIORITY', priority: 'high' };
    expect((await neighbour.ask({ t: 'event', id: 'mine', issueId: other.id, event })).t).toBe('ok');
    const comments = async () => {
      const path = `/issues/${issue.id}/comments?limit=500`;
      return (await call<{ items: { body: string }[] }>(server, 'GET', path)).body.items;
    };
    let seen = await comments();
    for (let n = 0; n < 200 && seen.length < 500; n++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      seen = await comments();
    }
    // Sorted: comments of one millisecond are listed in the order of their ids.
    const bodies = seen.map(({ body }) => Number(body)).sort((a, b) => a - b);
    expect(bodies).toEqual(Array.from({ length: 500 }, (_, n) => n));
  });
});

describe('a worker over WebSocket', () => {
  it('is granted an issue the moment it is created, and reports over the same socket', async () => {
    const o = await office(server, 'one');
    const worker = await agentSocket(o.companyId, o.agents[0]!);
    worker.send({ t: 'claim', id: 'c1', max: 1, waitMs: 10_000 });
    const issue = await o.issue(o.agents[0]);
    const { grants } = (await worker.next((f) => f.id === 'c1')) as unknown as { grants: GrantView[] };
    expect(grants[0]).toMatchObject({
      issue: { id: issue.id, state: 'running', substate: 'executing' },
      leaseMs: 1500,
    });
    const { run, fence } = grants[0]!;
    const done = await worker.ask({
      t: 'event',
      id: 'e1',
      issueId: issue.id,
      event: { type: 'RUN.SUCCEEDED', runId: run.id, fence },
    });
    expect(done).toMatchObject({
      t: 'ok',
      duplicate: false,
      unchanged: false,
      issue: { state: 'done', lock: null },
    });
  });

  it('is told to stop when its issue is given to another, and the successor starts when it has stopped', async () => {
    const o = await office(server, 'one', 'two');
    const first = await agentSocket(o.companyId, o.agents[0]!);
    const second = await agentSocket(o.companyId, o.agents[1]!);
    const issue = await o.issue(o.agents[0]);
    const claimed = (await first.ask({ t: 'claim', id: 'c', max: 1, waitMs: 5000 })) as unknown as {
      grants: GrantView[];
    };
    const { run, fence } = claimed.grants[0]!;
    second.send({ t: 'claim', id: 'c', max: 1, waitMs: 5000 });
    await o.send(issue.id, { type: 'ASSIGN', agentId: o.agents[1] });
    const stop = await first.next((f) => f.t === 'stop');
    expect(stop).toMatchObject({ runId: run.id, fence, cause: 'issue_reassigned', graceMs: 600 });
    expect(await o.get(issue.id)).toMatchObject({ substate: 'stopping', detached: { runId: run.id } });
    const late = await first.ask({
      t: 'event',
      id: 'late',
      issueId: issue.id,
      event: { type: 'RUN.HEARTBEAT', runId: run.id, fence },
    });
    expect(late).toMatchObject({ t: 'error', code: 'FENCED', retryable: false });
    await first.ask({
      t: 'event',
      id: 's',
      issueId: issue.id,
      event: { type: 'RUN.STOPPED', runId: run.id, fence },
    });
    const granted = (await second.next((f) => f.id === 'c')) as unknown as { grants: GrantView[] };
    expect(granted.grants[0]).toMatchObject({ issue: { id: issue.id, detached: null } });
  });

  it('that stays silent is given up after the grace', async () => {
    const o = await office(server, 'one', 'two');
    const issue = await o.issue(o.agents[0]);
    await o.claim(o.agents[0]!);
    await o.send(issue.id, { type: 'ASSIGN', agentId: o.agents[1] });
    const grant = await o.claim(o.agents[1]!, 3000);
    expect(grant?.issue.id).toBe(issue.id);
    expect((await o.journal(issue.id)).map((e) => e.type)).toContain('STOPPED');
  });

  it('is told again at its hello what it must stop', async () => {
    const o = await office(server, 'one');
    const first = await agentSocket(o.companyId, o.agents[0]!);
    const issue = await o.issue(o.agents[0]);
    await first.ask({ t: 'claim', id: 'c', max: 1, waitMs: 5000 });
    first.cut();
    await o.send(issue.id, { type: 'CANCEL' });
    const again = await agentSocket(o.companyId, o.agents[0]!);
    expect(await again.next((f) => f.t === 'stop')).toMatchObject({
      runId: `${issue.id}.1`,
      cause: 'issue_cancelled',
    });
  });

  it('gets its grant again when it repeats a claim whose answer was lost', async () => {
    const o = await office(server, 'one');
    const issue = await o.issue(o.agents[0]);
    const first = await agentSocket(o.companyId, o.agents[0]!);
    await first.ask({ t: 'claim', id: 'c', claimId: 'mine', max: 1, waitMs: 1000 });
    first.cut();
    const again = await agentSocket(o.companyId, o.agents[0]!);
    const answer = await again.ask({ t: 'claim', id: 'c', claimId: 'mine', max: 1, waitMs: 1000 });
    expect(answer.grants).toMatchObject([{ issue: { id: issue.id }, run: { id: `${issue.id}.1` } }]);
  });

  it('that dies loses its run to the retry policy when its lease runs out', async () => {
    const o = await office(server, 'one');
    const issue = await o.issue(o.agents[0]);
    await o.claim(o.agents[0]!);
    const watcher = await open();
    await watcher.ask({ t: 'sub', id: 's', topic: `issue:${issue.id}` });
    const change = await watcher.next((f) => f.t === 'change', 4000);
    expect(change.change).toMatchObject({
      type: 'LEASE.EXPIRED',
      to: 'scheduled-retry',
      issue: { retry: { reason: 'process_lost' } },
    });
  });
});

describe('a subscriber', () => {
  it('gets ok, snapshot and changes in order, with prev naming what it was sent last', async () => {
    const o = await office(server, 'one');
    await o.issue();
    const socket = await open();
    const ok = await socket.ask({ t: 'sub', id: 's', topic: `company:${o.companyId}` });
    const snapshot = await socket.next((f) => f.t === 'snapshot');
    expect(snapshot).toMatchObject({ sub: 's', seq: ok.seq, more: false, items: [{ title: 'An issue' }] });
    const { id } = await o.issue();
    for (let n = 0; n < 3; n++) await o.send(id, { type: 'PRIORITY', priority: n % 2 ? 'low' : 'high' });
    await socket.next((f) => f.t === 'change' && (f.change as { version: number }).version === 4);
    const changes = changesOf(socket, 's');
    expect(changes.map((c) => c.prev)).toEqual([ok.seq, ...changes.slice(0, -1).map((c) => c.change.seq)]);
    expect(changes.map((c) => c.change.type)).toEqual(['CREATED', 'PRIORITY', 'PRIORITY', 'PRIORITY']);
  });

  it('resumes after a restart of the server with only what it missed', async () => {
    const o = await office(server, 'one');
    const { id } = await o.issue();
    const before = await open();
    const ok = await before.ask({ t: 'sub', id: 's', topic: `company:${o.companyId}` });
    await o.send(id, { type: 'PRIORITY', priority: 'low' });
    await o.send(id, { type: 'PRIORITY', priority: 'high' });
    await before.next((f) => f.t === 'change' && (f.change as { version: number }).version === 3);
    await server.restart();
    expect(await before.ended()).toMatchObject({ code: 1001 });
    expect(before.frames.some((f) => f.t === 'bye')).toBe(true);
    const after = await open();
    expect(
      await after.ask({ t: 'sub', id: 's', topic: `company:${o.companyId}`, since: ok.seq }),
    ).toMatchObject({
      recovered: true,
      seq: (ok.seq as number) + 2,
    });
    await after.next((f) => f.t === 'change' && (f.change as { version: number }).version === 3);
    const withoutSub = (f: Frame) => f.change;
    expect(changesOf(after, 's').map(withoutSub)).toEqual(changesOf(before, 's').map(withoutSub));
  });

  it('of a journal gets every version from the first, and no snapshot', async () => {
    const o = await office(server, 'one');
    const { id } = await o.issue();
    await o.send(id, { type: 'PRIORITY', priority: 'low' });
    const socket = await open();
    expect(await socket.ask({ t: 'sub', id: 's', topic: `journal:${id}` })).toMatchObject({
      t: 'ok',
      seq: 2,
    });
    await o.send(id, { type: 'PRIORITY', priority: 'high' });
    await socket.next((f) => f.t === 'change' && (f.change as { version: number }).version === 3);
    expect(changesOf(socket, 's').map((c) => [c.prev, c.change.version, c.change.seq])).toEqual([
      [0, 1, 1],
      [1, 2, 2],
      [2, 3, 3],
    ]);
    expect(socket.frames.some((f) => f.t === 'snapshot')).toBe(false);
  });

  it('of an agent hears of its issues and of the agent itself', async () => {
    const o = await office(server, 'one', 'two');
    const socket = await open();
    await socket.ask({ t: 'sub', id: 's', topic: `agent:${o.agents[0]}` });
    await o.issue(o.agents[1]);
    await o.issue(o.agents[0]);
    await call(server, 'POST', `/agents/${o.agents[0]}/pause`, {});
    await socket.next((f) => f.t === 'change' && (f.change as { type: string }).type === 'PAUSE');
    expect(changesOf(socket, 's').map((c) => c.change.type)).toEqual(['CREATED', 'PAUSE']);
  });
});
