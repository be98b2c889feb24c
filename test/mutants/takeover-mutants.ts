/** Defects of handing over, and the scenarios that show them under a clock that is told to go on (guarantees.md, P13). */
import { MemoryStore } from '../../src/persistence/memory-store.ts';
import type { Node } from '../../src/supervisor/node.ts';
import { Ownership } from '../../src/supervisor/ownership.ts';
import type { RunningNode } from '../../src/supervisor/start-node.ts';
import { replaced, within } from '../simulation/mutants/mutant.ts';
import { type LampWorld, lampWorld } from '../support/lamp-world.ts';
import type { Scenario, ScenarioMutant } from './scenario-mutant.ts';

/** What lampWorld's nodes have. */
const TTL_MS = 5000;
const HANDS_OVER_WITHIN_MS = 300;
const STEP_MS = 50;
const TAKES_OVER_WITHIN_MS = TTL_MS + 500;

/** What this defect reaches of an ownership. */
interface Beating {
  servingUntil: number;
  readonly node: Node;
  readonly ttlMs: number;
  beat(): Promise<void>;
}

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

/** The owner's heartbeat is answered after 0.6 of the TTL, and no later one is heard: two nodes never serve at once. */
const lateAnswer: Scenario = {
  name: 'late answer',
  tests: 'test/mutants',
  run: async () => {
    const w = await lampWorld();
    const second = await w.start();
    const owner = w.node.node;
    let beats = 0;
    w.faults.current = {
      fate: (call, node) => {
        if (call !== 'beat' || node !== owner) return undefined;
        return beats++ === 0
          ? { is: 'proceed', after: new Promise<void>((resolve) => w.clock.after(0.6 * TTL_MS, resolve)) }
          : { is: 'lost' };
      },
    };
    const found: string[] = [];
    try {
      for (let passed = 0; passed < 2 * TTL_MS; passed += STEP_MS) {
        await w.clock.pass(STEP_MS);
        if (second.node.partitions.size > 0 && w.node.partitions.size > 0 && w.node.serving())
          found.push(`two nodes serve a partition ${passed + STEP_MS} ms after the last heartbeats`);
      }
      if (second.node.partitions.size === 0) found.push('nobody took over');
      return found;
    } finally {
      w.crash();
      second.crash();
    }
  },
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
  {
    name: 'lease-from-the-answer',
    breaks:
      'a node serves until its lease has passed since its heartbeat was answered, not since it was sent',
    killedBy: 'P13',
    scenario: lateAnswer,
    patch: () =>
      replaced(
        within<Beating>(Ownership.prototype),
        'beat',
        (beat) =>
          async function (this: Beating) {
            const before = this.servingUntil;
            await beat.call(this);
            if (this.servingUntil > before)
              this.servingUntil = this.node.clock.monotonic() + 0.8 * this.ttlMs;
          },
      ),
  },
];
