import { describe, expect, it } from 'vitest';
import { lampWorld } from '../support/lamp-world.ts';

/** What is kept, ms; rounds come once a minute. */
const KEPT = 30_000;
const ROUNDS = 130_000;

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

  it('answers for what it deleted as for what never was', async () => {
    const w = await lampWorld({ retentionMs: KEPT });
    const lamp = await w.lamp();
    await w.lamp();
    await w.clock.pass(ROUNDS);
    expect(await w.send(lamp, { type: 'FLICKER' })).toMatchObject({ is: 'refused', code: 'NOT_FOUND' });
  });
});
