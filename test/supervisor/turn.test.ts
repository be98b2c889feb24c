import { describe, expect, it } from 'vitest';
import type { AnyKind } from '../../src/supervisor/resident.ts';
import { lampKind } from '../support/lamp-kind.ts';
import { lampWorld } from '../support/lamp-world.ts';

describe('a turn', () => {
  it('grants a freed slot to the next in the same turn, and both rows have the same commit', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const a = await w.lamp(socket);
    const b = await w.lamp(socket);
    expect(await w.claim(socket, 'c1')).toMatchObject({
      is: 'granted',
      grants: [JSON.stringify({ lamp: a })],
    });
    const waiting = w.claim(socket, 'c2', { waitMs: 10_000 });
    expect(await w.send(a, { type: 'UNPLUG' })).toMatchObject({ is: 'accepted', version: 3 });
    expect(await waiting).toMatchObject({ is: 'granted', grants: [JSON.stringify({ lamp: b })] });
    const [unplug] = (await w.store.history(a, 2, 1)).map((row) => row.seq);
    const [grant] = (await w.store.history(b, 1, 1)).map((row) => row.seq);
    expect(grant).toBe(unplug! + 1);
  });

  it('never grants more than the pool has, nor while it is closed', async () => {
    const w = await lampWorld();
    const socket = await w.socket(2);
    for (let n = 0; n < 5; n++) await w.lamp(socket);
    const first = await w.claim(socket, 'c1', { max: 5 });
    expect(first).toMatchObject({ is: 'granted' });
    expect(first.is === 'granted' && first.grants.length).toBe(2);
    expect(await w.claim(socket, 'c2', { max: 5 })).toEqual({ is: 'granted', grants: [] });
    await w.send(socket, { type: 'SET', max: 3 });
    const third = await w.claim(socket, 'c3', { max: 5 });
    expect(third.is === 'granted' && third.grants.length).toBe(1);
  });

  it('raising a limit grants waiting claims in that turn', async () => {
    const w = await lampWorld();
    const socket = await w.socket(0);
    await w.lamp(socket);
    const waiting = w.claim(socket, 'c1', { waitMs: 10_000 });
    await w.send(socket, { type: 'SET', max: 1 });
    expect((await waiting).is).toBe('granted');
  });

  it('answers a repeated claim with what it was granted', async () => {
    const w = await lampWorld();
    const socket = await w.socket(2);
    const a = await w.lamp(socket);
    await w.lamp(socket);
    await w.claim(socket, 'same');
    expect(await w.claim(socket, 'same')).toEqual({ is: 'granted', grants: [JSON.stringify({ lamp: a })] });
  });

  it('answers a claim with nothing at its deadline, and a withdrawn one is granted nothing', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const waiting = w.claim(socket, 'c1', { waitMs: 500 });
    await w.clock.pass(501);
    expect(await waiting).toEqual({ is: 'granted', grants: [] });
    const withdrawn = w.router.claim({
      pool: socket,
      companyId: w.companyId,
      claimId: 'c2',
      max: 1,
      waitMs: 10_000,
      session: null,
    });
    await w.clock.pass(1);
    withdrawn.withdraw();
    expect(await withdrawn.answer).toEqual({ is: 'granted', grants: [] });
    const lamp = await w.lamp(socket);
    expect(await w.story(lamp)).toEqual(['CREATED → waiting']);
  });

  it('gives a repeated key its first version and changes nothing', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    expect(await w.send(lamp, { type: 'FLICKER' }, { key: 'k' })).toMatchObject({
      is: 'accepted',
      version: 2,
    });
    await w.send(lamp, { type: 'FLICKER' });
    const again = await w.send(lamp, { type: 'FLICKER' }, { key: 'k' });
    expect(again).toMatchObject({ is: 'duplicate', version: 2 });
    expect(again.is === 'duplicate' && JSON.parse(again.view)).toMatchObject({ version: 3 });
  });

  it('forgets a key after sixteen later ones', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    for (let n = 0; n <= 16; n++) await w.send(lamp, { type: 'FLICKER' }, { key: `k${n}` });
    expect(await w.send(lamp, { type: 'FLICKER' }, { key: 'k1' })).toMatchObject({
      is: 'duplicate',
      version: 3,
    });
    expect(await w.send(lamp, { type: 'FLICKER' }, { key: 'k0' })).toMatchObject({
      is: 'accepted',
      version: 19,
    });
  });

  it('refuses what was decided on an older version, naming the current one', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    await w.send(lamp, { type: 'FLICKER' });
    expect(await w.send(lamp, { type: 'FLICKER' }, { expectedVersion: 1 })).toMatchObject({
      is: 'refused',
      code: 'CONFLICT',
      detail: { version: 2 },
    });
  });

  it('makes two events of one envelope or neither, and leaves no slot behind', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp();
    const plug = { type: 'PLUG', socket };
    expect(await w.send(lamp, { type: 'DIM' }, { first: plug, key: 'k' })).toMatchObject({
      is: 'refused',
      code: 'NOT_ALLOWED',
    });
    expect(await w.send(lamp, { type: 'FLICKER' }, { first: plug, expectedVersion: 7 })).toMatchObject({
      code: 'CONFLICT',
    });
    expect(await w.claim(socket, 'c1')).toEqual({ is: 'granted', grants: [] });
    expect(await w.story(lamp)).toEqual(['CREATED → off']);
    const both = { first: plug, key: 'k', expectedVersion: 1 };
    expect(await w.send(lamp, { type: 'FLICKER' }, both)).toMatchObject({ is: 'accepted', version: 3 });
    expect(await w.story(lamp)).toEqual(['CREATED → off', 'PLUG → waiting', 'FLICKER → waiting']);
    expect(await w.claim(socket, 'c2')).toMatchObject({ grants: [JSON.stringify({ lamp })] });
  });

  it('remembers the key of two events once, also after a restart', async () => {
    const w = await lampWorld();
    const lamp = await w.lamp();
    const both = { first: { type: 'FLICKER' }, key: 'k', expectedVersion: 1 };
    expect(await w.send(lamp, { type: 'FLICKER' }, both)).toMatchObject({ is: 'accepted', version: 3 });
    w.crash();
    await w.clock.pass(6000);
    const { router } = await w.start();
    const by = { kind: 'operator', id: 'me' } as const;
    const again = await router.send({ actorId: lamp, event: { type: 'FLICKER' }, by, ...both });
    expect(again).toMatchObject({ is: 'duplicate', version: 3 });
    expect(await w.story(lamp)).toHaveLength(3);
  });

  it('makes the same thing once for a repeated creation key, also after a restart', async () => {
    const w = await lampWorld();
    const first = await w.lamp(undefined, 'key');
    expect(await w.lamp(undefined, 'key')).toBe(first);
    w.crash();
    await w.clock.pass(6000);
    const { router } = await w.start();
    const again = await router.create({
      kind: 'lamp',
      companyId: w.companyId,
      asked: [{}],
      by: { kind: 'operator', id: 'me' },
      key: 'key',
    });
    expect(again).toMatchObject({ is: 'duplicate', items: [{ id: first }] });
  });

  it('makes all of a creation or none of it, and numbers without gaps', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const asked = [{}, { socket: 'i0070000000000' }, {}];
    const refused = await w.router.create({
      kind: 'lamp',
      companyId: w.companyId,
      asked,
      by: { kind: 'operator', id: 'me' },
    });
    expect(refused).toMatchObject({ is: 'refused', code: 'NOT_FOUND', detail: { index: 1 } });
    await w.lamp(socket);
    await w.lamp();
    const { items } = await w.router.list({ companyId: w.companyId, kind: 'lamp', limit: 10 });
    expect(items.map((item) => item.ordinal)).toEqual([1, 2]);
  });

  it('refuses a turn whose actors cause events without end, and changes nothing', async () => {
    const w = await lampWorld();
    const socket = await w.socket(2);
    const a = await w.lamp(socket);
    const b = await w.lamp(socket);
    await w.claim(socket, 'c', { max: 2 });
    expect(await w.send(a, { type: 'CHAIN', to: socket })).toMatchObject({ is: 'refused', code: 'INTERNAL' });
    expect((await w.router.get(a))?.version).toBe(2);
    expect((await w.router.get(b))?.version).toBe(2);
    expect(await w.send(a, { type: 'FLICKER' })).toMatchObject({ is: 'accepted', version: 3 });
  });

  it('puts aside an actor whose machine throws, keeps its last state, and the others go on', async () => {
    const w = await lampWorld();
    const a = await w.lamp();
    const b = await w.lamp();
    expect(await w.send(a, { type: 'BURST' })).toMatchObject({ is: 'refused', code: 'INTERNAL' });
    expect(await w.send(a, { type: 'FLICKER' })).toMatchObject({
      is: 'refused',
      code: 'NOT_ALLOWED',
      detail: { state: 'quarantined' },
    });
    const shown = await w.router.get(a);
    expect(JSON.parse(shown!.view)).toMatchObject({ version: 1, why: { reason: 'the filament broke' } });
    expect(await w.send(b, { type: 'FLICKER' })).toMatchObject({ is: 'accepted', version: 2 });
  });

  it('tells the holders of a pool in the same turn, and spreads to the rest in pages until told it is done', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lit = await w.lamp(socket);
    await w.claim(socket, 'c');
    const waiting = [await w.lamp(socket), await w.lamp(socket)];
    await w.send(socket, { type: 'CUT' });
    await w.clock.pass(10);
    expect(await w.story(lit)).toEqual(['CREATED → waiting', 'CURRENT → on', 'FUSE → off']);
    for (const lamp of waiting) expect(await w.story(lamp)).toEqual(['CREATED → waiting', 'UNPLUG → off']);
    expect(await w.story(socket)).toEqual(['CREATED → live', 'CUT → dead', 'DONE → gone']);
  });

  it('loads what it needs when it is not in memory, and keeps the order of events for one actor', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const socket = await w.socket(1);
    const lamps: string[] = [];
    for (let n = 0; n < 20; n++) lamps.push(await w.lamp(socket));
    expect(w.node.residence.size).toBeLessThan(5);
    const answers = await Promise.all(
      lamps.flatMap((id) => [
        w.send(id, { type: 'FLICKER' }),
        w.send(id, { type: 'UNPLUG' }),
        w.send(id, { type: 'FLICKER' }),
      ]),
    );
    expect(answers.map((a) => a.is === 'accepted' && a.version)).toEqual(lamps.flatMap(() => [2, 3, 4]));
    expect(await w.claim(socket, 'c')).toEqual({ is: 'granted', grants: [] });
  });
});

describe('a pool', () => {
  it('is known after a takeover before anybody claims of it: who waits sees why', async () => {
    const w = await lampWorld();
    const socket = await w.socket(2);
    const lamp = await w.lamp(socket);
    w.crash();
    w.store.nodeGone(w.node.node);
    const second = await w.start();
    const shown = await second.router.get(lamp);
    expect(JSON.parse(shown!.view)).toMatchObject({ pool: { max: 2, held: 0, wanting: 1, online: false } });
  });
});

describe('a lease', () => {
  it('expires unless it is renewed, and a heartbeat is not journalled', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    await w.claim(socket, 'c');
    await w.clock.pass(400);
    expect(await w.send(lamp, { type: 'HEAT' })).toMatchObject({ is: 'unchanged', version: 2 });
    await w.clock.pass(400);
    expect((await w.router.get(lamp))?.version).toBe(2);
    await w.clock.pass(200);
    expect(await w.story(lamp)).toEqual(['CREATED → waiting', 'CURRENT → on', 'COLD → off']);
  });

  it('comes again when its turn is refused: the run does not keep its slot for ever', async () => {
    const w = await lampWorld();
    const lamps = lampKind();
    let stormy = true;
    (w.node.kinds as Map<string, AnyKind>).set('lamp', {
      ...lamps,
      machine: lamps.machine.provide({ delays: { burn: 60_000 } } as never),
      lease: (s) => {
        const lease = lamps.lease!(s as never);
        return lease && { ...lease, expired: { type: 'CHAIN', to: lease.runId } };
      },
      judge: (event, s) =>
        event.type === 'CHAIN' && !stormy
          ? { is: 'apply', event: { type: 'COLD' } }
          : lamps.judge(event as never, s as never),
    } as AnyKind);
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    await w.claim(socket, 'c');
    await w.clock.pass(600);
    expect(w.logged).toContain('error a turn caused too many events and was refused');
    stormy = false;
    await w.clock.pass(10_000);
    expect(await w.story(lamp)).toEqual(['CREATED → waiting', 'CURRENT → on', 'COLD → off']);
  });

  it('is full again after a takeover', async () => {
    const w = await lampWorld();
    const socket = await w.socket(1);
    const lamp = await w.lamp(socket);
    await w.claim(socket, 'c');
    await w.clock.pass(400);
    w.crash();
    w.store.nodeGone(w.node.node);
    const second = await w.start();
    const shown = await second.router.get(lamp);
    expect(JSON.parse(shown!.view)).toMatchObject({ on: true });
    const { leaseUntil } = JSON.parse(shown!.view) as { leaseUntil: number };
    expect(leaseUntil).toBeGreaterThan(w.clock.now());
    await w.clock.pass(150);
    expect((await w.story(lamp)).at(-1)).toBe('CURRENT → on');
    await w.clock.pass(150);
    expect((await w.story(lamp)).length).toBe(3);
  });
});

describe('a timer', () => {
  it('fires once at its due time, also when its actor is no longer in memory or the node is new', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const socket = await w.socket(2);
    const lamp = await w.lamp(socket);
    await w.claim(socket, 'c');
    w.crash();
    await w.clock.pass(100);
    w.store.nodeGone(w.node.node);
    await w.start();
    await w.send(lamp, { type: 'FLICKER' }).catch(() => {});
    const before = await w.story(lamp);
    expect(before).toEqual(['CREATED → waiting', 'CURRENT → on']);
    await w.clock.pass(700);
    expect(
      (await w.story(lamp)).filter((line) => line.startsWith('BURNT') || line.startsWith('COLD')).length,
    ).toBe(1);
  });
});
