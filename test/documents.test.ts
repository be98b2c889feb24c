/** What the documents point at must exist, and what they list must be what the code has. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/cli/commands.ts';
import { OPTIONS } from '../src/config.ts';
import { fragmentsOf, localLinksOf, sectionOf, tableOf, textOfFile } from './support/markdown.ts';
import { ROOT, tree } from './support/source.ts';

const documents = tree().filter(({ path }) => path.endsWith('.md'));

function deadLinks(path: string, text: string): string[] {
  return localLinksOf(text)
    .filter(({ path: target, fragment }) => {
      const file = target === '' ? path : normalize(join(dirname(path), target));
      if (!existsSync(ROOT + file)) return true;
      return fragment !== null && file.endsWith('.md') && !fragmentsOf(textOfFile(file)).includes(fragment);
    })
    .map(({ path: target, fragment }) => `${path} points at ${target}${fragment ? `#${fragment}` : ''}`);
}

describe('documents', () => {
  it('point only at what exists', () => {
    expect(documents.flatMap(({ path, text }) => deadLinks(path, text))).toEqual([]);
    expect(deadLinks('README.md', '[a](docs/protocol.md#no-such-section) [b](no-such-file.md)')).toHaveLength(
      2,
    );
  });

  it('list every option with its flag and default, in the order of config.ts', () => {
    const bare = (cell: string) => cell.replaceAll('`', '').replace(/^–$/, '');
    const rows = tableOf(sectionOf(textOfFile('README.md'), '## Configuration'));
    const shown = rows.map(([env, flag, fallback]) => [bare(env!), bare(flag!), bare(fallback!)]);
    const known = OPTIONS.map(({ env, flag, fallback }) => [env ?? '', `--${flag}`, fallback ?? '']);
    expect(shown).toEqual(known);
  });

  it('show the picture of the issue machine as it is generated', () => {
    const [picture] = textOfFile('docs/machine.md').match(/^```mermaid\n[\s\S]*?^```$/m)!;
    expect(textOfFile('README.md')).toContain(picture);
  });

  it('give the first command within the first 40 lines of the README', () => {
    expect(textOfFile('README.md').split('\n').slice(0, 40).join('\n')).toContain('npm start');
  });

  it('name only tests, scripts and commands that exist', () => {
    const { scripts } = JSON.parse(textOfFile('package.json')) as { scripts: Record<string, string> };
    const commands = ['help', ...COMMANDS.map(({ name }) => name)];
    const wrong = documents.flatMap(({ path, text }) => [
      ...[...text.matchAll(/\btest\/[\w/.-]+\.test\.ts\b/g)]
        .filter(([test]) => !existsSync(ROOT + test))
        .map(([test]) => `${path}: ${test}`),
      ...[...text.matchAll(/`npm run ([\w:-]+)/g)]
        .filter(([, script]) => scripts[script!] === undefined)
        .map(([called]) => `${path}: ${called}`),
      ...[...text.matchAll(/(?:`|^|npx )baton ([a-z]+)/gm)]
        .filter(([, command]) => !commands.includes(command!))
        .map(([called]) => `${path}: ${called}`),
    ]);
    expect(wrong).toEqual([]);
  });

  it('run every test of the table of risks with the command that docs/guarantees.md gives', () => {
    const [, command = ''] = /`npm test -- ([^`]+)`/.exec(
      sectionOf(textOfFile('docs/guarantees.md'), '## Security'),
    )!;
    const risks = textOfFile('SECURITY.md').matchAll(/\]\((test\/[^)]+)\)/g);
    const left = [...risks].filter(
      ([, file]) => !command.split(/\s+/).some((given) => file!.startsWith(given)),
    );
    expect(left.map(([, file]) => file)).toEqual([]);
  });

  it('promise the same in the README as in docs/guarantees.md', () => {
    const promises = (path: string, heading: string) =>
      tableOf(sectionOf(textOfFile(path), heading)).map(([number, promise]) => [number, promise]);
    expect(promises('README.md', '## Guarantees')).toEqual(
      promises('docs/guarantees.md', '## What makes it so'),
    );
  });

  it('give no figure in the README that docs/benchmarks.md does not', () => {
    const numbers = (text: string) => text.match(/\d+(?:[.,]\d+)*/g) ?? [];
    const measured = new Set(numbers(textOfFile('docs/benchmarks.md')));
    const told = numbers(sectionOf(textOfFile('README.md'), '## Numbers'));
    expect(told.length).toBeGreaterThan(5);
    expect(told.filter((figure) => !measured.has(figure))).toEqual([]);
  });
});
