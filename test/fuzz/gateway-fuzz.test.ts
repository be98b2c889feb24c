/** The fuzzer against a gateway in this process, where a deliberate defect can be put in: it must be found. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventFrame } from '../../src/gateway/protocol.ts';
import { start } from '../gateway/support/gateway.ts';
import { replaced } from '../simulation/mutants/mutant.ts';
import { runAttackers } from './fuzz.ts';
import { makeVictim, shownState } from './victim.ts';

const defect = vi.hoisted(() => ({ parsesWithoutCatch: false }));
vi.mock('../../src/gateway/json.ts', async (original) => {
  const real = await original<typeof import('../../src/gateway/json.ts')>();
  return {
    ...real,
    parseJson: (text: string) =>
      defect.parsesWithoutCatch ? { is: 'value', value: JSON.parse(text) } : real.parseJson(text),
  };
});

let undo = () => {};
afterEach(() => {
  undo();
  undo = () => {};
  defect.parsesWithoutCatch = false;
});

async function attacked(frames: number, patienceMs = 10_000) {
  const bench = await start({ localMode: true });
  const victim = await makeVictim(bench.gateway);
  const before = await shownState(bench.gateway, victim);
  const { port } = bench.gateway;
  const { findings } = await runAttackers({ port, seed: '7', frames, attackers: 4, patienceMs, ...victim });
  const changed = before !== (await shownState(bench.gateway, victim));
  await vi.waitFor(() => expect(bench.router.subscriptions).toBe(0));
  return { findings, changed };
}

describe('a gateway under hostile frames', () => {
  it('answers or closes as documented, changes nothing, and keeps nothing of those connections', async () => {
    expect(await attacked(10_000, 30_000)).toEqual({ findings: [], changed: false });
  }, 60_000);

  it('that parses without catching is found', async () => {
    defect.parsesWithoutCatch = true;
    const { findings } = await attacked(3000);
    expect(findings.join()).toContain('4500');
  });

  it('that lets XState’s own and internal events through is found', async () => {
    undo = replaced(eventFrame, 'safeParse', (real) => (frame) => {
      const { type } = ((frame as { event?: unknown }).event ?? {}) as { type?: unknown };
      const isInternal = typeof type === 'string' && /^xstate|^CREATED$|^GRANT$/.test(type);
      return isInternal ? ({ success: true, data: frame } as never) : real(frame);
    });
    const { findings } = await attacked(3000, 500);
    expect(findings.join()).toMatch(/xstate|CREATED|GRANT/);
  });
});
