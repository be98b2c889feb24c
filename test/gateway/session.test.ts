/** Sessions over a simulated wire: timers, slow readers, conflation, the rate, and that nothing thrown leaves. */
import { describe, expect, it } from 'vitest';
import { settle } from '../support/manual-clock.ts';
import { SERVER, SessionBench, type SimulatedWire } from './support/session.ts';

const send = (session: { receive(text: string): void }, frame: object) =>
  session.receive(JSON.stringify(frame));

/** That every change follows the one before on its subscription: `prev` is what was sent last. */
function chain(wire: SimulatedWire, sub: string): number[] {
  let prev: number | null = null;
  const seqs: number[] = [];
  for (const frame of wire.frames) {
    if (frame.t === 'snapshot' && frame.sub === sub) prev = frame.seq;
    if (frame.t !== 'change' || frame.sub !== sub) continue;
    if (prev !== null) expect(frame.prev).toBe(prev);
    prev = frame.change.seq as number;
    seqs.push(prev);
  }
  return seqs;
}

describe('a connection', () => {
  it('that says no hello within five seconds is closed with 4408', async () => {
    const bench = new SessionBench();
    const { wire } = bench.session();
    await bench.clock.pass(4999);
    expect(wire.code).toBeNull();
    await bench.clock.pass(1);
    expect([wire.code, bench.ended]).toEqual([4408, [4408]]);
  });

  it('whose credential takes too long to look up is closed with 4408 as well', async () => {
    const bench = new SessionBench();
    const { session, wire } = bench.session({ resolve: () => new Promise(() => {}) });
    send(session, { t: 'hello', token: 'x' });
    await bench.clock.pass(5000);
    expect(wire.code).toBe(4408);
  });

  it('may send 16 frames while it is authenticated; they are answered in order afterwards', async () => {
    const bench = new SessionBench();
    const { session, wire } = bench.session();
    send(session, { t: 'hello' });
    for (let n = 0; n < 16; n++) send(session, { t: 'unsub', id: `u${n}` });
    expect(wire.frames).toEqual([]);
    await settle();
    expect(wire.frames.map((frame) => frame.id ?? frame.t)).toEqual([
      'welcome',
      ...Array.from({ length: 16 }, (_, n) => `u${n}`),
    ]);
  });

  it('that sends more before it is authenticated is closed with 4429', () => {
    const bench = new SessionBench();
    const { session, wire } = bench.session();
    send(session, { t: 'hello' });
    for (let n = 0; n < 17; n++) send(session, { t: 'unsub', id: `u${n}` });
    expect(wire.code).toBe(4429);
  });

  it('is pinged every 20 s and closed when two pings bring no sign of life', async () => {
    const bench = new SessionBench();
    const { session, wire } = await bench.open();
    await bench.clock.pass(20_000);
    expect(wire.of('ping')).toEqual([{ t: 'ping', now: bench.clock.now() }]);
    send(session, { t: 'pong' });
    await bench.clock.pass(40_000);
    expect([wire.of('ping').length, wire.code]).toEqual([3, null]);
    await bench.clock.pass(20_000);
    expect(wire.code).toBe(4008);
  });

  it('of which nothing is left after its close: no timer, no subscription, no claim, no worker', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    const [issue] = await bench.issues(company, 1);
    const born = await bench.router.create({
      kind: 'agent',
      companyId: company,
      asked: [{ name: 'a' }],
      by: { kind: 'operator', id: 'o' },
    });
    const agent = born.is === 'accepted' ? (born.items[0]?.id as string) : '';
    const { session } = await bench.open();
    for (const [n, topic] of [`company:${company}`, `issue:${issue}`, `agent:${agent}`].entries()) {
      send(session, { t: 'sub', id: `s${n}`, topic });
    }
    send(session, { t: 'claim', id: 'c', agentId: agent, waitMs: 50_000 });
    await settle();
    expect([bench.router.subscriptions, bench.router.waitingClaims, bench.router.attached(agent)]).toEqual([
      3, 1, 1,
    ]);
    session.closed();
    await settle();
    expect([bench.router.subscriptions, bench.router.waitingClaims, bench.router.attached(agent)]).toEqual([
      0, 0, 0,
    ]);
    expect(bench.clock.set).toBe(0);
  });

  it('whose handling throws is closed with 4500, and the throw goes no further', async () => {
    const bench = new SessionBench();
    const { session, wire } = await bench.open({
      opened: () => {
        throw new Error('a defect');
      },
    });
    expect(wire.code).toBe(4500);
    expect(() => send(session, { t: 'pong' })).not.toThrow();
  });

  it('that is gone hears nothing more, whatever comes in or is answered late', async () => {
    const bench = new SessionBench();
    const [issue] = await bench.issues(await bench.company(), 1);
    const { session, wire } = await bench.open();
    send(session, { t: 'event', id: 'e', issueId: issue, event: { type: 'CANCEL' } });
    session.closed(1006);
    const before = wire.frames.length;
    send(session, { t: 'unsub', id: 'x' });
    session.bye();
    session.revoked();
    await settle();
    expect([wire.frames.length, wire.code, bench.ended]).toEqual([before, null, [1006]]);
  });
});

describe('a subscription that is ended before it is open', () => {
  it.each(['company', 'issue', 'journal', 'stats'])('is answered, and then its end: %s', async (kind) => {
    const bench = new SessionBench();
    const company = await bench.company();
    const [issue] = await bench.issues(company, 1);
    const { session, wire } = await bench.open();
    const sub = {
      t: 'sub',
      id: 's',
      topic: `${kind}:${kind === 'company' || kind === 'stats' ? company : issue}`,
    };
    send(session, sub);
    send(session, { t: 'unsub', id: 's' });
    await settle();
    await bench.change(issue as string, 'changed');
    expect(wire.frames.slice(1)).toEqual([
      expect.objectContaining({ t: 'error', id: 's', code: 'CONFLICT', retryable: false }),
      { t: 'ok', id: 's' },
    ]);
    for (const frame of [sub, { t: 'unsub', id: 's' }, sub]) send(session, frame);
    await settle();
    const answers = wire.frames.slice(3).filter((frame) => frame.id === 's');
    expect(answers.map(({ t, recovered }) => [t, recovered])).toEqual([
      ['error', undefined],
      ['ok', undefined],
      ['ok', expect.any(Boolean)],
    ]);
    expect(bench.router.subscriptions).toBe(kind === 'stats' ? 0 : 1);
    session.closed();
  });

  it('was answered already where its ok is out: only its end is answered', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    const { session, wire } = await bench.open();
    const { subscribe } = bench.router;
    bench.router.subscribe = async (...asked) => {
      const subscribed = await subscribe.apply(bench.router, asked);
      send(session, { t: 'unsub', id: 's' });
      return subscribed;
    };
    send(session, { t: 'sub', id: 's', topic: `company:${company}` });
    await settle();
    expect(wire.frames.slice(1).map(({ t, recovered }) => [t, recovered])).toEqual([
      ['ok', false],
      ['snapshot', undefined],
      ['ok', undefined],
    ]);
    expect(bench.router.subscriptions).toBe(0);
  });
});

describe('events of one connection', () => {
  it('reach the router in order, also while the company of the first is still looked up', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    const [first, second] = await bench.issues(company, 2);
    const get = bench.router.get.bind(bench.router);
    let release = () => {};
    bench.router.get = async (id) => {
      if (id === first) await new Promise<void>((resolve) => (release = resolve));
      return get(id);
    };
    const { session, wire } = await bench.open({ resolve: async () => ({ ...SERVER, companyId: company }) });
    const edit = (id: string, issueId: string | undefined) =>
      send(session, { t: 'event', id, issueId, event: { type: 'EDIT', title: id } });
    edit('a', second);
    await settle();
    edit('b', first);
    edit('c', second);
    edit('d', second);
    await settle();
    expect(wire.of('ok').map((frame) => frame.id)).toEqual(['a']);
    release();
    await settle();
    expect(wire.of('ok').map((frame) => frame.id)).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('a slow reader', () => {
  it('of a state topic gets the latest of each issue, with an unbroken prev chain, once it reads again', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    const issues = await bench.issues(company, 4, 15_000);
    const { session, wire } = await bench.open();
    send(session, { t: 'sub', id: 's', topic: `company:${company}` });
    await settle();
    wire.reading = false;
    for (let round = 0; round < 20; round++) {
      for (const issue of issues) await bench.change(issue, `round ${round}`);
    }
    const sent = wire.of('change').length;
    expect(sent).toBeLessThan(25);
    expect(wire.bytes).toBeLessThan(300 * 1024);
    wire.resume();
    await bench.clock.pass(50);
    const late = wire.of('change').slice(sent);
    expect(late.map((frame) => frame.change.issue.title)).toEqual(Array(4).fill('round 19'));
    const seqs = chain(wire, 's');
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    await bench.change(issues[0] as string, 'after');
    expect(wire.frames.at(-1).change.issue.title).toBe('after');
    chain(wire, 's');
  });

  it('that takes all there is gets what was held back at once, not at the next look', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    const issues = await bench.issues(company, 60, 15_000);
    const { session, wire } = await bench.open();
    send(session, { t: 'sub', id: 's', topic: `company:${company}` });
    await settle();
    wire.reading = false;
    for (const issue of issues) await bench.change(issue, 'one');
    expect(wire.of('change').length).toBeLessThan(60);
    wire.resume();
    session.drained();
    expect(chain(wire, 's')).toHaveLength(60);
  });

  it('that reads a little gets a little, and never more than it can hold', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    const issues = await bench.issues(company, 60, 15_000);
    const { session, wire } = await bench.open();
    send(session, { t: 'sub', id: 's', topic: `company:${company}` });
    await settle();
    wire.reading = false;
    for (const issue of issues) await bench.change(issue, 'one');
    for (let n = 0; n < 10; n++) {
      wire.bytes = Math.max(0, wire.bytes - 100_000);
      await bench.clock.pass(50);
      expect(wire.bytes).toBeLessThan(300 * 1024);
    }
    wire.resume();
    await bench.clock.pass(50);
    expect(chain(wire, 's')).toHaveLength(60);
  });

  it('of a journal topic is reset and goes on from its cursor without a gap', async () => {
    const bench = new SessionBench();
    const [issue] = (await bench.issues(await bench.company(), 1)) as [string];
    const { session, wire } = await bench.open();
    send(session, { t: 'sub', id: 'j', topic: `journal:${issue}`, since: 0 });
    await settle();
    wire.reading = false;
    for (let n = 0; n < 2000; n++) await bench.change(issue, `t${n} ${'x'.repeat(200)}`);
    expect(wire.frames.at(-1)).toEqual({ t: 'reset', sub: 'j', reason: 'slow' });
    expect(bench.router.subscriptions).toBe(0);
    const last = wire.of('change').at(-1).change.version;
    wire.resume();
    send(session, { t: 'sub', id: 'j', topic: `journal:${issue}`, since: last });
    await settle();
    const versions = wire.of('change').map((frame) => frame.change.version);
    expect(versions).toEqual(Array.from({ length: 2001 }, (_, n) => n + 1));
    expect(wire.of('change').every((frame) => frame.prev === frame.change.version - 1)).toBe(true);
  });

  it('with more than 4 MiB before it for ten seconds is closed with 4008', async () => {
    const bench = new SessionBench();
    const { session, wire } = await bench.open();
    wire.reading = false;
    wire.bytes = 5 * 1024 * 1024;
    send(session, { t: 'unsub', id: 'u' });
    await bench.clock.pass(9000);
    expect(wire.code).toBeNull();
    await bench.clock.pass(1200);
    expect(wire.code).toBe(4008);
  });

  it('never costs more than 8 MiB, the next frame included', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    await bench.issues(company, 400, 15_000);
    const { session, wire } = await bench.open();
    wire.reading = false;
    for (let n = 0; n < 5; n++) send(session, { t: 'sub', id: `s${n}`, topic: `company:${company}` });
    await settle();
    expect(wire.code).toBe(4008);
    expect(wire.most).toBeLessThanOrEqual(8 * 1024 * 1024);
  });

  it('whose held-back changes would cost more than that is reset', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    const issues = await bench.issues(company, 600, 15_000);
    const { session, wire } = await bench.open();
    send(session, { t: 'sub', id: 's', topic: `company:${company}` });
    await settle();
    wire.reading = false;
    for (const issue of issues) await bench.change(issue, 'x');
    expect(wire.frames.at(-1)).toEqual({ t: 'reset', sub: 's', reason: 'slow' });
    expect(bench.router.subscriptions).toBe(0);
  });

  it('does not change what a healthy one gets', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    const [issue] = (await bench.issues(company, 1, 15_000)) as [string];
    const slow = await bench.open();
    const healthy = await bench.open();
    for (const { session } of [slow, healthy])
      send(session, { t: 'sub', id: 's', topic: `company:${company}` });
    await settle();
    slow.wire.reading = false;
    for (let n = 0; n < 50; n++) await bench.change(issue, `t${n}`);
    expect(chain(healthy.wire, 's')).toHaveLength(50);
    expect(slow.wire.of('change').length).toBeLessThan(25);
  });
});

describe('a snapshot', () => {
  it('larger than 4 MiB is cut, and says that there is more', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    await bench.issues(company, 400, 15_000);
    const { session, wire } = await bench.open();
    send(session, { t: 'sub', id: 's', topic: `company:${company}` });
    await settle();
    const [snapshot] = wire.of('snapshot');
    expect(snapshot.more).toBe(true);
    expect(snapshot.items.length).toBeGreaterThan(200);
    expect(snapshot.items.length).toBeLessThan(400);
  });
});

describe('the rate', () => {
  it('lets a burst of twice the rate through, then says when to try again', async () => {
    const bench = new SessionBench();
    const { session, wire } = await bench.open({ rateLimit: 10 });
    for (let n = 0; n < 25; n++) send(session, { t: 'unsub', id: `u${n}` });
    expect(wire.of('ok')).toHaveLength(20);
    const [refused] = wire.of('error');
    expect(refused).toMatchObject({ id: 'u20', code: 'RATE_LIMITED', retryable: true });
    await bench.clock.pass(refused.retryAfterMs);
    send(session, { t: 'unsub', id: 'again' });
    expect(wire.frames.at(-1)).toEqual({ t: 'ok', id: 'again' });
    expect(wire.code).toBeNull();
  });

  it('is not enforced by a close for one burst, however large', async () => {
    const bench = new SessionBench();
    const { session, wire } = await bench.open({ rateLimit: 10 });
    for (let n = 0; n < 5000; n++) send(session, { t: 'unsub', id: `u${n}` });
    expect(wire.code).toBeNull();
  });

  it.each([
    ['a little for more than ten seconds', 15, 10],
    ['five times for more than two', 100, 2],
  ])('exceeded by %s ends in 4429', async (_name, perSecond, seconds) => {
    const bench = new SessionBench();
    const { session, wire } = await bench.open({ rateLimit: 10 });
    let at = 0;
    for (; wire.code === null && at < 30_000; at += 1000 / perSecond) {
      send(session, { t: 'unsub', id: 'u' });
      await bench.clock.pass(1000 / perSecond);
    }
    expect(wire.code).toBe(4429);
    expect(at).toBeGreaterThan(seconds * 1000);
    expect(at).toBeLessThan(seconds * 1000 + 5000);
  });

  it('kept to for a while forgets that it was exceeded', async () => {
    const bench = new SessionBench();
    const { session, wire } = await bench.open({ rateLimit: 10 });
    for (let round = 0; round < 6; round++) {
      for (let n = 0; n < 30; n++) send(session, { t: 'unsub', id: 'u' });
      await bench.clock.pass(4000);
    }
    expect(wire.code).toBeNull();
  });
});

describe('counts', () => {
  it('come once a second while somebody looks, and the store is asked once for all', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    await bench.issues(company, 3);
    const { session, wire } = await bench.open();
    send(session, { t: 'sub', id: 's', topic: `stats:${company}` });
    await bench.clock.pass(3500);
    expect(wire.of('snapshot')[0].items[0].byState).toEqual({ idle: 3 });
    expect(wire.of('change').map((frame) => frame.change.stats.byState.idle)).toEqual([3, 3, 3]);
    expect(wire.of('change').every((frame) => frame.prev === frame.change.seq)).toBe(true);
    send(session, { t: 'unsub', id: 's' });
    await bench.clock.pass(5000);
    expect(wire.of('change')).toHaveLength(3);
  });
});
