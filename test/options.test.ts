/** The commands for developers say what they take, and what was wrong, before they do anything. */
import { expect, it } from 'vitest';
import { main as fuzz } from './fuzz/command.ts';
import { main as faults } from './processes/command.ts';
import { main as sim } from './simulation/command.ts';
import { main as soak } from './soak/command.ts';

type Main = (args: readonly string[], say: (line: string) => void) => Promise<number>;
const COMMANDS: readonly [string, Main, readonly string[]][] = [
  ['npm run sim', sim, ['--seed N', '--histories N', '--mutant NAME', '--keep']],
  ['npm run faults', faults, ['--only NAME,…', 'databaseCrash', 'retention', '--ttl MS']],
  ['npm run fuzz', fuzz, ['--frames N', '--attackers N', '--readers N']],
  ['npm run soak', (args, say) => soak(args, [], say), ['--minutes N', '--list']],
];

async function said(main: Main, ...args: string[]) {
  const lines: string[] = [];
  const code = await main(args, (line) => lines.push(line));
  return { code, lines };
}

it.each(COMMANDS)('%s says its usage', async (name, main, options) => {
  const { code, lines } = await said(main, '--help');
  expect(code).toBe(0);
  expect(lines[0]).toBe(`${name} -- [options]`);
  for (const option of options) expect(lines.join('\n')).toContain(option);
});

it.each(COMMANDS)('%s says in one line what is wrong with its options', async (name, main) => {
  for (const wrong of [['--frobnicate'], ['--seed'], ['frobnicate']]) {
    const { code, lines } = await said(main, ...wrong);
    expect(code).toBe(2);
    expect(lines).toEqual([expect.stringMatching(/^(Unknown|Option|Unexpected) .*; /)]);
    expect(lines[0]).toContain(`; ${name} -- --help lists the options`);
  }
});

it.each([
  ['--frames', 'many'],
  ['--attackers', '0'],
  ['--readers', '-1'],
])('npm run fuzz refuses %s %s', async (...args) => {
  expect((await said(fuzz, `${args[0]}=${args[1]}`)).code).toBe(2);
});
