/** Nodes that end, or stand still beyond their TTL, at every named place in their code (guarantees.md). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance } from '../simulation/world/chance.ts';
import { afterTakeover, atSeam, LOAD_SEAMS } from './seams.ts';
import { Arena } from './world/arena.ts';

const TTL_MS = 1500;
const TIMEOUT_MS = 90_000;
/** As in faults.test.ts. */
const MARGIN_MS = 10_000;

describe('a node under load', () => {
  let arena: Arena;
  beforeAll(async () => {
    const plan = { nodes: 3, ttlMs: TTL_MS, seams: true, settings: ['fsync=off'] };
    arena = await Arena.open(plan, new Chance('seams'), MARGIN_MS);
  }, TIMEOUT_MS);
  afterAll(() => arena.close());

  it.each(LOAD_SEAMS.flatMap((seam) => [[seam, 'kill'] as const, [seam, 'stop'] as const]))(
    '%s: %s, and another goes on',
    { timeout: TIMEOUT_MS },
    async (seam, action) => {
      const before = arena.violations.length;
      await atSeam(arena, seam, action);
      expect(arena.violations.slice(before)).toEqual([]);
    },
  );

  it.each(['kill', 'stop'] as const)(
    'after takeover before load: %s, and a third goes on',
    {
      timeout: TIMEOUT_MS,
    },
    async (action) => {
      const before = arena.violations.length;
      await afterTakeover(arena, action);
      expect(arena.violations.slice(before)).toEqual([]);
    },
  );

  it('and nothing acknowledged was lost, nothing done twice', { timeout: TIMEOUT_MS }, async () => {
    await arena.verdict();
    expect(arena.violations).toEqual([]);
    expect(arena.load.acknowledged).toBeGreaterThan(50);
  });
});
