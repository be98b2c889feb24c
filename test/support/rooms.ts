/**
 * The rules of the house (ARCHITECTURE.md, "Rooms"), each a pure function from files to sentences: one sentence for
 * each place that breaks it. `test/rooms.test.ts` runs them over the tree, and over a sample that must be found.
 */
import { codeOf, importsOf, type SourceFile } from './source.ts';

type Rule = (files: readonly SourceFile[]) => string[];

/** What a room may import besides itself: leaves, other rooms' files, packages; `*` at the end is any ending. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  machines: ['src/ids.ts', 'src/errors.ts', 'xstate', 'xstate/*', 'zod'],
  persistence: [
    'src/ids.ts',
    'src/errors.ts',
    'src/clock.ts',
    'src/config.ts',
    'src/database-place.ts',
    'src/process-identity.ts',
    'src/process-lock.ts',
    'package:*',
  ],
  supervisor: [
    'src/ids.ts',
    'src/errors.ts',
    'src/clock.ts',
    'src/config.ts',
    'src/machines/kind.ts',
    'src/machines/step.ts',
    'src/machines/fold.ts',
    'src/persistence/store.ts',
    'src/persistence/catalog.ts',
    'package:*',
  ],
  gateway: [
    'src/ids.ts',
    'src/errors.ts',
    'src/clock.ts',
    'src/config.ts',
    'src/machines/*',
    'src/supervisor/router.ts',
    'src/supervisor/meter.ts',
    'package:*',
  ],
  client: ['src/errors.ts', 'src/ids.ts', 'src/machines/view.ts', 'src/machines/events.ts', 'package:*'],
  cli: ['src/*.ts', 'src/client/*', 'src/machines/*', 'package:*'],
};
/** Rooms that nothing may import but the file that builds everything (`cli` may be started by bin only). */
const ONLY_FROM: Readonly<Record<string, readonly string[]>> = {
  gateway: ['src/index.ts'],
  'src/index.ts': ['src/cli/'],
  cli: [],
};

/** Time and chance, which only a clock.ts may ask the machine for (A6, A10). */
const FORBIDDEN: readonly [RegExp, string][] = [
  [/\bDate\.now\b/, 'Date.now'],
  [/\bnew Date\(\s*\)/, 'new Date()'],
  [/\bperformance\.now\b/, 'performance.now'],
  [/\bMath\.random\b/, 'Math.random'],
  [/\bsetTimeout\b/, 'setTimeout'],
  [/\bsetInterval\b/, 'setInterval'],
  [/\brandomUUID\b/, 'randomUUID'],
  [/\bprocess\.hrtime\b/, 'process.hrtime'],
];
/** The second is the browsers': the first needs `node:crypto`. */
const CLOCKS = ['src/clock.ts', 'src/client/clock.ts'];

/** What the runtime must not know about. `assignee` alone is a column of the contract. */
const DOMAIN_WORDS = /\w*(?:issue|reassign|assignee|wakes?\b|wakeup|backoff|ladder|codex|claude)\w*/gi;
/** The files that carry an actor through its life, where not even a retry may be known. */
const CORE = /^src\/supervisor\/(turn|timers|slots|lane|recovery)\.ts$/;
const CORE_WORDS = /\w*retry\w*/gi;
/** `assignee`: a column (kind.ts); `retry`: what a refusal tells its receiver to do (router.ts). */
const CONTRACT_WORDS = ['assignee', 'retry'];

const LONGEST_FILE = 400;

function roomOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

function allows(pattern: string, imported: string): boolean {
  if (pattern === 'package:*') return !imported.startsWith('src/');
  if (pattern === 'src/*.ts') return /^src\/[^/]+\.ts$/.test(imported);
  return pattern.endsWith('*') ? imported.startsWith(pattern.slice(0, -1)) : pattern === imported;
}

export const imports: Rule = (files) =>
  inSrc(files).flatMap((file) => importsOf(file).flatMap((imported) => importFault(file.path, imported)));

function importFault(path: string, imported: string): string[] {
  const room = roomOf(path);
  const target = roomOf(imported);
  const guarded = ONLY_FROM[imported] ?? ONLY_FROM[target ?? ''];
  if (guarded && target !== room && !guarded.some((from) => path.startsWith(from))) {
    const who = guarded.length > 0 ? `only ${guarded.join(' and ')} may` : 'nothing in src may';
    return [`${path} imports ${imported}: ${who}.`];
  }
  if (room === null) {
    const leaf = path !== 'src/index.ts' && target !== null;
    return leaf ? [`${path} imports ${imported}: a leaf knows no room.`] : [];
  }
  const may = MAY_IMPORT[room];
  if (!may) return [`${path} is in a room that ARCHITECTURE.md does not know: src/${room}.`];
  if (target === room || may.some((pattern) => allows(pattern, imported))) return [];
  return [`${path} imports ${imported}: the room ${room} may import only itself and ${may.join(', ')}.`];
}

export const timeAndChance: Rule = (files) =>
  inSrc(files)
    .filter((file) => !CLOCKS.includes(file.path))
    .flatMap((file) => {
      const code = codeOf(file.text);
      const direct = FORBIDDEN.filter(([pattern]) => pattern.test(code)).map(([, name]) => name);
      const imported = importsOf(file).filter((name) => /^(node:)?timers(\/|$)/.test(name));
      return [...direct, ...imported].map(
        (name) => `${file.path} uses ${name}: time and chance come from clock.ts, handed in (A6, A10).`,
      );
    });

export const domainWords: Rule = (files) =>
  files
    .filter((file) => roomOf(file.path) === 'supervisor')
    .flatMap((file) => {
      const code = codeOf(file.text, { strings: true });
      const words: string[] = code.match(DOMAIN_WORDS) ?? [];
      if (CORE.test(file.path)) words.push(...(code.match(CORE_WORDS) ?? []));
      return [...new Set(words)]
        .filter((word) => !CONTRACT_WORDS.includes(word))
        .map((word) => `${file.path} says "${word}": the supervisor knows actors, not what they are for.`);
    });

export const names: Rule = (files) =>
  files
    .filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\.[a-z.]+)?(\/|$)/i.test(file.path))
    .map((file) => `${file.path} is named after no thing: name the noun it is about.`);

export const everyTestRuns: Rule = (files) =>
  files
    .filter((file) => /^test\/.*\.ts$/.test(file.path))
    .flatMap((file) =>
      [...codeOf(file.text).matchAll(/\.(skip|only|todo|skipIf|runIf)\s*[.(]/g)].map(
        ([, word]) => `${file.path} has .${word}: a test that does not run proves nothing.`,
      ),
    );

export const nothingLeftUndone: Rule = (files) =>
  inSrc(files).flatMap((file) =>
    (file.text.match(/\b(TODO|FIXME|XXX)\b/g) ?? []).map(
      (word) => `${file.path} says ${word}: do it, or write it down as an issue.`,
    ),
  );

export const length: Rule = (files) =>
  inSrc(files).flatMap((file) => {
    const lines = file.text.trimEnd().split('\n').length;
    const fault = `${file.path} has ${lines} lines, more than ${LONGEST_FILE}: it holds more than one noun.`;
    return lines > LONGEST_FILE ? [fault] : [];
  });

/** Put together here so that this file does not break its own rule. */
const PRIVATE_PLACES = [
  ['', 'work', ''].join('/'),
  ['', 'home', ''].join('/'),
  ['registry', 'npmjs', 'org'].join('.'),
  ['registry', 'yarnpkg', 'com'].join('.'),
];

export const places: Rule = (files) =>
  files.flatMap((file) =>
    PRIVATE_PLACES.filter((place) => file.text.includes(place)).map(
      (place) => `${file.path} names ${place}: it means nothing on another machine.`,
    ),
  );

interface Locked {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** `npm ci` refuses a lock file that lacks an optional package, also one of another platform. */
export const lockFile: Rule = (files) => {
  const file = files.find(({ path }) => path === 'package-lock.json');
  if (!file) return ['package-lock.json is missing: npm ci needs it.'];
  const packages = (JSON.parse(file.text) as { packages: Record<string, Locked> }).packages;
  return Object.entries(packages).flatMap(([path, locked]) => [
    ...(locked.resolved === undefined ? [] : [`package-lock.json has an address for ${path}: see .npmrc.`]),
    ...Object.keys(locked.optionalDependencies ?? {})
      .filter((name) => !found(packages, path, name))
      .map((name) => `package-lock.json lacks ${name}, which ${path} may need: npm ci refuses that.`),
  ]);
};

/** As Node looks: in the package's own node_modules, then in those of the folders above. */
function found(packages: Readonly<Record<string, Locked>>, path: string, name: string): boolean {
  if (packages[`${path === '' ? '' : `${path}/`}node_modules/${name}`]) return true;
  if (path === '') return false;
  const above = path.lastIndexOf('node_modules/');
  return found(packages, above <= 0 ? '' : path.slice(0, above - 1), name);
}

function inSrc(files: readonly SourceFile[]): SourceFile[] {
  return files.filter((file) => /^src\/.*\.ts$/.test(file.path));
}
