/** Two nodes over one database, each with partitions of its own. */
import { expect, it } from 'vitest';
import { partitionOf } from '../../src/ids.ts';
import type { ActorRow } from '../../src/persistence/store.ts';
import { hold } from '../support/lamp-trouble.ts';
import { lampWorld } from '../support/lamp-world.ts';
import { ManualClock } from '../support/manual-clock.ts';

it('an event that names an actor of another node is answered, and the database is not asked without end', async () => {
  const w = await lampWorld({ partitions: [7, 9] });
  const socket = await w.socket(1);
  const lamp = await w.lamp();
  const [row] = await w.store.load([socket]);
  // The other partition goes to another node, with a socket in it.
  const away = partitionOf(w.companyId) === 7 ? 9 : 7;
  const foreign = `s00${away}${socket.slice(4)}`;
  await w.store.release(w.node.node, [away]);
  w.node.lost([away]);
  const [owned] = await w.store.acquire('other', 5000, 1, new Set());
  expect(owned?.partition).toBe(away);
  await w.store.commit({
    owner: 'other',
    epochs: new Map([[away, owned!.epoch]]),
    rows: [{ ...(row as ActorRow), id: foreign, partition: away, companyId: `c00${away}` }],
    entries: [],
    records: [],
  });
  let loads = 0;
  w.faults.current = {
    fate(call) {
      if (call === 'load' && ++loads > 10) throw new Error('without end');
      return undefined;
    },
  };
  expect(await w.send(lamp, { type: 'PLUG', socket: foreign })).toMatchObject({ code: 'NOT_FOUND' });
  expect(loads).toBeLessThan(3);
});

it('a node that does not own everything looks for the rest five times a second, however long it runs', async () => {
  const w = await lampWorld({ partitions: [7, 9] });
  let looks = 0;
  w.faults.current = {
    // Each answer takes a while, as over a network: looks that began at different times do not meet.
    fate(call) {
      if (call !== 'acquire') return undefined;
      looks++;
      return { is: 'proceed', after: new Promise<void>((resolve) => w.clock.after(7, resolve)) };
    },
  };
  await w.clock.pass(30_000);
  looks = 0;
  await w.clock.pass(10_000);
  expect(looks).toBeLessThan(70);
});

it('a node whose machine was suspended gives up what another took, though by its own clock no time has passed', async () => {
  const w = await lampWorld();
  const lamp = await w.lamp();
  await w.stop(100);
  const own = new ManualClock();
  const suspended = await w.start(own);
  await own.pass(300);
  await w.clock.pass(0);
  expect(await suspended.router.get(lamp)).toMatchObject({ version: 1 });
  await w.clock.pass(20_000);
  await w.store.beat('other');
  expect(await w.store.acquire('other', 5000, 1, new Set())).toHaveLength(1);
  await own.pass(1100);
  expect(suspended.node.partitions.size).toBe(0);
});

it('a node that stops gives back what it is just being given', async () => {
  const w = await lampWorld();
  await w.stop(100);
  const [open] = hold(w, 'acquire');
  const starting = await w.start();
  const stopped = starting.stop(100);
  await w.clock.pass(10);
  open!();
  await w.clock.pass(10);
  await stopped;
  expect(await w.store.acquire('other', 5000, 1, new Set())).toHaveLength(1);
});
