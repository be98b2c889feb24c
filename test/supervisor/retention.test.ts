import { describe, expect, it } from 'vitest';
import { delay } from '../support/lamp-trouble.ts';
import { type LampWorld, lampWorld, ME } from '../support/lamp-world.ts';

/** What is kept, ms; rounds come once a minute. */
const KEPT = 30_000;
const ROUNDS = 130_000;
/** Under a lamp's lease, ms. */
const HEATED_EVERY = 400;

/** A lamp that has ended long ago and is heated in its socket, the only one, ever since. */
async function dimmed(w: LampWorld): Promise<{ socket: string; lamp: string }> {
  const socket = await w.socket(1);
  const lamp = await w.lamp(socket);
  await w.claim(socket, 'c1');
  await w.send(lamp, { type: 'DIM' });
  await w.lamp();
  for (let ms = 0; ms < ROUNDS; ms += HEATED_EVERY) {
    await w.clock.pass(HEATED_EVERY);
    await w.send(lamp, { type: 'HEAT' });
  }
  return { socket, lamp };
}

describe('retention', () => {
  it('deletes what has ended and is old, keeps what lives however old it is, and numbering goes on', async () => {
    const w = await lampWorld({ retentionMs: KEPT });
    const socket = await w.socket(1);
    const ended = [await w.lamp(), await w.lamp()];
    const living = await w.lamp(socket);
    await w.clock.pass(ROUNDS);
    const young = await w.lamp();
    await w.clock.pass(1000);
    for (const lamp of ended) expect(await w.router.get(lamp)).toBeNull();
    expect(await w.router.get(living)).toMatchObject({ version: 1 });
    expect(await w.router.get(young)).toMatchObject({ version: 1 });
    const next = await w.lamp();
    const { items } = await w.router.list({ companyId: w.companyId, kind: 'lamp', limit: 10 });
    expect(items.map((item) => [item.id, item.ordinal])).toEqual([
      [living, 3],
      [young, 4],
      [next, 5],
    ]);
  });

  it('keeps the entries a subscriber may have missed, and never leaves a gap', async () => {
    const w = await lampWorld({ retentionMs: KEPT });
    const lamp = await w.lamp();
    for (let n = 0; n < 5; n++) await w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(ROUNDS);
    const { oldest, head, entries } = await w.store.entries(w.companyId, 0, 100);
    expect(entries.map((row) => row.seq)).toEqual(
      Array.from({ length: head - oldest + 1 }, (_, n) => oldest + n),
    );
  });

  it('keeps what has ended and still holds a slot: its last word is heard and frees the slot', async () => {
    const w = await lampWorld({ retentionMs: KEPT });
    const { socket, lamp } = await dimmed(w);
    const next = await w.lamp(socket);
    expect(await w.claim(socket, 'c2')).toEqual({ is: 'granted', grants: [] });
    expect(await w.send(lamp, { type: 'UNPLUG' })).toMatchObject({ is: 'accepted', version: 4 });
    expect(await w.claim(socket, 'c3')).toEqual({ is: 'granted', grants: [JSON.stringify({ lamp: next })] });
    await w.clock.pass(ROUNDS);
    expect(await w.router.get(lamp)).toBeNull();
  });

  it('takes no slot from what has ended and holds one: the next owner of its partition gives it to nobody else', async () => {
    const w = await lampWorld({ retentionMs: KEPT });
    const { socket, lamp } = await dimmed(w);
    await w.lamp(socket);
    await w.stop(100);
    const { router } = await w.start();
    const { companyId } = w;
    const claim = { pool: socket, companyId, claimId: 'c2', max: 1, waitMs: 0, session: null as never };
    expect(await router.claim(claim).answer).toEqual({ is: 'granted', grants: [] });
    expect(await router.send({ actorId: lamp, event: { type: 'HEAT' }, by: ME })).toMatchObject({
      version: 3,
    });
  });

  it('reads nothing back that a statement under way deletes: to whoever asks it is gone already', async () => {
    const w = await lampWorld({ retentionMs: KEPT });
    const lamp = await w.lamp();
    await w.lamp();
    const open = delay(w, 'prune');
    await w.clock.pass(ROUNDS);
    const asked = [await w.send(lamp, { type: 'HEAT' })];
    open();
    await w.clock.pass(1);
    asked.push(await w.send(lamp, { type: 'FLICKER' }));
    const notFound = { is: 'refused', code: 'NOT_FOUND' };
    expect(asked).toMatchObject([notFound, notFound]);
    expect(w.logged.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it('spares what has ended and is old while a turn of it waits to be committed', async () => {
    const w = await lampWorld({ retentionMs: KEPT });
    const [lamp, other] = [await w.lamp(), await w.lamp()];
    await w.lamp();
    await w.clock.pass(ROUNDS / 2 - 10_000);
    const open = delay(w, 'commit');
    const answer = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(ROUNDS / 2);
    open();
    expect(await answer).toMatchObject({ is: 'accepted', version: 2 });
    await w.clock.pass(1000);
    expect(await w.router.get(lamp)).toMatchObject({ version: 2 });
    await w.clock.pass(ROUNDS);
    for (const gone of [lamp, other]) expect(await w.router.get(gone)).toBeNull();
  });

  it('answers for what it deleted as for what never was', async () => {
    const w = await lampWorld({ retentionMs: KEPT });
    const lamp = await w.lamp();
    await w.lamp();
    await w.clock.pass(ROUNDS);
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'refused', code: 'NOT_FOUND' });
  });

  it('leaves a key that was used: a creation repeated with it is refused, puts nothing aside and makes nothing', async () => {
    const w = await lampWorld({ retentionMs: KEPT });
    const lamp = await w.lamp(undefined, 'k1');
    await w.lamp();
    await w.clock.pass(ROUNDS);
    expect(await w.router.get(lamp)).toBeNull();
    const create = (key: string, count = 1) =>
      w.router.create({ kind: 'lamp', companyId: w.companyId, asked: Array(count).fill({}), by: ME, key });
    const refused = {
      is: 'refused',
      code: 'CONFLICT',
      detail: { hint: 'If it is to be made again, send it with another key.' },
    };
    expect(await create('k1')).toMatchObject(refused);
    // All or nothing: also of a bulk whose first alone was made before.
    expect(await create('k1', 3)).toMatchObject(refused);
    const [again, other] = await Promise.all([create('k1'), create('k2')]);
    expect([again, other]).toMatchObject([refused, { is: 'accepted' }]);
    const { items } = await w.router.list({ companyId: w.companyId, kind: 'lamp', limit: 10 });
    expect(items).toHaveLength(2);
    const { entries } = await w.store.entries(w.companyId, 0, 100);
    expect(entries.map((row) => row.seq)).toEqual([1, 2, 3]);
    expect(w.logged.filter((line) => line.startsWith('error'))).toEqual([]);
    expect(await w.router.get(lamp)).toBeNull();
  });
});
