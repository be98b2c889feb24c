/** What `npm pack` would ship is what an installed package needs, and no more. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT, tree } from './support/source.ts';

const run = promisify(execFile);
let packed: string[] = [];

beforeAll(async () => {
  await run(process.execPath, ['scripts/ensure.mjs'], { cwd: ROOT });
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT });
  const [pack] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  packed = pack.files.map(({ path }) => path);
}, 120_000);

describe('the package', () => {
  it('has what it needs to run: the command, what it calls, both entries with their types', () => {
    expect(packed).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'bin/baton.mjs',
        'scripts/ensure.mjs',
        'dist/cli/main.js',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/client/index.js',
        'dist/client/index.d.ts',
        'dist/web/index.html',
        'dist/web/theme.js',
        'dist/web/index.html',
      ]),
    );
  });

  it('has every migration beside the code that reads it', () => {
    const migrations = tree().flatMap(({ path }) => /^src\/(.+\.sql)$/.exec(path)?.[1] ?? []);
    expect(migrations).not.toEqual([]);
    expect(packed).toEqual(expect.arrayContaining(migrations.map((path) => `dist/${path}`)));
  });

  it('has the examples', () => {
    const examples = tree().flatMap(({ path }) => (path.startsWith('examples/') ? [path] : []));
    expect(packed).toEqual(expect.arrayContaining(examples));
  });

  it('has neither tests nor sources, nor a lock file that would make it install itself', () => {
    expect(packed.filter((path) => /^(src|test|bench|\.ci)\/|package-lock\.json/.test(path))).toEqual([]);
  });

  it('satisfies publint', async () => {
    const { messages } = await publint({ pkgDir: ROOT, strict: true, pack: false });
    expect(messages).toEqual([]);
  });
});
