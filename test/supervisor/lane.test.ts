import { describe, expect, it } from 'vitest';
import type { Fate, MemoryFaults, StoreCall } from '../../src/persistence/memory-faults.ts';
import { lampWorld, ME } from '../support/lamp-world.ts';

/** Fates of commits, in order; what is not listed proceeds. */
function commits(...fates: (Fate | undefined)[]): MemoryFaults {
  let n = 0;
  return { fate: (call: StoreCall) => (call === 'commit' ? fates[n++] : undefined) };
}

const idPart = (partition: number) => partition.toString(16).padStart(3, '0');

/** A gate: a promise and the way to open it. */
function gate() {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

describe('a lane', () => {
  it('lets nobody hear of a turn before it is committed (A3)', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const held = gate();
    const heard: string[] = [];
    await w.router.subscribe({ is: 'actor', companyId: w.companyId, id: lamp }, null, {
      opened: () => {},
      snapshot: () => {},
      change: (p) => heard.push(p.type),
      reset: () => {},
    });
    w.faults.current = commits({ is: 'proceed', before: held.promise });
    const answer = w.send(lamp, { type: 'FLICKER' }).then((a) => heard.push(a.is));
    const refusal = w.send(lamp, { type: 'PLUG', socket: 's0070000000000' }).then((a) => heard.push(a.is));
    await w.clock.pass(10);
    expect(heard).toEqual([]);
    expect((await w.router.get(lamp))?.version).toBe(1);
    held.open();
    await Promise.all([answer, refusal]);
    expect(heard.sort()).toEqual(['FLICKER', 'accepted', 'refused']);
  });

  it('gathers what comes while a commit is in flight into one batch (A4)', async () => {
    const w = await lampWorld();
    const lamps = [await w.lamp(), await w.lamp(), await w.lamp()];
    const held = gate();
    let count = 0;
    w.faults.current = {
      fate: (call) => {
        if (call !== 'commit') return undefined;
        count++;
        return count === 1 ? { is: 'proceed', before: held.promise } : undefined;
      },
    };
    const answers = lamps.flatMap((id) => [w.send(id, { type: 'FLICKER' }), w.send(id, { type: 'FLICKER' })]);
    await w.clock.pass(1);
    answers.push(...lamps.map((id) => w.send(id, { type: 'FLICKER' })));
    held.open();
    await Promise.all(answers);
    expect(count).toBe(2);
  });

  it('answers each event of a batch with its actor as of that event, which its change shares', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const told: number[] = [];
    await w.router.subscribe({ is: 'actor', companyId: w.companyId, id: lamp }, null, {
      opened() {},
      snapshot() {},
      change: (p) => told.push(JSON.parse(p.text({ view: true, stamp: false })).lamp.version),
      reset() {},
    });
    const { showing } = w.node;
    const { view } = showing;
    let shown = 0;
    showing.view = (actor, version) => {
      shown++;
      return view.call(showing, actor, version);
    };
    const send = (key: string) => w.send(lamp, { type: 'FLICKER' }, { key });
    const answers = await Promise.all([send('a'), send('b'), send('c'), send('a')]);
    const views = answers.map((answer) => ('view' in answer ? JSON.parse(answer.view).version : answer));
    expect(answers).toMatchObject([{ version: 2 }, { version: 3 }, { version: 4 }, { version: 2 }]);
    // What was done before is answered with what is now.
    expect(views).toEqual([2, 3, 4, 4]);
    expect(told).toEqual([2, 3, 4]);
    expect(shown).toBe(3);
  });

  it('sends the same batch again until its outcome is known, and applies it once', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    w.faults.current = commits({ is: 'unanswered' }, { is: 'lost' });
    const answer = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(200);
    expect(await answer).toMatchObject({ is: 'accepted', version: 2 });
    expect(await w.story(lamp)).toEqual(['CREATED → off', 'FLICKER → off']);
  });

  it('refuses new work while the database is silent, and goes on when it answers again', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    let away = true;
    w.faults.current = { fate: (call) => (away && call === 'commit' ? { is: 'lost' } : undefined) };
    const first = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(1500);
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    away = false;
    await w.clock.pass(1100);
    expect(await first).toMatchObject({ is: 'accepted', version: 2 });
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'accepted', version: 3 });
  });

  it('commits the rest of a batch when one turn cannot be stored, and puts that actor aside (A5)', async () => {
    const w = await lampWorld();
    const [a, bad, b] = [await w.lamp(), await w.lamp(), await w.lamp()];
    const held = gate();
    w.faults.current = commits(
      { is: 'proceed', before: held.promise },
      { is: 'rejected' },
      undefined,
      { is: 'rejected' },
      undefined,
    );
    const opening = w.send(a!, { type: 'FLICKER' });
    await w.clock.pass(1);
    const answers = [
      w.send(a!, { type: 'FLICKER' }),
      w.send(bad!, { type: 'FLICKER' }),
      w.send(bad!, { type: 'FLICKER' }),
      w.send(b!, { type: 'FLICKER' }),
    ];
    held.open();
    await opening;
    const [first, second, third, fourth] = await Promise.all(answers);
    expect(first).toMatchObject({ is: 'accepted', version: 3 });
    expect(second).toMatchObject({ is: 'refused', code: 'INTERNAL' });
    expect(third).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    expect(fourth).toMatchObject({ is: 'accepted', version: 2 });
    expect(await w.send(bad!, { type: 'FLICKER' })).toMatchObject({ code: 'NOT_ALLOWED' });
    const seqs = (await w.store.entries(w.companyId, 0, 100)).entries.map((row) => row.seq);
    expect(seqs).toEqual(seqs.map((_, n) => n + 1));
  });

  it('gives the partition up when another node has taken it, and answers what was in flight with a retryable code', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    w.store.nodeGone(w.node.node);
    await w.store.acquire('thief', 5000, 1, new Set());
    const reset: string[] = [];
    await w.router.subscribe({ is: 'actor', companyId: w.companyId, id: lamp }, null, {
      opened: () => {},
      snapshot: () => {},
      change: () => {},
      reset: (reason) => reset.push(reason),
    });
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    expect(w.node.partitions.size).toBe(0);
    expect(reset).toEqual(['moved']);
    expect(await w.story(lamp)).toEqual(['CREATED → off']);
  });

  it('goes through memory once, however many partitions of a batch another node has taken', async () => {
    const w = await lampWorld({ partitions: [8, 10, 12] });
    const companies = [8, 10, 12].map((partition) => ({ id: `c${idPart(partition)}aaaaaaaaaaaaaaaaaa` }));
    for (const { id } of companies)
      await w.store.catalog.createCompany({ id, name: id, prefix: `P${id.slice(3, 4)}`, createdAt: 1 });
    const held = gate();
    w.faults.current = commits({ is: 'proceed', before: held.promise });
    const born = (companyId: string) => w.router.create({ kind: 'lamp', companyId, asked: [{}], by: ME });
    const first = born(w.companyId);
    await w.clock.pass(1);
    const answers = companies.map(({ id }) => born(id));
    await w.clock.pass(1);
    w.store.nodeGone(w.node.node);
    await w.store.acquire('thief', 5000, 3, new Set());
    held.open();
    for (const answer of [first, ...answers])
      expect(await answer).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    expect(w.logged.filter((line) => line.includes('lost')).length).toBeLessThanOrEqual(2);
    expect(w.node.partitions.size).toBe(0);
  });

  it('stops serving by its own clock when its heartbeats are not answered', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    w.faults.current = { fate: () => ({ is: 'lost' }) };
    await w.clock.pass(6000);
    expect(w.node.partitions.size).toBe(0);
    const answer = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(6000);
    expect(await answer).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
  });
});

describe('a node that stops', () => {
  it('commits what is in flight, refuses what is new, and lets another take over at once', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const held = gate();
    w.faults.current = commits({ is: 'proceed', before: held.promise });
    const answer = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(1);
    const stopped = w.stop(1000);
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'retry', code: 'DRAINING' });
    held.open();
    await w.clock.pass(50);
    await stopped;
    expect(await answer).toMatchObject({ is: 'accepted', version: 2 });
    const second = await w.start();
    expect(await second.router.get(lamp)).toMatchObject({ version: 2 });
  });
});
