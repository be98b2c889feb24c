/** A turn that cannot be stored (A5): it and what was built on it are as if they had never been, and nothing else is. */
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/persistence/store.ts';
import { leaseKey } from '../../src/supervisor/run-leases.ts';
import { type LampWorld, lampWorld } from '../support/lamp-world.ts';

/** Commits whose batch has an entry that `bad` says cannot be stored are rejected; until `open` none is answered. */
function rejecting(w: LampWorld, bad: (entry: { actorId: string; entry: string }) => boolean) {
  let open = () => {};
  const held = new Promise<void>((resolve) => {
    open = resolve;
  });
  const commit = w.node.store.commit.bind(w.node.store);
  w.node.store.commit = async (batch: Batch) => {
    await held;
    if (batch.entries.some(bad)) {
      return { is: 'rejected', error: new Error('it cannot be stored'), journalled: false };
    }
    return commit(batch);
  };
  return open;
}

const granted = (answer: object) => ('grants' in answer ? (answer.grants as string[]) : answer);

describe('a turn that cannot be stored', () => {
  it('gives back the slot that it freed: nobody else got it', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const [bad, other] = [await w.lamp(socket), await w.lamp(socket)];
    await w.claim(socket, 'c1');
    const open = rejecting(w, ({ actorId, entry }) => actorId === bad && entry.includes('"UNPLUG"'));
    const freed = w.send(bad, { type: 'UNPLUG' });
    const claim = w.claim(socket, 'c2', { waitMs: 5000 });
    await w.clock.pass(10);
    open();
    expect(await freed).toMatchObject({ code: 'INTERNAL' });
    expect(await claim).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    const holding = (await w.store.load([bad, other])).filter((row) => row.holds);
    expect(holding.map((row) => row.id)).toEqual([bad]);
    expect(w.node.slots.find(socket)?.holds.size).toBe(1);
  });

  it('takes back the capacity that it offered', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamps = [await w.lamp(socket), await w.lamp(socket)];
    const open = rejecting(w, ({ actorId, entry }) => actorId === socket && entry.includes('"SET"'));
    const set = w.send(socket, { type: 'SET', max: 5 });
    await w.clock.pass(1);
    open();
    expect(await set).toMatchObject({ code: 'INTERNAL' });
    expect(granted(await w.claim(socket, 'c1', { max: 5 }))).toHaveLength(1);
    expect((await w.store.load(lamps)).filter((row) => row.holds)).toHaveLength(1);
  });

  it('takes with it what was decided by what it said, also where that changed nothing', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    let born = '';
    const open = rejecting(w, ({ actorId, entry }) => {
      const bad = actorId.startsWith('s') && entry.includes('"CREATED"');
      if (bad) born = actorId;
      return bad;
    });
    const socket = w.socket(1).catch((error: Error) => error.message);
    await w.clock.pass(1);
    const [id] = [...w.node.residence.all()].filter((a) => a.kind.kind === 'socket').map((a) => a.id);
    const plugged = w.send(lamp, { type: 'PLUG', socket: id! });
    const again = w.send(lamp, { type: 'PLUG', socket: id! });
    await w.clock.pass(1);
    open();
    expect(await socket).toContain('INTERNAL');
    expect(born).toBe(id);
    expect(await plugged).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    expect(await again).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    expect((await w.router.get(lamp))?.version).toBe(1);
  });

  it('leaves its place in the queue to the next, and claims that wait are served', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const [bad, next] = [await w.lamp(socket), await w.lamp(socket)];
    const open = rejecting(w, ({ actorId, entry }) => actorId === bad && entry.includes('"CURRENT"'));
    const first = w.claim(socket, 'c1', { waitMs: 5000 });
    const second = w.claim(socket, 'c2', { waitMs: 5000 });
    await w.clock.pass(1);
    open();
    expect(await first).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    await w.clock.pass(10);
    expect(granted(await second)).toEqual([JSON.stringify({ lamp: next })]);
  });

  it('leaves no gap in the numbers of what is made', async () => {
    const w = await lampWorld();
    await w.lamp();
    let once = true;
    const open = rejecting(w, ({ entry }) => once && entry.includes('"CREATED"'));
    const lost = w.socket(1).catch((error: Error) => error.message);
    await w.clock.pass(1);
    open();
    expect(await lost).toContain('INTERNAL');
    once = false;
    const [row] = await w.store.load([await w.socket(1)]);
    expect(row?.ordinal).toBe(1);
  });

  it('gives a lease that fired meanwhile back its time', async () => {
    const w = await lampWorld();
    const socket = await w.socket(2);
    const lamp = await w.lamp(socket);
    await w.claim(socket, 'c1');
    // All lamps of the socket are put out by a turn that cannot be stored; the lease of this one finds it out already.
    const open = rejecting(w, ({ actorId, entry }) => actorId === socket && entry.includes('"CUT"'));
    const lost = w.send(socket, { type: 'CUT' });
    await w.clock.pass(510);
    open();
    expect(await lost).toMatchObject({ code: 'INTERNAL' });
    expect((await w.router.get(lamp))?.state.value).toBe('on');
    expect(w.node.timers.dueOf(leaseKey(lamp))).toBe(w.clock.now() + 500);
  });

  it('takes back an answer that was judged by it, though the last it was judged by could be stored', async () => {
    const w = await lampWorld();
    const [socket, other] = [await w.socket(1), await w.lamp()];
    const lamp = await w.lamp();
    const open = rejecting(w, ({ actorId, entry }) => actorId === lamp && entry.includes('"FLICKER"'));
    const flicker = w.send(lamp, { type: 'FLICKER' });
    const set = w.send(socket, { type: 'SET', max: 2 });
    // Refused for its version, after having looked at the lamp alone; PLUG looks at both.
    const plug = w.send(lamp, { type: 'PLUG', socket: other }, { expectedVersion: 1 });
    const both = w.send(lamp, { type: 'PLUG', socket }, { key: 'k' });
    const judged = w.send(lamp, { type: 'PLUG', socket }, { key: 'k' });
    await w.clock.pass(1);
    open();
    expect(await flicker).toMatchObject({ code: 'INTERNAL' });
    expect(await set).toMatchObject({ is: 'accepted' });
    for (const answer of [plug, both, judged])
      expect(await answer).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
  });

  it('leaves what an earlier turn that does not rest on it made of an actor, that it was born included', async () => {
    const w = await lampWorld();
    const [socket, first] = [await w.socket(1), await w.lamp()];
    const lamp = await w.lamp();
    const open = rejecting(w, ({ actorId, entry }) => actorId === socket && entry.includes('"SET"'));
    // In flight alone; what follows is one batch.
    const before = w.send(first, { type: 'FLICKER' });
    await w.clock.pass(1);
    const set = w.send(socket, { type: 'SET', max: 5 });
    const flicker = w.send(lamp, { type: 'FLICKER' });
    const birth = w.lamp();
    await w.clock.pass(1);
    const born = [...w.node.residence.all()].find((a) => a.committed === null)!.id;
    const plugged = [lamp, born].map((id) => w.send(id, { type: 'PLUG', socket }));
    await w.clock.pass(1);
    open();
    expect(await before).toMatchObject({ is: 'accepted' });
    expect(await set).toMatchObject({ code: 'INTERNAL' });
    expect(await flicker).toMatchObject({ is: 'accepted', version: 2 });
    expect(await birth).toBe(born);
    for (const answer of plugged) expect(await answer).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'accepted', version: 3 });
    expect(await w.send(born, { type: 'FLICKER' })).toMatchObject({ is: 'accepted', version: 2 });
    expect(w.node.quarantines).toBe(1);
  });
});
