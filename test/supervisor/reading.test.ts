/** What is read while the database goes on: timers of the next minute, counts, histories, rows that cannot be read. */
import { describe, expect, it } from 'vitest';
import { sweep } from '../../src/supervisor/recovery.ts';
import { hold } from '../support/lamp-trouble.ts';
import { lampWorld, ME } from '../support/lamp-world.ts';

describe('the timers of the next minute', () => {
  it('are not put off by a page that was read before an earlier one was set', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    await w.claim(socket, 'c1');
    await w.send(lamp, { type: 'UNPLUG' });
    // A sweep read the lamp when it was due later; meanwhile it is due sooner and no longer in memory.
    const due = w.clock.now() + 5000;
    w.node.timers.set(lamp, due);
    w.node.store.due = async (_partitions, _before, _limit, after) =>
      after ? [] : [{ id: lamp, dueAt: due + 20_000, version: 1 }];
    w.node.residence.remove(lamp);
    await sweep(w.node, new Set([7]));
    expect(w.node.timers.dueOf(lamp)).toBe(due);
  });
});

describe('a turn that needs two actors while memory is full', () => {
  it('is made, though every commit meanwhile drives out what was loaded for it', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const socket = await w.socket(1);
    const other = await w.socket(1);
    const [lamp, noise] = [await w.lamp(), await w.lamp(other)];
    await w.claim(other, 'c1');
    w.faults.current = {
      fate(call) {
        if (call !== 'load') return undefined;
        return { is: 'proceed', after: new Promise<void>((resolve) => w.clock.after(5, resolve)) };
      },
    };
    const plug: object = { type: 'PLUG', socket };
    const answer = w.send(lamp, plug as { type: string });
    let answered = false;
    void answer.then(() => {
      answered = true;
    });
    for (let n = 0; n < 50 && !answered; n++) {
      void w.send(noise, { type: 'FLICKER' });
      await w.clock.pass(2);
    }
    expect(answered).toBe(true);
    expect(w.node.mailbox.needs(lamp)).toBe(false);
    expect(await answer).toMatchObject({ is: 'accepted' });
  });
});

describe('a spread over many actors that are not in memory', () => {
  it('loads a page of them at once', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const socket = await w.socket(1);
    for (let n = 0; n < 40; n++) await w.lamp(socket);
    let loads = 0;
    w.faults.current = {
      fate(call) {
        if (call === 'load') loads++;
        return undefined;
      },
    };
    await w.send(socket, { type: 'CUT' });
    await w.clock.pass(100);
    const { items } = await w.router.list({
      companyId: w.companyId,
      kind: 'lamp',
      states: ['off'],
      limit: 100,
    });
    expect(items).toHaveLength(40);
    expect(loads).toBeLessThan(10);
  });
});

describe('the board', () => {
  it('follows what retention deletes', async () => {
    const w = await lampWorld();
    for (let n = 0; n < 3; n++) await w.lamp();
    expect((await w.router.stats(w.companyId)).byState).toMatchObject({ off: 3 });
    await w.clock.pass(1000);
    await w.store.prune(w.node.held, w.clock.now(), ['off'], 1, 100);
    await w.clock.pass(20_000);
    await w.router.stats(w.companyId);
    expect((await w.router.stats(w.companyId)).byState).toMatchObject({ off: 1 });
  });

  it('loses no change that lands while it is counted anew', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    await w.router.stats(w.companyId);
    await w.clock.pass(20_000);
    const [open] = hold(w, 'counts');
    const stats = w.router.stats(w.companyId);
    await w.clock.pass(1);
    await w.send(lamp, { type: 'UNPLUG' });
    open!();
    expect((await stats).byState).toMatchObject({ off: 1, waiting: 0 });
  });
});

describe('the rates of a company', () => {
  it('tell how often each way through the machine was taken in the last ten seconds', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    await w.router.stats(w.companyId);
    await w.send(lamp, { type: 'FLICKER' });
    await w.send(lamp, { type: 'FLICKER' });
    await w.send(lamp, { type: 'UNPLUG' });
    const stats = await w.router.stats(w.companyId);
    expect(stats.transitions).toEqual([
      { type: 'FLICKER', from: 'waiting', to: 'waiting', perSecond: 0.2 },
      { type: 'UNPLUG', from: 'waiting', to: 'off', perSecond: 0.1 },
    ]);
    expect(stats.eventsPerSecond).toBe(0.3);
    await w.clock.pass(10_000);
    expect((await w.router.stats(w.companyId)).transitions).toEqual([]);
  });
});

describe('a version of the past', () => {
  it('is the entry and the actor as of it, also one that is not in memory and far from its birth', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const lamp = await w.lamp();
    await Promise.all(Array.from({ length: 2500 }, () => w.send(lamp, { type: 'FLICKER' })));
    const socket = await w.socket(1);
    await w.send(lamp, { type: 'PLUG', socket } as { type: string });
    const at = async (version: number) => {
      const asked = w.router.version(lamp, version);
      await w.clock.pass(100);
      const found = await asked;
      return found && JSON.parse(found.text({ view: true, stamp: false }));
    };
    expect(await at(1)).toMatchObject({ version: 1, from: null, to: 'off', lamp: { version: 1 } });
    expect(await at(2501)).toMatchObject({ version: 2501, type: 'FLICKER', lamp: { version: 2501 } });
    expect(await at(2502)).toMatchObject({
      version: 2502,
      type: 'PLUG',
      from: 'off',
      lamp: { version: 2502 },
    });
    expect(await at(2503)).toBeNull();
    expect(await w.router.version('i7f3000000000000', 1)).toBeNull();
  });
});

describe('a resume out of the journal', () => {
  it('lets others go on while it replays', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    await Promise.all(Array.from({ length: 3000 }, () => w.send(lamp, { type: 'FLICKER' })));
    await w.stop(100);
    const second = await w.start();
    const seen: number[] = [];
    let longest = 0;
    let before = 0;
    let on = true;
    const others = () => {
      longest = Math.max(longest, seen.length - before);
      before = seen.length;
      if (on) setImmediate(others);
    };
    setImmediate(others);
    const subscribed = second.router.subscribe({ is: 'actor', companyId: w.companyId, id: lamp }, 1, {
      opened: () => {},
      snapshot: () => {},
      change: (p) => seen.push(p.seq),
      reset: () => {},
    });
    const written = second.router.send({ actorId: lamp, event: { type: 'FLICKER' }, by: ME });
    for (let n = 0; n < 50; n++) await w.clock.pass(1);
    await subscribed;
    await written;
    on = false;
    expect(seen).toEqual(Array.from({ length: 3001 }, (_, n) => n + 2));
    expect(longest).toBeLessThan(1000);
  });
});

describe('a row that cannot be read', () => {
  it('keeps the slot that it holds: its pool is not given out twice', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const [held, waiting] = [await w.lamp(socket), await w.lamp(socket)];
    await w.claim(socket, 'c1');
    await w.stop(100);
    const [row] = await w.store.load([held]);
    const [owned] = await w.store.acquire('other', 5000, 1, new Set());
    await w.store.commit({
      owner: 'other',
      epochs: new Map([[7, owned!.epoch]]),
      rows: [{ ...row!, version: 3, snapshot: '{' }],
      entries: [],
      records: [],
    });
    await w.store.release('other', [7]);
    const { router } = await w.start();
    const of = { pool: socket, companyId: w.companyId, claimId: 'c2', max: 1, waitMs: 0, session: null };
    expect(await router.claim(of).answer).toEqual({ is: 'granted', grants: [] });
    expect((await w.store.load([waiting]))[0]?.holds).toBe(false);
  });
});
