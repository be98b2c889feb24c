/** A node that was stopped for longer than its lease (SIGSTOP, a suspended machine) must not believe its memory. */
import { expect, it } from 'vitest';
import { MemoryStore } from '../../src/persistence/memory-store.ts';
import type { Store } from '../../src/persistence/store.ts';
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
  const reads: { at: number; failed: boolean }[] = [];
  let silent = false;
  const { scheduler, pass } = oneNode((handle) => ({
    due: async (...asked) => {
      reads.push({ at: scheduler.now, failed: silent });
      if (silent) throw new Error('no answer');
      return handle.due(...asked);
    },
  }));
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

it('serves until its lease has passed since a heartbeat was sent, however late that one was answered', async () => {
  const sent: number[] = [];
  let answeredAfterMs = 0;
  const { scheduler, running, pass } = oneNode((handle, host) => ({
    beat: async (node) => {
      sent.push(scheduler.now);
      const answer = await handle.beat(node);
      if (answeredAfterMs > 0) await host.sleep(answeredAfterMs);
      return answer;
    },
  }));
  await pass(2000);
  answeredAfterMs = TTL_MS / 2;
  const before = sent.length;
  while (sent.length === before) await pass(1);
  const sentAt = sent.at(-1)!;
  const passUntil = (part: number) => pass(sentAt + part * TTL_MS - scheduler.now);
  // The beat before carries it to 0.6 of the TTL, this one to 0.8; the next is answered at 1.2.
  await passUntil(0.79);
  expect(running.node.serving()).toBe(true);
  await passUntil(0.81);
  expect(running.node.serving()).toBe(false);
});

it('looks at once for what it lost and nobody else took, not at its next heartbeat', async () => {
  for (let phase = 0; phase < 10; phase++) {
    const { scheduler, running, pass } = oneNode();
    await pass(2000 + (phase * TTL_MS) / 50);
    running.node.lost([PARTITION]);
    expect(running.node.partitions.has(PARTITION)).toBe(false);
    const lostAt = scheduler.now;
    while (!running.node.partitions.has(PARTITION)) await pass(10);
    expect(scheduler.now - lostAt).toBeLessThan(300);
  }
});

it('gives up the connections from before its lease ran out when the database answers again, and takes nothing before', async () => {
  const { calls, pass, cut } = oneNode();
  await pass(2000);
  expect(calls).not.toContain('renew');
  cut(true);
  await pass(2 * TTL_MS);
  calls.length = 0;
  cut(false);
  await pass(1000);
  expect(calls.slice(0, 3)).toEqual(['beat', 'renew', 'acquire']);
  calls.length = 0;
  await pass(2 * TTL_MS);
  expect(calls).not.toContain('renew');
});

/**
 * One node, and what it asked its database of ownership, in order; nothing of that is answered while it is cut off.
 * @param instead calls that a test answers itself
 */
function oneNode(instead: (handle: Store, host: Host) => Partial<Store> = () => ({})) {
  const scheduler = new Scheduler(1_800_000_000_000);
  const host = new Host(0, scheduler, new Chance('one'));
  const store = new MemoryStore({ now: () => Math.floor(scheduler.now), partitions: [PARTITION] });
  const handle = store.forNode('n0');
  const calls: string[] = [];
  let isCut = false;
  const called = <T>(name: string, answer: () => Promise<T>) => {
    if (isCut) return Promise.reject(new Error('no answer'));
    calls.push(name);
    return answer();
  };
  const running = startNode({
    store: {
      ...handle,
      beat: (node) => called('beat', () => handle.beat(node)),
      acquire: (...asked) => called('acquire', () => handle.acquire(...asked)),
      renew: () => void calls.push('renew'),
      ...instead(handle, host),
    },
    catalog: store.catalog,
    clock: host.clock(),
    random: new Chance('node'),
    kinds: [],
    nodeTtlMs: TTL_MS,
    residentBytes: 1_000_000,
    retentionMs: 0,
  });
  // A node that has everything looks for nothing: the database here has no more than the one.
  Object.defineProperty(running.node, 'ownsAll', { get: () => running.node.partitions.size === 1 });
  const cut = (is: boolean) => {
    isCut = is;
  };
  return { scheduler, running, calls, cut, pass: (ms: number) => scheduler.run(scheduler.now + ms) };
}
