/** Defects of handing over, and the scenarios that show them under a clock that is told to go on (guarantees.md, P13). */
import { MemoryStore } from '../../src/persistence/memory-store.ts';
import { Ownership } from '../../src/supervisor/ownership.ts';
import type { RunningNode } from '../../src/supervisor/start-node.ts';
import { replaced } from '../simulation/mutants/mutant.ts';
import { type LampWorld, lampWorld } from '../support/lamp-world.ts';
import type { Scenario, ScenarioMutant } from './scenario-mutant.ts';

/** What lampWorld's nodes have. */
const TTL_MS = 5000;
const HANDS_OVER_WITHIN_MS = 300;
const TAKES_OVER_WITHIN_MS = TTL_MS + 500;

/** A second node waits while the first one goes: whether it owns what that one had within `ms`. */
async function succession(first: (w: LampWorld) => Promise<unknown>, ms: number): Promise<string[]> {
  const w = await lampWorld();
  const second: RunningNode = await w.start();
  try {
    const gone = first(w);
    await w.clock.pass(ms);
    await gone;
    return second.node.partitions.size > 0 ? [] : [`nobody took over within ${ms} ms`];
  } finally {
    second.crash();
  }
}

const plannedStop: Scenario = {
  name: 'planned stop',
  tests: 'test/mutants',
  run: () => succession((w) => w.stop(100), HANDS_OVER_WITHIN_MS),
};

const crash: Scenario = {
  name: 'crash',
  tests: 'test/mutants',
  run: () => succession(async (w) => w.crash(), TAKES_OVER_WITHIN_MS),
};

export const TAKEOVER_MUTANTS: readonly ScenarioMutant[] = [
  {
    name: 'stop-keeps-partitions',
    breaks: 'a node that stops gives nothing up: the others wait for its TTL',
    killedBy: 'P13',
    scenario: plannedStop,
    patch: () =>
      replaced(
        Ownership.prototype,
        'stop',
        () =>
          async function (this: Ownership) {
            this.abandon();
          },
      ),
  },
  {
    name: 'silence-forgiven-twice',
    breaks: 'a node that is gone is waited for twice as long as its TTL',
    killedBy: 'P13',
    scenario: crash,
    patch: () =>
      replaced(
        MemoryStore.prototype,
        'acquire',
        (acquire) =>
          function (this: MemoryStore, node, ttlMs, limit, owned) {
            return acquire.call(this, node, 2 * ttlMs, limit, owned);
          },
      ),
  },
];
