/**
 * The whole runtime under one virtual clock and one seed, with faults (guarantees.md, Simulation), on two threads. A failure
 * prints how to run it again. `SIM_HISTORIES` and `SIM_SEED` run more, or others.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { figures } from './command.ts';
import { compiledSimulation } from './compiled.mjs';
import { runHistory } from './history.ts';
import { runOnThreads } from './threads.ts';

const HISTORIES = Number(process.env.SIM_HISTORIES ?? 4000);
const FIRST = Number(process.env.SIM_SEED ?? 1);
const MOST_MS = HISTORIES * 200 + 60_000;

let compiled: URL;
beforeAll(() => {
  compiled = compiledSimulation();
});

it(
  'keeps every promise on every seed',
  async () => {
    const began = performance.now();
    const used = process.cpuUsage();
    const asked = { first: FIRST, count: HISTORIES, threads: 2 };
    const batch = await runOnThreads(new URL('thread.js', compiled), asked);
    expect(batch.failures.join('\n')).toBe('');
    expect(batch.histories).toBe(HISTORIES);
    const { user, system } = process.cpuUsage(used);
    console.log(`simulation: ${figures(batch, FIRST, performance.now() - began, (user + system) / 1000)}`);
  },
  MOST_MS,
);

it('is the same history to the last line of its trace in another process', async () => {
  for (const seed of [3, 58]) {
    const { hash } = await runHistory(seed);
    const text = execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { main } from '${new URL('command.js', compiled).href}'; await main(['--seed', '${seed}'], console.log);`,
      ],
      { cwd: fileURLToPath(compiled), encoding: 'utf8' },
    );
    expect(text).toContain(`trace ${hash}: `);
  }
}, 120_000);
