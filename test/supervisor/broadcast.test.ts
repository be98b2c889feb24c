import { describe, expect, it } from 'vitest';
import type { Router, Topic } from '../../src/supervisor/router.ts';
import { type LampWorld, lampWorld } from '../support/lamp-world.ts';

interface Seen {
  opened: { recovered: boolean; seq: number }[];
  items: { id: string; version: number }[];
  changes: { seq: number; version: number; type: string; lamp?: { version: number } }[];
  resets: string[];
}

async function watch(
  router: Router,
  topic: Topic,
  since: number | null = null,
): Promise<Seen & { close(): void }> {
  const seen: Seen = { opened: [], items: [], changes: [], resets: [] };
  const subscribed = await router.subscribe(topic, since, {
    opened: (to) => seen.opened.push(to),
    snapshot: (s) =>
      seen.items.push(...s.items.map((text) => JSON.parse(text) as { id: string; version: number })),
    change: (p) =>
      seen.changes.push(JSON.parse(p.text({ view: topic.is !== 'journal', stamp: false })) as never),
    reset: (reason) => seen.resets.push(reason),
  });
  if (subscribed.is !== 'open') throw new Error(subscribed.code);
  return { ...seen, close: () => subscribed.close() };
}

const company = (w: LampWorld, where: Extract<Topic, { is: 'company' }>['where'] = null): Topic => ({
  is: 'company',
  companyId: w.companyId,
  where,
});

describe('a subscription', () => {
  it('to what does not exist, or was deleted, is refused for good and not told to try again', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const gone = `${lamp.slice(0, -1)}${lamp.endsWith('0') ? '1' : '0'}`;
    const subscribed = await w.router.subscribe({ is: 'actor', companyId: w.companyId, id: gone }, null, {
      opened: () => {},
      snapshot: () => {},
      change: () => {},
      reset: () => {},
    });
    expect(subscribed).toMatchObject({ is: 'refused', code: 'NOT_FOUND' });
  });

  it('gets a snapshot and then every change, without gap or duplicate, while the snapshot is being read', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    let open = () => {};
    const held = new Promise<void>((resolve) => {
      open = resolve;
    });
    w.faults.current = {
      fate: (call) => (call === 'snapshot' ? { is: 'proceed', before: held } : undefined),
    };
    const watching = watch(w.router, company(w));
    await w.clock.pass(1);
    await w.send(lamp, { type: 'FLICKER' });
    open();
    const seen = await watching;
    await w.send(lamp, { type: 'FLICKER' });
    expect(seen.opened).toEqual([{ recovered: false, seq: 2 }]);
    expect(seen.items).toMatchObject([{ id: lamp, version: 2 }]);
    expect(seen.changes.map((c) => c.seq)).toEqual([3]);
    expect(seen.changes[0]?.lamp?.version).toBe(3);
  });

  it('whose journal cannot be read on is told that it is over: whoever was told `ok` would wait for ever', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    w.faults.current = { fate: (call) => (call === 'history' ? { is: 'lost' } : undefined) };
    const seen = await watch(w.router, { is: 'journal', companyId: w.companyId, id: lamp });
    expect(seen.opened).toEqual([{ recovered: false, seq: 1 }]);
    expect(seen.resets).toEqual(['moved']);
    w.faults.current = undefined;
    await w.send(lamp, { type: 'FLICKER' });
    expect(seen.changes).toEqual([]);
    const again = await watch(w.router, { is: 'journal', companyId: w.companyId, id: lamp });
    expect(again.changes.map((c) => c.version)).toEqual([1, 2]);
  });

  it('that was told nothing yet is refused when its database does not answer', async () => {
    const w = await lampWorld();
    w.faults.current = { fate: (call) => (call === 'snapshot' ? { is: 'lost' } : undefined) };
    await expect(watch(w.router, company(w))).rejects.toThrow('UNAVAILABLE');
  });

  it('resumes with only what it missed, with the view as of each version', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    for (let n = 0; n < 3; n++) await w.send(lamp, { type: 'FLICKER' });
    const seen = await watch(w.router, company(w), 2);
    expect(seen.opened).toEqual([{ recovered: true, seq: 4 }]);
    expect(seen.changes.map((c) => [c.seq, c.lamp?.version])).toEqual([
      [3, 3],
      [4, 4],
    ]);
    expect(seen.items).toEqual([]);
  });

  it('resumes out of the journal after a restart, and the texts are the same to the letter', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const live = await watch(w.router, company(w));
    for (let n = 0; n < 3; n++) await w.send(lamp, { type: 'FLICKER' });
    await w.stop(100);
    const second = await w.start();
    const seen = await watch(second.router, company(w), 1);
    expect(seen.opened).toEqual([{ recovered: true, seq: 4 }]);
    expect(seen.changes).toEqual(live.changes);
  });

  it('with a filter that resumes out of the journal is told of an actor that left it meanwhile', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp(await w.socket(1));
    const waiting = company(w, { states: ['waiting'] });
    const { opened } = await watch(w.router, waiting);
    await w.send(lamp, { type: 'UNPLUG' });
    await w.send(lamp, { type: 'FLICKER' });
    await w.stop(100);
    const second = await w.start();
    const seen = await watch(second.router, waiting, opened[0]!.seq);
    expect(seen.opened).toMatchObject([{ recovered: true }]);
    expect(seen.changes.map((c) => c.type)).toEqual(['UNPLUG']);
  });

  it('to a pool that resumes out of the journal is told of what left it meanwhile', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    const pool: Topic = { is: 'pool', companyId: w.companyId, id: socket };
    const { opened } = await watch(w.router, pool);
    await w.send(lamp, { type: 'UNPLUG' });
    await w.send(lamp, { type: 'FLICKER' });
    await w.stop(100);
    const second = await w.start();
    const seen = await watch(second.router, pool, opened[0]!.seq);
    expect(seen.opened).toMatchObject([{ recovered: true }]);
    expect(seen.changes.map((c) => c.type)).toEqual(['UNPLUG']);
  });

  it('gets a fresh snapshot when its cursor is above the head', async () => {
    const w = await lampWorld();
    await w.lamp();
    const seen = await watch(w.router, company(w), 99);
    expect(seen.opened).toEqual([{ recovered: false, seq: 1 }]);
    expect(seen.items.length).toBe(1);
  });

  it('gets a fresh snapshot when the journal no longer reaches back, never a gap', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    for (let n = 0; n < 5; n++) await w.send(lamp, { type: 'FLICKER' });
    await w.store.prune(w.node.held, w.clock.now() + 1, [], 2, 100);
    await w.stop(100);
    const second = await w.start();
    const seen = await watch(second.router, company(w), 1);
    expect(seen.opened).toEqual([{ recovered: false, seq: 6 }]);
    expect(seen.items).toMatchObject([{ version: 6 }]);
  });

  it('with a filter sees an actor leave: the change that matched before it only', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    const seen = await watch(w.router, company(w, { states: ['waiting'] }));
    await w.send(lamp, { type: 'UNPLUG' });
    await w.send(lamp, { type: 'FLICKER' });
    expect(seen.items).toMatchObject([{ id: lamp }]);
    expect(seen.changes.map((c) => c.type)).toEqual(['UNPLUG']);
  });

  it('to a pool sees what concerns it, and nothing of others', async () => {
    const w = await lampWorld();
    const [one, two] = [await w.socket(1), await w.socket(1)];
    const a = await w.lamp(one);
    const b = await w.lamp(two);
    const seen = await watch(w.router, { is: 'pool', companyId: w.companyId, id: one! });
    await w.send(a, { type: 'UNPLUG' });
    await w.send(b, { type: 'UNPLUG' });
    expect(seen.items).toMatchObject([{ id: a }]);
    expect(seen.changes.map((c) => c.type)).toEqual(['UNPLUG']);
  });

  it('to a journal counts versions, from the first on, and goes on live', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    await w.send(lamp, { type: 'FLICKER' });
    const seen = await watch(w.router, { is: 'journal', companyId: w.companyId, id: lamp });
    await w.send(lamp, { type: 'FLICKER' });
    expect(seen.opened).toEqual([{ recovered: false, seq: 2 }]);
    expect(seen.changes.map((c) => c.version)).toEqual([1, 2, 3]);
    const resumed = await watch(w.router, { is: 'journal', companyId: w.companyId, id: lamp }, 2);
    expect(resumed.changes.map((c) => c.version)).toEqual([3]);
  });

  it('hears nothing more once it is closed', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const seen = await watch(w.router, company(w));
    seen.close();
    await w.send(lamp, { type: 'FLICKER' });
    expect(seen.changes).toEqual([]);
  });
});

describe('the board', () => {
  it('counts once and then follows the changes', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    await w.lamp();
    expect((await w.router.stats(w.companyId)).byState).toEqual({ off: 1, waiting: 1, on: 0, dimmed: 0 });
    await w.send(lamp, { type: 'UNPLUG' });
    expect((await w.router.stats(w.companyId)).byState).toEqual({ off: 2, waiting: 0, on: 0, dimmed: 0 });
  });
});
