import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, connect } from '../../src/client/client.ts';
import type { Lost } from '../../src/client/connection.ts';
import { RemoteError } from '../../src/client/remote-error.ts';
import { ManualClock, steadyChance } from './manual-clock.ts';
import { StandIn } from './stand-in.ts';

const ISSUE = 'i0000000000001';
let server: StandIn;
let clock: ManualClock;
let client: Client | null = null;

beforeEach(async () => {
  server = await StandIn.start();
  clock = new ManualClock();
});
afterEach(async () => {
  client?.close();
  client = null;
  await server.stop();
});

async function connected(over: Parameters<typeof connect>[0] = {}): Promise<Client> {
  client = await connect({ url: server.url, token: 'secret', clock, chance: steadyChance(0.5), ...over });
  return client;
}
const lostOf = (c: Client) => new Promise<Lost>((resolve) => c.on('lost', resolve));
const openOf = (c: Client) => new Promise((resolve) => c.on('open', resolve));
const rejection = (p: Promise<unknown>) =>
  p.then(
    () => Promise.reject(new Error('it resolved')),
    (e: RemoteError) => e,
  );

describe('connecting', () => {
  it('says hello with the token and knows who it is', async () => {
    const c = await connected();
    expect(server.of('hello')[0]).toMatchObject({ token: 'secret', client: { name: 'baton-client' } });
    expect(c.principal.role).toBe('agent');
    expect(c.serverNow()).toBe(5000);
  });

  it('answers pings and corrects its idea of the server clock', async () => {
    const c = await connected();
    server.push({ t: 'ping', now: 9000 });
    await server.until(() => server.of('pong').length === 1);
    expect(c.serverNow()).toBe(9000);
  });

  it('gives up at once when asked to and nobody listens, saying what to do', async () => {
    const error = await rejection(connect({ url: 'http://127.0.0.1:1', connectTimeoutMs: 0 }));
    expect(error).toBeInstanceOf(RemoteError);
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.hint).toContain('baton start');
  });

  it('rejects when the server does not know the token', async () => {
    server.refuses = 4401;
    const error = await rejection(connect({ url: server.url, token: 'wrong', clock }));
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
  });

  it.each([
    [4400, 'VALIDATION'],
    [4401, 'UNAUTHENTICATED'],
    [4403, 'FORBIDDEN'],
    [4406, 'VALIDATION'],
  ])('does not come back after close code %i', async (code, expected) => {
    const c = await connected();
    const closed = new Promise<RemoteError | null>((resolve) =>
      c.on('closed', ({ error }) => resolve(error)),
    );
    server.cut(code);
    expect((await closed)?.code).toBe(expected);
    clock.advance(60_000);
    expect(server.hellos).toBe(1);
  });

  it('comes back after any other end, later and later up to 15 s, full jitter', async () => {
    const c = await connected();
    const first = lostOf(c);
    await server.stop();
    const delays = [(await first).inMs];
    for (let i = 0; i < 9; i++) {
      const next = lostOf(c);
      clock.advance(delays.at(-1) as number);
      delays.push((await next).inMs);
    }
    expect(delays).toEqual([125, 250, 500, 1000, 2000, 4000, 7500, 7500, 7500, 7500]);
    server = await StandIn.start();
  });

  it('after a bye waits about as long as the server said', async () => {
    const c = await connected();
    const lost = lostOf(c);
    server.push({ t: 'bye', reason: 'draining', reconnectMs: 1500 });
    server.cut(1001);
    expect((await lost).inMs).toBe(1500);
  });

  it('takes a server that has gone silent for dead', async () => {
    const c = await connected();
    const lost = lostOf(c);
    clock.advance(80_000);
    expect((await lost).why).toContain('silent');
  });
});

describe('an event', () => {
  it('resolves with the committed version, and carries a key without being asked', async () => {
    server.answers.event = (f) => ({
      t: 'ok',
      id: f.id,
      version: 43,
      issue: { id: ISSUE },
      duplicate: false,
    });
    const c = await connected();
    const answer = await c.event(ISSUE, { type: 'COMPLETE' }, { expectedVersion: 42 });
    expect(answer).toMatchObject({ version: 43, duplicate: false, unchanged: false });
    expect(server.of('event')[0]).toMatchObject({
      issueId: ISSUE,
      key: expect.any(String),
      event: { type: 'COMPLETE', expectedVersion: 42 },
    });
  });

  it('rejects with the code, the hint and the fields of the refusal', async () => {
    server.answers.event = (f) => ({
      t: 'error',
      id: f.id,
      code: 'NOT_ALLOWED',
      message: 'no',
      retryable: false,
      hint: 'look again',
      allowed: ['REOPEN'],
    });
    const error = await rejection((await connected()).event(ISSUE, { type: 'COMPLETE' }));
    expect(error).toMatchObject({ code: 'NOT_ALLOWED', retryable: false, hint: 'look again' });
    expect(error.detail.allowed).toEqual(['REOPEN']);
  });

  it('is sent again with the same key when the connection is lost before the answer', async () => {
    const c = await connected();
    const answer = c.event(ISSUE, { type: 'COMPLETE' });
    await server.until(() => server.of('event').length === 1);
    server.answers.event = (f) => ({ t: 'ok', id: f.id, version: 3, duplicate: true });
    const lost = lostOf(c);
    server.cut();
    clock.advance((await lost).inMs);
    expect((await answer).duplicate).toBe(true);
    const [one, two] = server.of('event');
    expect(two?.key).toBe(one?.key);
  });

  it('without a key is not sent again: its outcome is unknown', async () => {
    const c = await connected();
    const answer = rejection(c.event(ISSUE, { type: 'COMPLETE' }, { key: null }));
    await server.until(() => server.of('event').length === 1);
    server.cut();
    expect(await answer).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  });

  it('waits retryAfterMs after RATE_LIMITED and goes through', async () => {
    server.answers.event = (f) => ({
      t: 'error',
      id: f.id,
      code: 'RATE_LIMITED',
      message: 'slow down',
      retryable: true,
      retryAfterMs: 300,
    });
    const c = await connected();
    const answer = c.event(ISSUE, { type: 'COMPLETE' });
    await server.until(() => server.of('event').length === 1);
    server.answers.event = (f) => ({ t: 'ok', id: f.id, version: 3 });
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 50 && server.of('event').length < 2; i++) {
      clock.advance(10);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await answer).version).toBe(3);
  });

  it('times out with UNAVAILABLE', async () => {
    const c = await connected();
    const answer = rejection(c.event(ISSUE, { type: 'COMPLETE' }, { timeoutMs: 1000 }));
    clock.advance(1000);
    expect((await answer).code).toBe('UNAVAILABLE');
  });

  it('is rejected when the client is closed', async () => {
    const c = await connected();
    const answer = rejection(c.event(ISSUE, { type: 'COMPLETE' }));
    c.close();
    expect((await answer).code).toBe('UNAVAILABLE');
  });
});

describe('a claim', () => {
  it('is repeated with its claimId after a lost connection', async () => {
    const c = await connected();
    const grants = c.claim({ max: 2, waitMs: 1000, claimId: 'mine' });
    await server.until(() => server.of('claim').length === 1);
    server.answers.claim = (f) => ({ t: 'ok', id: f.id, grants: [{ fence: 1 }] });
    const lost = lostOf(c);
    server.cut();
    clock.advance((await lost).inMs);
    expect(await grants).toHaveLength(1);
    expect(server.of('claim').map((f) => f.claimId)).toEqual(['mine', 'mine']);
  });
});

describe('a subscription', () => {
  const change = (sub: unknown, prev: number, seq: number) => ({
    t: 'change',
    sub,
    prev,
    change: { seq, issueId: ISSUE, version: seq },
  });

  async function subscribed(since: number | null) {
    server.answers.sub = (f) =>
      f.since === null
        ? [
            { t: 'ok', id: f.id, recovered: false, seq: 10 },
            { t: 'snapshot', sub: f.id, seq: 10, items: [{ id: ISSUE }], more: false },
          ]
        : { t: 'ok', id: f.id, recovered: true, seq: 20 };
    const c = await connected();
    const seen: string[] = [];
    const subscription = await c.subscribe(
      'company:c0000000000001',
      { since, where: { state: ['running'] } },
      {
        snapshot: (items, at) => seen.push(`snapshot ${items.length} at ${at.seq}`),
        change: (ch, prev) => seen.push(`${prev}>${ch.seq}`),
      },
    );
    return { c, seen, subscription };
  }

  it('begins with a snapshot and goes on with changes', async () => {
    const { seen, subscription } = await subscribed(null);
    const sub = server.of('sub')[0];
    expect(sub).toMatchObject({
      topic: 'company:c0000000000001',
      since: null,
      where: { state: ['running'] },
    });
    server.push(change(sub?.id, 10, 11));
    server.push({ t: 'ping', now: 1 });
    await server.until(() => server.of('pong').length === 1);
    expect(seen).toEqual(['snapshot 1 at 10', '10>11']);
    expect(subscription.seq).toBe(11);
  });

  it('resumes from the last seq it delivered after a lost connection', async () => {
    const { c, seen } = await subscribed(null);
    server.push(change(server.of('sub')[0]?.id, 10, 12));
    server.push({ t: 'ping', now: 1 });
    await server.until(() => server.of('pong').length === 1);
    const lost = lostOf(c);
    server.cut();
    clock.advance((await lost).inMs);
    await server.until(() => server.of('sub').length === 2);
    expect(server.of('sub')[1]).toMatchObject({ since: 12 });
    server.push(change(server.of('sub')[1]?.id, 12, 13));
    server.push({ t: 'ping', now: 1 });
    await server.until(() => server.of('pong').length === 2);
    expect(seen).toEqual(['snapshot 1 at 10', '10>12', '12>13']);
  });

  it('starts anew from its cursor after a reset, and ignores what the old start still sends', async () => {
    const { seen } = await subscribed(5);
    const old = server.of('sub')[0]?.id;
    server.push({ t: 'reset', sub: old, reason: 'slow' });
    await server.until(() => server.of('sub').length === 2);
    expect(server.of('sub')[1]).toMatchObject({ since: 5 });
    server.push(change(old, 5, 6));
    server.push(change(server.of('sub')[1]?.id, 5, 6));
    server.push({ t: 'ping', now: 1 });
    await server.until(() => server.of('pong').length === 1);
    expect(seen).toEqual(['5>6']);
  });

  it('does not deliver a change that does not follow: it asks again', async () => {
    const { seen } = await subscribed(5);
    server.push(change(server.of('sub')[0]?.id, 7, 8));
    await server.until(() => server.of('sub').length === 2);
    expect(seen).toEqual([]);
    expect(server.of('unsub')).toHaveLength(1);
    expect(server.of('sub')[1]).toMatchObject({ since: 5 });
  });

  it('that the server refuses rejects', async () => {
    server.answers.sub = (f) => ({
      t: 'error',
      id: f.id,
      code: 'NOT_FOUND',
      message: 'no',
      retryable: false,
    });
    const c = await connected();
    const error = await rejection(c.subscribe('issue:i1', {}, { change: () => {} }));
    expect(error.code).toBe('NOT_FOUND');
  });

  it('that is closed unsubscribes and hears nothing more', async () => {
    const { c, subscription } = await subscribed(null);
    subscription.close();
    await server.until(() => server.of('unsub').length === 1);
    const back = openOf(c);
    const lost = lostOf(c);
    server.cut();
    clock.advance((await lost).inMs);
    await back;
    expect(server.of('sub')).toHaveLength(1);
  });
});

describe('HTTP', () => {
  it('sends the token and a key, and pages through a list', async () => {
    const c = await connected();
    server.http = ({ url }) => ({
      status: 200,
      body: url.includes('cursor=two')
        ? { items: [{ id: 'i2' }], nextCursor: null }
        : { items: [{ id: 'i1' }], nextCursor: 'two' },
    });
    const ids: string[] = [];
    for await (const issue of c.http.issues('c1', { state: ['idle', 'done'], limit: 1 })) ids.push(issue.id);
    expect(ids).toEqual(['i1', 'i2']);
    expect(server.requests[0]?.url).toBe('/v1/companies/c1/issues?state=idle%2Cdone&limit=1');
    await c.http.createAgent('c1', { name: 'x' });
    expect(server.requests.at(-1)?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'idempotency-key': expect.any(String),
    });
  });

  it('turns problem details into the same errors as frames', async () => {
    const c = await connected();
    server.http = () => ({
      status: 409,
      body: { code: 'CONFLICT', detail: 'taken', retryable: false, version: 9 },
    });
    const error = await rejection(c.http.createCompany({ name: 'a', prefix: 'ACME' }));
    expect(error).toMatchObject({ code: 'CONFLICT', message: 'taken', retryable: false });
    expect(error.detail.version).toBe(9);
  });

  it('repeats a creation with the same key after a retryable refusal', async () => {
    const c = await connected({ clock: { now: () => clock.now(), after: (_ms, f) => clock.after(0, f) } });
    let asked = 0;
    server.http = () =>
      ++asked === 1
        ? { status: 503, body: { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 5 } }
        : { status: 201, body: { id: 'c1' } };
    const made = connect({ url: server.url, chance: steadyChance(0.1) }).then(async (real) => {
      const company = await real.http.createCompany({ name: 'a', prefix: 'ACME' });
      real.close();
      return company;
    });
    expect((await made).id).toBe('c1');
    const keys = server.requests.map((r) => r.headers['idempotency-key']);
    expect(keys[0]).toBe(keys[1]);
    expect(c.isOpen).toBe(true);
  });
});
