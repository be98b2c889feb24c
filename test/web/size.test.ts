/** What a browser has to fetch before the first page is there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/built.ts';
import { ROOT } from '../support/source.ts';

const MOST_BYTES = 60 * 1024;
const built = (path: string) => readFileSync(join(ROOT, 'dist/web', path));

beforeAll(ensureBuilt, 120_000);

interface Chunk {
  file: string;
  imports?: string[];
}

describe('the built dashboard', () => {
  it('needs at most 60 kB of gzipped JavaScript for its first page', () => {
    const chunks = JSON.parse(built('manifest.json').toString()) as Record<string, Chunk>;
    const files = new Set<string>(['theme.js']);
    const follow = (name: string) => {
      const chunk = chunks[name]!;
      files.add(chunk.file);
      for (const next of chunk.imports ?? []) follow(next);
    };
    follow('index.html');
    const bytes = [...files].reduce((sum, file) => sum + gzipSync(built(file), { level: 9 }).length, 0);
    expect(files.size).toBeGreaterThan(1);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  it('has no inline script or style, which its content security policy forbids', () => {
    const html = built('index.html').toString();
    expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*\bsrc=)/);
    expect(
      [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, to]) => to).filter((to) => !to!.startsWith('/')),
    ).toEqual([]);
  });
});
