/** The fuzzer against a gateway in this process: it finds nothing, and a deliberate defect where there is one. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HOSTILE_MUTANTS } from '../mutants/gateway-mutants.ts';
import { areKilled } from '../mutants/killed.ts';
import { attacked } from './attacked.ts';

const defect = vi.hoisted(() => ({ parsesWithoutCatch: false }));
vi.mock('../../src/gateway/json.ts', async (original) => {
  const real = await original<typeof import('../../src/gateway/json.ts')>();
  return {
    ...real,
    parseJson: (text: string) =>
      defect.parsesWithoutCatch ? { is: 'value', value: JSON.parse(text) } : real.parseJson(text),
  };
});
afterEach(() => {
  defect.parsesWithoutCatch = false;
});

describe('a gateway under hostile frames', () => {
  it('answers or closes as documented, changes nothing, and keeps nothing of those connections', async () => {
    expect(await attacked({ frames: 10_000 })).toEqual([]);
  }, 60_000);

  it('whose parser throws is found, also where the session catches that: it costs the connection', async () => {
    defect.parsesWithoutCatch = true;
    expect((await attacked({ frames: 3000, patienceMs: 10_000 })).join()).toContain('4500');
  });

  areKilled(HOSTILE_MUTANTS);
});
