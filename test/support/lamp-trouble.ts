/** What goes wrong around a world of lamps: answers of the database that are late, partitions lost for a moment. */
import type { StoreCall } from '../../src/persistence/memory-faults.ts';
import type { LampWorld } from './lamp-world.ts';

/** Holds back the first calls of a kind: applied at once, each answered when it is opened. */
export function hold(w: LampWorld, held: StoreCall, count = 1): (() => void)[] {
  const gates = Array.from({ length: count }, () => {
    let open = () => {};
    const after = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { after, open };
  });
  let n = 0;
  w.faults.current = {
    fate(call) {
      const gate = call === held ? gates[n++] : undefined;
      return gate && { is: 'proceed', after: gate.after };
    },
  };
  return gates.map((gate) => gate.open);
}

/** From now on calls of a kind are on their way until `open`: the database has not seen them. */
export function delay(w: LampWorld, delayed: StoreCall): () => void {
  let open = () => {};
  const before = new Promise<void>((resolve) => {
    open = resolve;
  });
  w.faults.current = { fate: (call) => (call === delayed ? { is: 'proceed', before } : undefined) };
  return open;
}

/** Another node has the partition for a moment, does something in it, and gives it up. */
export async function meanwhile(w: LampWorld, f?: (epoch: number) => Promise<unknown>): Promise<void> {
  w.store.nodeGone(w.node.node);
  const [owned] = await w.store.acquire('other', 5000, 1, new Set());
  await f?.(owned!.epoch);
  w.node.loseAll();
  await w.store.release('other', [7]);
}
