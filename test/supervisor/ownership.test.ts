/** A node that was stopped for longer than its lease (SIGSTOP, a suspended machine) must not believe its memory. */
import { expect, it } from 'vitest';
import { MemoryStore } from '../../src/persistence/memory-store.ts';
import { startNode } from '../../src/supervisor/start-node.ts';
import { Chance } from '../simulation/world/chance.ts';
import { Host } from '../simulation/world/host.ts';
import { Scheduler } from '../simulation/world/scheduler.ts';

const TTL_MS = 5000;
const PARTITION = 7;

/** Two nodes over one database; each can be stopped and let go on. */
function twoNodes(seed: number) {
  const scheduler = new Scheduler(1_800_000_000_000);
  const chance = new Chance(`ownership ${seed}`);
  const store = new MemoryStore({ now: () => Math.floor(scheduler.now), partitions: [PARTITION] });
  const start = (n: number) => {
    const host = new Host(n, scheduler, chance.split(`host ${n}`));
    const handle = store.forNode(`n${n}`);
    const running = startNode({
      store: {
        ...handle,
        // Slower than the next heartbeat.
        acquire: async (node, ttl, want, holding) => {
          const owned = await handle.acquire(node, ttl, want, holding);
          await host.sleep(TTL_MS / 4);
          return owned;
        },
      },
      catalog: store.catalog,
      clock: host.clock(),
      random: chance.split(`node ${n}`),
      kinds: [],
      nodeTtlMs: TTL_MS,
      residentBytes: 1_000_000,
      retentionMs: 0,
    });
    return {
      host,
      owns: () => running.node.partitions.has(PARTITION),
      serves: () => running.node.serving(),
      name: running.node.node,
    };
  };
  const pass = (ms: number) => scheduler.run(scheduler.now + ms);
  return { a: start(0), b: start(1), pass, owner: () => store.dump().partitions[0]!.owner, store };
}

it('gives up what another took while it stood still, whichever of its timers comes first', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { a, b, pass, owner } = twoNodes(seed);
    await pass(2000 + 50 * seed);
    expect([a.owns(), b.owns()]).toEqual([true, false]);
    a.host.pause();
    await pass(3 * TTL_MS);
    expect(owner()).toBe(b.name);
    a.host.resume();
    await pass(2);
    expect([a.owns(), b.owns()]).toEqual([false, true]);
    await pass(3 * TTL_MS);
    expect([a.owns(), b.owns()]).toEqual([false, true]);
  }
});

it('does not take what it was given before it stood still', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const { a, b, pass, owner } = twoNodes(seed);
    // Its request for partitions has been granted, the answer is on its way.
    while (owner() === null) await pass(0.5);
    const first = owner() === a.name ? a : b;
    const second = first === a ? b : a;
    first.host.pause();
    await pass(3 * TTL_MS);
    expect(owner()).toBe(second.name);
    first.host.resume();
    await pass(20);
    expect(first.owns()).toBe(false);
  }
});

it('reads the timers it could not read again within seconds of the database answering, however long it did not', async () => {
  const scheduler = new Scheduler(1_800_000_000_000);
  const host = new Host(0, scheduler, new Chance('sweep'));
  const store = new MemoryStore({ now: () => Math.floor(scheduler.now), partitions: [PARTITION] });
  const handle = store.forNode('n0');
  const reads: { at: number; failed: boolean }[] = [];
  let silent = false;
  startNode({
    store: {
      ...handle,
      due: async (...asked) => {
        reads.push({ at: scheduler.now, failed: silent });
        if (silent) throw new Error('no answer');
        return handle.due(...asked);
      },
    },
    catalog: store.catalog,
    clock: host.clock(),
    random: new Chance('node'),
    kinds: [],
    nodeTtlMs: TTL_MS,
    residentBytes: 1_000_000,
    retentionMs: 0,
  });
  const pass = (ms: number) => scheduler.run(scheduler.now + ms);
  await pass(1000);
  silent = true;
  await pass(70_000);
  const healed = scheduler.now;
  silent = false;
  await pass(3000);
  expect(reads.some(({ at, failed }) => !failed && at >= healed)).toBe(true);
  // Not so often that it keeps the database from getting up.
  expect(reads.filter(({ failed }) => failed).length).toBeLessThan(70);
});

it('gives up within a heartbeat what another node was given, however that came about', async () => {
  const { a, b, pass, owner, store } = twoNodes(1);
  await pass(2000);
  expect([a.owns(), b.owns()]).toEqual([true, false]);
  await store.acquire('somebody', -1, 1, new Set());
  expect(owner()).toBe('somebody');
  await pass(TTL_MS / 5 + 100);
  expect(a.owns()).toBe(false);
});

it('serves nothing while others may take it for gone, and afterwards what is still its own', async () => {
  const { a, b, pass, owner, store } = twoNodes(1);
  await pass(2000);
  store.nodeDoubted(a.name);
  expect([a.owns(), a.serves()]).toEqual([true, false]);
  await pass(300);
  expect([a.owns(), a.serves(), owner()]).toEqual([true, true, a.name]);
  store.nodeGone(a.name);
  await store.acquire(b.name, TTL_MS, 1, new Set());
  store.nodeDoubted(a.name);
  expect(a.serves()).toBe(false);
  await pass(300);
  expect([a.owns(), owner()]).toEqual([false, b.name]);
});
