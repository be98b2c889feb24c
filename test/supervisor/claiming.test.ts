/** Claims and connections of workers where something else happens meanwhile. */
import { describe, expect, it } from 'vitest';
import type { Persisted } from '../../src/machines/kind.ts';
import type { WorkerSession } from '../../src/supervisor/router.ts';
import { Sessions } from '../../src/supervisor/sessions.ts';
import { hold } from '../support/lamp-trouble.ts';
import { lampWorld, ME } from '../support/lamp-world.ts';

function session(): WorkerSession & { frames: unknown[] } {
  const frames: unknown[] = [];
  return { frames, send: (frame) => frames.push(frame) };
}

describe('a claim', () => {
  it('that was granted meanwhile is not refused because another actor could not be loaded for it', async () => {
    const w = await lampWorld();
    const [socket, urgent] = [await w.socket(1), await w.lamp()];
    await w.send(urgent, { type: 'FLICKER' });
    await w.lamp(socket);
    await w.stop(100);
    const { router, node } = await w.start();
    const kind = node.kinds.get('lamp')!;
    const { slot } = kind;
    // A lamp that flickered goes before others.
    Object.assign(kind, {
      slot(s: Persisted<{ flickers: number }>) {
        const place = slot(s);
        return place && { ...place, rank: place.rank - 1e6 * s.context.flickers };
      },
    });
    // Both are in memory; the lamp that waits is not, and cannot be read.
    await router.send({ actorId: urgent, event: { type: 'HEAT' }, by: ME });
    await router.send({ actorId: socket, event: { type: 'DONE' }, by: ME });
    w.faults.current = { fate: (call) => (call === 'load' ? { is: 'lost' } : undefined) };
    const of = { pool: socket, companyId: w.companyId, claimId: 'c1', max: 1, waitMs: 10_000, session: null };
    const claimed = router.claim(of).answer;
    await w.clock.pass(1);
    const [open] = hold(w, 'commit');
    const commit = w.faults.current;
    w.faults.current = {
      fate: (call, on) => (call === 'load' ? { is: 'lost' } : commit?.fate(call, on)),
    };
    const plug: object = { type: 'PLUG', socket };
    void router.send({ actorId: urgent, event: plug as { type: string }, by: ME });
    await w.clock.pass(2500);
    open!();
    await w.clock.pass(1);
    expect(await claimed).toEqual({ is: 'granted', grants: [JSON.stringify({ lamp: urgent })] });
    Object.assign(kind, { slot });
  });

  it('for an actor that cannot be loaded is refused with a retryable code', async () => {
    const w = await lampWorld();
    const socket = await w.socket(2);
    await w.stop(100);
    const { router } = await w.start();
    w.faults.current = { fate: (call) => (call === 'load' ? { is: 'lost' } : undefined) };
    const { answer } = router.claim({
      pool: socket,
      companyId: w.companyId,
      claimId: 'c',
      max: 1,
      waitMs: 0,
      session: null,
    });
    await w.clock.pass(3000);
    expect(await answer).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
  });

  it('repeated while the first still waits takes its place: its connection may be dead', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const first = w.claim(socket, 'same', { waitMs: 10_000 });
    await w.clock.pass(1);
    const second = w.claim(socket, 'same', { waitMs: 10_000 });
    await w.clock.pass(1);
    const lamp = await w.lamp(socket);
    expect(await second).toEqual({ is: 'granted', grants: [JSON.stringify({ lamp })] });
    expect(await first).toEqual({ is: 'granted', grants: [] });
  });

  it('keeps its pool online while it waits, and for a while after', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const online = () => w.node.slots.stateOf(socket, w.clock.now(), 60_000)?.online;
    await w.claim(socket, 'c1');
    expect(online()).toBe(true);
    const waiting = w.claim(socket, 'c2', { waitMs: 1000 });
    await w.clock.pass(500);
    expect(online()).toBe(true);
    await w.clock.pass(600);
    await waiting;
    expect(online()).toBe(true);
    await w.clock.pass(60_000);
    expect(online()).toBe(false);
  });

  it('whose connection closed leaves its pool offline at once, unless another is there', async () => {
    const w = await lampWorld();
    const socket = await w.socket(2);
    const state = () => w.node.slots.stateOf(socket, w.clock.now(), 60_000);
    const of = { pool: socket, companyId: w.companyId, max: 1, waitMs: 60_000, session: null };
    const [one, other] = ['c1', 'c2'].map((claimId) => w.router.claim({ ...of, claimId }));
    await w.clock.pass(10);
    one?.withdraw();
    expect(state()).toMatchObject({ online: true, asking: true });
    const seenAt = w.clock.now();
    other?.withdraw();
    await w.clock.pass(10);
    expect(state()).toMatchObject({ online: false, asking: false, seenAt });
    // Somebody who only asks now and then is there between two times.
    await w.claim(socket, 'c3');
    expect(state()).toMatchObject({ online: true, asking: false });
  });

  it('of a worker that is killed at work: its pool is offline when its lease has run out', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const worker = session();
    const attached = await w.router.attach(socket, worker);
    await w.lamp(socket);
    await w.claim(socket, 'c', { session: worker as never });
    const online = () => w.node.slots.stateOf(socket, w.clock.now(), 60_000)?.online;
    attached.detach();
    expect(online()).toBe(true);
    await w.clock.pass(3000);
    expect(online()).toBe(false);
  });

  it('granted to a connection that closed before the commit: a stop goes to the others of its agent', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    await w.lamp(socket);
    const [gone, there] = [session(), session()];
    const attached = await w.router.attach(socket, gone);
    const [open] = hold(w, 'commit');
    const answer = w.claim(socket, 'c1', { session: gone as never });
    await w.clock.pass(1);
    attached.detach();
    await w.router.attach(socket, there);
    open!();
    await answer;
    w.node.sessions.send(socket, socket, { t: 'stop' });
    expect([gone.frames.length, there.frames.length]).toEqual([0, 1]);
  });
});

describe('a connection', () => {
  it('remembers its latest runs only, however long it stays open', () => {
    const sessions = new Sessions();
    const worker = session();
    for (let n = 0; n < 5000; n++) sessions.granted(`run ${n}`, worker);
    expect(sessions.size).toBeLessThan(2000);
    sessions.send('run 4999', null, { t: 'stop' });
    expect(worker.frames).toEqual([{ t: 'stop' }]);
    sessions.detach('pool', worker);
    expect(sessions.size).toBe(0);
  });
});
