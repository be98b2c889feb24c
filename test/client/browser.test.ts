import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../src/', import.meta.url);

/** Every file that src/client reaches by an import that is not of types alone. */
function reached(path: string, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(path)) return seen;
  const text = readFileSync(new URL(path, ROOT), 'utf8');
  seen.set(path, text);
  for (const [, name = ''] of text.matchAll(/^(?:import|export)(?! type)[^;]*? from '(\.[^']+)';/gm)) {
    reached(new URL(name, new URL(path, ROOT)).pathname.slice(ROOT.pathname.length), seen);
  }
  return seen;
}

describe('the client in a browser', () => {
  it('reaches no module of Node, no package and no Buffer', () => {
    const files = new Map<string, string>();
    // Also what the index does not offer: the pages import it.
    for (const name of readdirSync(new URL('client/', ROOT))) reached(`client/${name}`, files);
    expect(files.has('client/client.ts')).toBe(true);
    for (const [path, text] of files) {
      const foreign = [...text.matchAll(/^(?:import|export)(?! type)[^;]*? from '([^.'][^']*)';/gm)];
      expect({ path, foreign: foreign.map(([, name]) => name) }).toEqual({ path, foreign: [] });
      expect(text).not.toMatch(/\bBuffer\b|\bprocess\./);
    }
  });
});
