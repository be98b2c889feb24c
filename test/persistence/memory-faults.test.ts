import { describe, expect, it } from 'vitest';
import type { Fate, StoreCall } from '../../src/persistence/memory-faults.ts';
import { MemoryStore } from '../../src/persistence/memory-store.ts';
import { batch, HOME, id, only, own, row } from '../contract/rows.ts';

/** A store in which the next calls of these names meet these fates, once each. */
async function store(fates: Partial<Record<StoreCall, Fate>>, asked: [StoreCall, string | null][] = []) {
  let armed = false;
  const memory = new MemoryStore({
    now: () => 1_000,
    faults: {
      fate: (call, node) => {
        if (!armed) return undefined;
        asked.push([call, node]);
        const fate = fates[call];
        delete fates[call];
        return fate;
      },
    },
  });
  const epochs = await own(memory, 'n1');
  armed = true;
  const commit = () => memory.commit(batch('n1', only(epochs, HOME), { rows: [row(1)] }));
  return { memory, commit, stored: () => memory.dump().actors.length };
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('the memory store under faults', () => {
  it('a lost request is unknown and wrote nothing; the same batch again lands', async () => {
    const { commit, stored } = await store({ commit: { is: 'lost' } });
    expect([(await commit()).is, stored()]).toEqual(['unknown', 0]);
    expect([(await commit()).is, stored()]).toEqual(['committed', 1]);
  });

  it('a lost answer is unknown though it is written; the same batch again changes nothing', async () => {
    const { commit, stored } = await store({ commit: { is: 'unanswered' } });
    expect([(await commit()).is, stored()]).toEqual(['unknown', 1]);
    expect([(await commit()).is, stored()]).toEqual(['committed', 1]);
  });

  it('a late delivery is applied after its caller has given up', async () => {
    const late = gate();
    const fate: Fate = { is: 'unanswered', before: late.opened, after: Promise.resolve() };
    const { commit, stored } = await store({ commit: fate });
    expect([(await commit()).is, stored()]).toEqual(['unknown', 0]);
    late.open();
    await late.opened;
    expect(stored()).toBe(1);
  });

  it('a late delivery after a takeover lands nowhere', async () => {
    const late = gate();
    const fate: Fate = { is: 'unanswered', before: late.opened, after: Promise.resolve() };
    const { memory, commit, stored } = await store({ commit: fate });
    await commit();
    memory.nodeGone('n1');
    await own(memory, 'n2');
    late.open();
    await late.opened;
    expect(stored()).toBe(0);
  });

  it('a slow call waits before and after it is applied', async () => {
    const [before, after] = [gate(), gate()];
    const { commit, stored } = await store({
      commit: { is: 'proceed', before: before.opened, after: after.opened },
    });
    const outcome = commit();
    expect(stored()).toBe(0);
    before.open();
    await before.opened;
    expect(stored()).toBe(1);
    after.open();
    expect((await outcome).is).toBe('committed');
  });

  it('rejected data is not written', async () => {
    const { commit, stored } = await store({ commit: { is: 'rejected' } });
    expect([(await commit()).is, stored()]).toEqual(['rejected', 0]);
  });

  it('other calls reject, and each is asked for under the name of its node', async () => {
    const asked: [StoreCall, string | null][] = [];
    const { memory } = await store({ load: { is: 'lost' }, live: { is: 'unanswered' } }, asked);
    const node = memory.forNode('n7');
    await expect(node.load([id('i', 1)])).rejects.toThrow('load: the request was lost');
    await expect(node.live([HOME])[Symbol.asyncIterator]().next()).rejects.toThrow('the answer was lost');
    await node.beat('n8');
    await memory.owners([1]);
    expect(asked).toEqual([
      ['load', 'n7'],
      ['live', 'n7'],
      ['beat', 'n8'],
      ['owners', null],
    ]);
  });

  it('a node that is gone loses its partitions at once, and a beat brings it back', async () => {
    const { memory } = await store({});
    memory.nodeGone('n1');
    await memory.beat('n1');
    expect(await memory.acquire('n2', 60_000, 1, new Set())).toEqual([]);
    memory.nodeGone('n1');
    expect((await memory.acquire('n2', 60_000, 1, new Set())).length).toBe(1);
  });
});
