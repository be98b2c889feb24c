import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { SHELLS } from '../../src/cli/completion.ts';
import { baton } from './world.ts';

const directory = mkdtempSync(join(tmpdir(), 'baton-completion-'));

async function scriptOf(shell: string): Promise<string> {
  const { code, out } = await baton(['completion', shell]);
  expect(code).toBe(0);
  const path = join(directory, `baton.${shell}`);
  writeFileSync(path, out);
  return path;
}

/** What bash would offer for the words, the last of which is being written. */
async function offered(...words: string[]): Promise<string[]> {
  const path = await scriptOf('bash');
  const list = words.map((w) => `'${w}'`).join(' ');
  const lines = `source ${path}; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _baton; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', lines], { encoding: 'utf8', cwd: process.cwd() })
    .split('\n')
    .filter(Boolean);
}

describe('completion', () => {
  it.each(SHELLS)('for %s knows every command and every option', async (shell) => {
    const { out } = await baton(['completion', shell]);
    for (const { name, flags } of COMMANDS) {
      expect(out).toContain(name);
      for (const flag of flags) expect(out).toMatch(new RegExp(`(--| -l )${flag.name}\\b`));
    }
  });

  it('is a program that the shells of this machine accept; bash is always one of them', async () => {
    const here = SHELLS.filter((shell) => spawnSync(shell, ['-c', 'exit 0']).status === 0);
    expect(here).toContain('bash');
    for (const shell of here) {
      const { status, stderr } = spawnSync(shell, ['-n', await scriptOf(shell)], { encoding: 'utf8' });
      expect([shell, status, stderr]).toEqual([shell, 0, '']);
    }
  });

  it('offers commands, then the options of the command, then files', async () => {
    expect(await offered('baton', 'st')).toEqual(['start', 'stuck']);
    expect(await offered('baton', 'issues', '--st')).toEqual(['--state']);
    expect(await offered('baton', 'start', '--no-')).toEqual(['--no-demo']);
    expect(await offered('baton', 'help', 'wh')).toEqual(['why']);
    expect(await offered('baton', 'replay', 'package.j')).toEqual(['package.json']);
  });

  it('offers files after --, for what follows is another command', async () => {
    expect(await offered('baton', 'work', '--agent', 'x', '--', 'cat', 'package.j')).toEqual([
      'package.json',
    ]);
  });

  it('of a shell nobody knows is refused', async () => {
    const { code, err } = await baton(['completion', 'powershell']);
    expect(code).toBe(2);
    expect(err).toContain('bash, zsh, fish');
  });
});
