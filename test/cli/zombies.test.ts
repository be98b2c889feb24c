import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { hasOnlyZombies } from '../../src/cli/job/zombies.ts';
import { until } from '../support/server.ts';

function isThere(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** A process that asks for none of its children, with one of them in a group of its own. */
async function neglected(child: string) {
  const parent = spawn('sh', ['-c', `setsid ${child} & echo $!; exec sleep 60`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [said] = await once(parent.stdout, 'data');
  const group = Number(String(said));
  await until(
    async () => isThere(group),
    (is) => is,
  );
  return { parent, group };
}

describe('a process group of which only the dead are left', () => {
  it('is seen to be that, though it can still be signalled', async () => {
    const { parent, group } = await neglected('true');
    try {
      const seen = await until(
        async () => hasOnlyZombies(group),
        (is) => is,
      );
      expect(seen).toBe(true);
      expect(isThere(group)).toBe(true);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('is not one with a living member, nor one that is gone', async () => {
    const { parent, group } = await neglected('sleep 60');
    try {
      expect(hasOnlyZombies(group)).toBe(false);
    } finally {
      process.kill(-group, 'SIGKILL');
      parent.kill('SIGKILL');
    }
    expect(hasOnlyZombies(2 ** 22 + 1)).toBe(false);
  });
});
