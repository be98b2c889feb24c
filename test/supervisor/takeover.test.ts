/** A partition that is lost and taken again: what was read of it before counts for nothing after. */
import { describe, expect, it } from 'vitest';
import type { EntryRow } from '../../src/persistence/store.ts';
import { hold, meanwhile } from '../support/lamp-trouble.ts';
import { type LampWorld, lampWorld, ME } from '../support/lamp-world.ts';

function entryOf(w: LampWorld, actorId: string, seq: number, version: number, epoch: number): EntryRow {
  const { companyId } = w;
  return { partition: 7, companyId, seq, actorId, version, epoch, at: w.clock.now(), entry: '{}' };
}

describe('a partition that is lost', () => {
  it('and taken again while it is being recovered: numbering is not that of before', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    await w.stop(100);
    // Its counters are read, and before they arrive another node owns the partition and writes.
    const [first, later] = hold(w, 'counters', 2);
    const second = await w.start();
    w.store.nodeGone(second.node.node);
    const [owned] = await w.store.acquire('other', 5000, 1, new Set());
    const [row] = await w.store.load([lamp]);
    await w.store.commit({
      owner: 'other',
      epochs: new Map([[7, owned!.epoch]]),
      rows: [{ ...row!, version: 2 }],
      entries: [entryOf(w, lamp, 2, 2, owned!.epoch)],
      records: [],
    });
    second.node.loseAll();
    await w.store.release('other', [7]);
    await w.clock.pass(1100);
    first!();
    await w.clock.pass(1);
    later!();
    await w.clock.pass(300);
    const answer = await second.router.send({ actorId: lamp, event: { type: 'FLICKER' }, by: ME });
    expect(answer).toMatchObject({ is: 'accepted', version: 3 });
    expect((await w.store.entries(w.companyId, 0, 10)).entries.map((e) => e.seq)).toEqual([1, 2, 3]);
  });

  it('and taken again while a spread reads its next page: the spread ends, and no entry is lost', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    const [open] = hold(w, 'snapshot');
    await w.send(socket, { type: 'CUT' });
    await w.clock.pass(1);
    await meanwhile(w);
    await w.clock.pass(1100);
    const { router } = w;
    const before = (await w.store.entries(w.companyId, 0, 100)).head;
    open!();
    await w.clock.pass(1);
    for (let n = 0; n < 3; n++)
      expect(await router.send({ actorId: lamp, event: { type: 'FLICKER' }, by: ME })).toMatchObject({
        is: 'accepted',
      });
    const versions = (await w.store.history(lamp, 0, 100)).map((row) => row.version);
    expect(versions).toEqual([1, 2, 3, 4]);
    expect((await w.store.entries(w.companyId, 0, 100)).head).toBe(before + 3);
  });

  it('and taken again while an actor is being loaded: what another node made of it is what counts', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const lamp = await w.lamp();
    const [open] = hold(w, 'load');
    const lost = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(1);
    await meanwhile(w, async (epoch) => {
      const [row] = await w.store.forNode('other').load([lamp]);
      await w.store.commit({
        owner: 'other',
        epochs: new Map([[7, epoch]]),
        rows: [{ ...row!, version: 2 }],
        entries: [entryOf(w, lamp, 2, 2, epoch)],
        records: [],
      });
    });
    await w.clock.pass(1100);
    open!();
    await lost;
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'accepted', version: 3 });
  });

  it('and taken again while an actor whose timer fired is being loaded: its timer fires once more', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const lamp = await w.lamp();
    expect(w.node.residence.get(lamp)).toBeUndefined();
    const [open] = hold(w, 'load');
    w.node.alarms.fired(lamp, w.clock.now());
    await w.clock.pass(1);
    await meanwhile(w);
    await w.clock.pass(1100);
    // The recovery found it due; its load joins the one that is under way.
    w.node.alarms.fired(lamp, w.clock.now());
    await w.clock.pass(1);
    const loads: string[] = [];
    w.faults.current = { fate: (call) => void (call === 'load' && loads.push(call)) };
    open!();
    await w.clock.pass(1);
    // Read again at once, or its timer fires once more.
    expect(loads.length > 0 || w.node.timers.dueOf(lamp) !== undefined).toBe(true);
  });

  it('and taken again while an actor is being loaded: who asks for it then is not told that there is none', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const lamp = await w.lamp();
    const [open] = hold(w, 'load');
    const before = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(1);
    await meanwhile(w);
    await w.clock.pass(1100);
    const after = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(1);
    open!();
    expect(await before).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    expect(await after).toMatchObject({ is: 'accepted', version: 2 });
  });
});

describe('a recovery that takes several tries', () => {
  it('brings no actor back as it was before its lease expired meanwhile', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    await w.claim(socket, 'c1');
    const { version } = (await w.router.get(lamp))!;
    await w.stop(100);
    // The first try has the lamp and fails at its socket; the second has read the lamp when its lease expires.
    let open = () => {};
    const after = new Promise<void>((resolve) => {
      open = resolve;
    });
    const asked = { load: 0, live: 0 };
    w.faults.current = {
      fate(call) {
        if (call === 'load' && ++asked.load === 1) return { is: 'lost' };
        if (call === 'live' && ++asked.live === 2) return { is: 'proceed', after };
        return undefined;
      },
    };
    const { router, node } = await w.start();
    await w.clock.pass(1000);
    expect(asked.live).toBe(2);
    expect((await w.store.load([lamp]))[0]?.version).toBe(version + 1);
    open();
    await w.clock.pass(300);
    const answer = await router.send({ actorId: lamp, event: { type: 'FLICKER' }, by: ME });
    expect(answer).toMatchObject({ is: 'accepted', version: version + 2 });
    expect(node.quarantines).toBe(0);
  });
});
