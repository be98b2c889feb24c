/** Puts one node together and starts it: what `createRuntime`, the tests and the simulation all begin with. */
import type { Clock, Random } from '../clock.ts';
import type { Catalog } from '../persistence/catalog.ts';
import type { Store } from '../persistence/store.ts';
import { localRouter } from './local-router.ts';
import { type Meter, noMeter } from './meter.ts';
import { Node, type NodeOptions } from './node.ts';
import { Ownership } from './ownership.ts';
import type { AnyKind } from './resident.ts';
import { prune } from './retention.ts';
import type { Router } from './router.ts';

export interface NodeSettings {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly kinds: readonly AnyKind[];
  /** A node silent for longer loses its partitions, ms. */
  readonly nodeTtlMs: number;
  /** Budget of resident actors, bytes. */
  readonly residentBytes: number;
  /** Things older than this go, ms; 0 keeps them. */
  readonly retentionMs: number;
  readonly meter?: Meter;
  readonly log?: NodeOptions['log'];
}

export interface RunningNode {
  readonly node: Node;
  readonly router: Router;
  readonly ownership: Ownership;
  /** Refuses new work, lets what is in flight commit (at most `ms`), gives its partitions up. */
  stop(ms: number): Promise<void>;
  /** Ends at once without giving anything up: a crash, as the others see it (simulation). */
  crash(): void;
}

/** How often a stopping node looks whether its lanes are empty, ms. */
const LOOK_MS = 5;
/** How long giving the partitions up may take, ms; a database that does not answer frees them by the node's TTL. */
const RELEASE_MS = 2000;

export function startNode(settings: NodeSettings): RunningNode {
  const { clock, random } = settings;
  const node = new Node({
    store: settings.store,
    clock,
    random,
    meter: settings.meter ?? noMeter,
    kinds: settings.kinds,
    name: `n${random.secret(9)}`,
    residentBytes: settings.residentBytes,
    log: settings.log ?? (() => {}),
  });
  const ownership = new Ownership(node, settings.nodeTtlMs);
  const router = localRouter(node, ownership, settings.catalog);
  ownership.start();
  const stopPruning = settings.retentionMs > 0 ? prune(node, settings.retentionMs) : () => {};
  const end = () => {
    stopPruning();
    node.timers.stop();
    for (const lane of node.lanes) lane.stop();
  };
  return {
    node,
    router,
    ownership,
    async stop(ms) {
      node.draining = true;
      node.withdrawAll();
      const until = clock.monotonic() + ms;
      while (node.lanes.some((lane) => lane.backlog > 0) && clock.monotonic() < until) {
        await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
      }
      end();
      try {
        await Promise.race([
          ownership.stop(),
          new Promise<void>((resolve) => clock.after(RELEASE_MS, resolve)),
        ]);
      } finally {
        // Whoever still waits is answered, also where the database is away.
        node.loseAll();
      }
    },
    crash() {
      ownership.abandon();
      end();
      node.loseAll();
    },
  };
}
