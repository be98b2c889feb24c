/** Holds the tree to ARCHITECTURE.md. Each rule is also shown a file that breaks it, for a check must be able to fail. */
import { describe, expect, it } from 'vitest';
import * as rules from './support/rooms.ts';
import { codeOf, type SourceFile, tree } from './support/source.ts';

const files = tree();
const file = (path: string, text: string): SourceFile => ({ path, text });

const CASES: readonly [string, (files: readonly SourceFile[]) => string[], SourceFile][] = [
  [
    'a machine knows nothing of the world',
    rules.imports,
    file('src/machines/a.ts', "import { readFile } from 'node:fs';"),
  ],
  [
    'persistence and machines do not know each other',
    rules.imports,
    file('src/persistence/a.ts', "import type { ActorKind } from '../machines/kind.ts';"),
  ],
  [
    'machines do not know persistence',
    rules.imports,
    file('src/machines/a.ts', "import type { Store } from '../persistence/store.ts';"),
  ],
  [
    'the supervisor knows actors through the kind contract only',
    rules.imports,
    file('src/supervisor/a.ts', "import { issueKind } from '../machines/issue-kind.ts';"),
  ],
  [
    'the supervisor knows the store through its contract only',
    rules.imports,
    file('src/supervisor/a.ts', "import { PostgresStore } from '../persistence/postgres-store.ts';"),
  ],
  [
    'the gateway goes through the router',
    rules.imports,
    file('src/gateway/a.ts', "export type { Store } from '../persistence/store.ts';"),
  ],
  [
    'nothing imports the gateway but index.ts',
    rules.imports,
    file('src/client/a.ts', "const frames = await import('../gateway/protocol.ts');"),
  ],
  ['a leaf knows no room', rules.imports, file('src/clock.ts', "import { step } from './machines/step.ts';")],
  ['every room is a known one', rules.imports, file('src/drawer/a.ts', "import { z } from 'zod';")],
  ['time comes from clock.ts', rules.timeAndChance, file('src/cli/a.ts', 'const at = Date.now();')],
  [
    'time comes from clock.ts, not from node:timers',
    rules.timeAndChance,
    file('src/gateway/a.ts', "import { scheduler } from 'node:timers/promises';"),
  ],
  [
    'chance comes from clock.ts',
    rules.timeAndChance,
    file('src/machines/a.ts', 'assign(() => Math.random())'),
  ],
  [
    'the runtime knows no domain word',
    rules.domainWords,
    file('src/supervisor/a.ts', "if (kind === 'issue') {}"),
  ],
  ['a turn knows no retry', rules.domainWords, file('src/supervisor/turn.ts', 'const retryDueAt = 1;')],
  ['files are named after what they hold', rules.names, file('src/gateway/utils.ts', '')],
  ['no test is left out', rules.everyTestRuns, file('test/a.test.ts', "it.skip('later', () => {});")],
  ['nothing is left undone in src', rules.nothingLeftUndone, file('src/ids.ts', '// TODO later')],
  ['a file holds one noun', rules.length, file('src/ids.ts', `${'\n'.repeat(400)}x`)],
  ['no file names a place of one machine', rules.places, file('README.md', ['cd', '/work', 'x'].join('/'))],
  [
    'the lock file has no addresses',
    rules.lockFile,
    file('package-lock.json', '{"packages":{"node_modules/a":{"resolved":"https://example.com/a.tgz"}}}'),
  ],
  [
    'the lock file is complete for every platform',
    rules.lockFile,
    file('package-lock.json', '{"packages":{"node_modules/a":{"optionalDependencies":{"b":"1"}}}}'),
  ],
];

describe('the rules of the house', () => {
  it.each(Object.entries(rules))('%s: nothing breaks it', (_name, rule) => {
    expect(rule(files)).toEqual([]);
  });

  it.each(CASES)('%s', (_name, rule, broken) => {
    expect(rule([broken])).toHaveLength(1);
  });

  it('all have a sample that breaks them', () => {
    expect(new Set(CASES.map(([, rule]) => rule))).toEqual(new Set(Object.values(rules)));
  });
});

describe('reading source', () => {
  it('sees no code in comments, strings, templates and patterns, and does between them', () => {
    const text = [
      "const a = 'Date.now'; // Date.now",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text that has a template in it
      '/* Date.now */ const b = `Date.now ${[1].map((x) => { return `${x} Date.now`; })} Date.now`;',
      'const c = /["`]Date.now/.test(a) ? 1 / 2 : b;',
    ].join('\n');
    expect(codeOf(text)).not.toContain('Date.now');
    expect(codeOf(text).replace(/\s+/g, ' ')).toContain('.map((x) => { return');
    expect(codeOf(`${text} Date.now()`)).toContain('Date.now()');
  });

  it('lists what git would, from the root', () => {
    expect(files.map(({ path }) => path)).toContain('src/machines/kind.ts');
    expect(files.some(({ path }) => path.startsWith('node_modules/'))).toBe(false);
  });
});
