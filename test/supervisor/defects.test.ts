/** Defects of a machine or a store: they cost an actor, a partition at the most, never the process and never an answer. */
import { describe, expect, it } from 'vitest';
import { lampWorld, ME } from '../support/lamp-world.ts';

describe('a defect', () => {
  it('of a stored snapshot: a creation repeated with its key is refused, and the process lives', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp(undefined, 'key');
    await w.stop(100);
    const [row] = await w.store.load([lamp]);
    const [owned] = await w.store.acquire('other', 5000, 1, new Set());
    await w.store.commit({
      owner: 'other',
      epochs: new Map([[7, owned!.epoch]]),
      rows: [{ ...row!, version: 2, snapshot: '{' }],
      entries: [],
      records: [],
    });
    await w.store.release('other', [7]);
    const { router } = await w.start();
    const again = { kind: 'lamp', companyId: w.companyId, asked: [{}], by: ME, key: 'key' };
    const answers = [router.create(again), router.create(again)];
    expect(await Promise.all(answers)).toMatchObject([{ code: 'NOT_ALLOWED' }, { code: 'NOT_ALLOWED' }]);
  });

  it('of a view: whoever asked is answered, and whoever waits behind', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    await w.clock.pass(1);
    const kind = w.node.kinds.get('lamp')!;
    const { view } = kind;
    Object.assign(kind, {
      view: () => {
        throw new Error('it cannot be shown');
      },
    });
    const plugs = [
      w.send(lamp, { type: 'PLUG', socket }),
      w.send(lamp, { type: 'PLUG', socket: 's0070000000000' }),
    ];
    expect(await Promise.all(plugs)).toMatchObject([{ code: 'INTERNAL' }, { code: 'NOT_FOUND' }]);
    Object.assign(kind, { view });
  });

  it('that keeps a batch from being written down costs its partitions, not the process', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const kind = w.node.kinds.get('lamp')!;
    const { columns } = kind;
    Object.assign(kind, {
      columns: () => {
        throw new Error('no columns');
      },
    });
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    Object.assign(kind, { columns });
    await w.clock.pass(1500);
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'accepted', version: 2 });
  });

  it('of the store that throws at a commit costs its partitions, not the process', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const { commit } = w.node.store;
    w.node.store.commit = () => Promise.reject(new RangeError('Invalid string length'));
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    w.node.store.commit = commit;
    await w.clock.pass(1500);
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'accepted', version: 2 });
  });

  it('of the database while the node stops: what is in flight is answered', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    w.faults.current = { fate: () => ({ is: 'lost' }) };
    const answer = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(10);
    const stopped = w.stop(200).catch(() => {});
    await w.clock.pass(3000);
    await stopped;
    expect(await answer).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
  });

  it('of one actor in a spread keeps no other from hearing of it', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const [bad, good] = [await w.lamp(socket), await w.lamp(socket)];
    const kind = w.node.kinds.get('lamp')!;
    const { judge } = kind;
    Object.assign(kind, {
      judge(event: never, state: never) {
        if (broken(state, bad)) throw new Error('it cannot be judged');
        return judge(event, state);
      },
    });
    const broken = (state: unknown, id: string) => w.node.residence.get(id)?.newest?.state === state;
    await w.send(socket, { type: 'CUT' });
    await w.clock.pass(10);
    expect((await w.router.get(good))?.state.value).toBe('off');
    expect((await w.router.get(socket))?.state.value).toBe('gone');
    expect(w.node.residence.get(bad)?.quarantine).not.toBeNull();
  });

  it('in any part of a kind puts the actor aside, so that nothing of it is tried for ever', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const kind = w.node.kinds.get('lamp')!;
    const { slot } = kind;
    Object.assign(kind, {
      slot: () => {
        throw new Error('no place for it');
      },
    });
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ code: 'INTERNAL' });
    Object.assign(kind, { slot });
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(w.node.gauges().quarantined).toBe(1);
    w.node.loseAll();
    expect(w.node.gauges().quarantined).toBe(0);
  });

  it('that leaves an actor put aside in a queue does not stop the loop', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    const actor = w.node.residence.get(lamp)!;
    const place = w.node.slots.slotOf(lamp);
    w.node.quarantine(actor, null, new Error('for some reason'));
    w.node.slots.place(lamp, place);
    expect(await w.claim(socket, 'c1')).toEqual({ is: 'granted', grants: [] });
    expect(w.node.slots.slotOf(lamp)).toBeNull();
  });
});
