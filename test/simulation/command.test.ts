import { expect, it } from 'vitest';
import { main } from './command.ts';

async function sim(...args: string[]) {
  const lines: string[] = [];
  const code = await main(args, (line) => lines.push(line));
  return { code, text: lines.join('\n') };
}

it('runs histories from a seed on and says how many', async () => {
  const { code, text } = await sim('--seed', '3', '--histories', '2');
  expect(text).toContain('2 histories from seed 3, 0 break a promise');
  expect(code).toBe(0);
});

it('shows one history: the end of its trace and its hash', async () => {
  const { code, text } = await sim('--seed', '3');
  expect(text).toContain('seed 3 ');
  expect(text).toMatch(/trace [0-9a-f]{16}: \d+ steps/);
  expect(text.split('\n').length).toBeGreaterThan(100);
  expect(code).toBe(0);
});

it.each([
  ['--seed', 'x'],
  ['--histories', '1.5'],
  ['--threads', '0'],
])('refuses %s %s', async (...args) => {
  expect((await sim(...args)).code).toBe(2);
});

it('shows what a mutant breaks, the end of the trace and the command that runs it again', async () => {
  const { code, text } = await sim('--seed', '1', '--mutant', 'clock-ahead');
  expect(text).toContain('P4: ');
  expect(text).toContain('run it again: npm run sim -- --seed 1 --mutant clock-ahead');
  expect(code).toBe(1);
});

it('names the mutants there are', async () => {
  const { code, text } = await sim('--mutant', 'nobody');
  expect(text).toContain('clock-ahead');
  expect(code).toBe(2);
});
