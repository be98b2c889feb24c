/** Found by the simulation (seed 51617): a reader whose cursor was above what its node knew to be committed. */
import { expect, it } from 'vitest';
import { lampWorld } from '../support/lamp-world.ts';

it('resumes a journal at a version that is stored though the answer to its commit was lost', async () => {
  const w = await lampWorld();
  const lamp = await w.lamp();
  w.faults.current = {
    fate: (call) => (call === 'commit' ? { is: 'unanswered', after: Promise.resolve() } : undefined),
  };
  const flicker = w.send(lamp, { type: 'FLICKER' });
  await w.clock.pass(1);

  const watch = async (since: number) => {
    const seen = { opened: [] as object[], versions: [] as number[] };
    await w.router.subscribe({ is: 'journal', companyId: w.companyId, id: lamp }, since, {
      opened: (to) => seen.opened.push(to),
      snapshot: () => {},
      change: (p) => seen.versions.push(p.version),
      reset: () => {},
    });
    return seen;
  };
  const first = await watch(0);
  expect(first.versions).toEqual([1, 2]);
  const again = await watch(2);
  expect(again).toEqual({ opened: [{ recovered: true, seq: 2 }], versions: [] });

  w.faults.current = undefined;
  await w.clock.pass(100);
  expect(await flicker).toMatchObject({ is: 'accepted', version: 2 });
  expect([first.versions, again.versions]).toEqual([[1, 2], []]);

  expect((await watch(9)).opened).toEqual([{ recovered: false, seq: 2 }]);
});
