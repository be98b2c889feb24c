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
});
