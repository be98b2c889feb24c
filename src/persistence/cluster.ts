/**
 * A database cluster on disk: where it lies, whose it is, and its making. It is made beside its place and moved there
 * when it is whole, so a start that was killed leaves no half of one.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type DatabasePlace, databasePlace, noteOf, usualPlace } from '../database-place.ts';
import { makeDirectory } from './directory.ts';
import type { Binaries } from './postgres-binaries.ts';
import { barrier, type User } from './unprivileged.ts';

/** Where things go that the unprivileged user could not reach where they should be. */
const ELSEWHERE = '/var/lib/baton';

/** The database superuser; only who may pass the cluster's directory (mode 0700) reaches the socket. */
export const SUPERUSER = 'postgres';

/**
 * Makes the data dir, closed to everybody else. A server that runs as root gives it to the database's unprivileged user,
 * who must pass it to reach the cluster; root passes it all the same.
 */
export async function makeDataDir(dataDir: string, user: User | null): Promise<void> {
  await makeDirectory(dataDir);
  if (user !== null) await chown(dataDir, user.uid, user.gid);
  await chmod(dataDir, 0o700);
}

/**
 * The cluster's directory: `<data dir>/postgres`; or, where `user` cannot reach that (the data dir is below /root),
 * one under /var/lib/baton, which `<data dir>/postgres.location` names once it is made (`noteElsewhere`).
 */
export async function locate(dataDir: string, user: User | null): Promise<DatabasePlace> {
  const found = databasePlace(dataDir);
  if (found.note !== null || user === null || (await barrier(found.path, user)) === null) return found;
  const hash = createHash('sha256').update(found.path).digest('hex').slice(0, 16);
  await mkdir(ELSEWHERE, { recursive: true, mode: 0o755 });
  return { path: join(ELSEWHERE, hash), note: noteOf(dataDir) };
}

/**
 * Writes down where the cluster is, and says so: at every start, for whoever backs up the data dir alone has nothing.
 * Only when it is there: a note without its database means that one is lost.
 */
export async function noteElsewhere(
  { path, note }: DatabasePlace,
  dataDir: string,
  user: User | null,
  log: (line: string) => void,
): Promise<void> {
  if (note === null) return;
  await writeFile(note, `${path}\n`);
  const blocked = user === null ? null : await barrier(usualPlace(dataDir), user);
  const why = blocked === null ? '' : `The user ${user?.name} may not pass ${blocked}, so `;
  const where = `${why === '' ? 'The' : 'the'} database is kept in ${path}`;
  log(`${why}${where}, outside the data directory; ${note} names it. A backup needs both.`);
}

/** Programs that `user` can reach: the given ones, or a copy of npm's under /var/lib/baton. */
export async function reachable(binaries: Binaries, user: User | null): Promise<Binaries> {
  if (user === null || (await barrier(join(binaries.bin, 'postgres'), user)) === null) return binaries;
  const native = dirname(binaries.bin);
  const copy = join(ELSEWHERE, `postgresql-${binaries.version}`);
  if (!(await exists(copy))) {
    const draft = `${copy}.${process.pid}`;
    await mkdir(ELSEWHERE, { recursive: true, mode: 0o755 });
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await rename(draft, copy).catch(() => rm(draft, { recursive: true, force: true }));
  }
  return { ...binaries, bin: join(copy, basename(binaries.bin)) };
}

/** The major version that made the cluster; null: there is none yet. */
export async function majorOf(cluster: string): Promise<number | null> {
  const text = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => null);
  return text === null ? null : Number.parseInt(text, 10);
}

/** Makes a cluster at `place`, where there is none. Needs the data dir's lock. */
export async function create(place: string, binaries: Binaries, user: User | null): Promise<void> {
  const prefix = `${basename(place)}.new-`;
  for (const name of await readdir(dirname(place)))
    if (name.startsWith(prefix)) await rm(join(dirname(place), name), { recursive: true, force: true });
  const draft = join(dirname(place), `${prefix}${process.pid}`);
  await mkdir(draft, { mode: 0o700 });
  if (user !== null) await chown(draft, user.uid, user.gid);
  let failure: unknown;
  for (const locale of locales(binaries.major)) {
    try {
      await initdb(draft, binaries, user, locale);
      await rename(draft, place);
      return;
    } catch (error) {
      failure = error; // the machine may lack the locale; initdb has emptied the directory again
    }
  }
  await rm(draft, { recursive: true, force: true });
  const said = (failure as { stderr?: string }).stderr ?? '';
  throw new Error(`initdb (${binaries.bin}) could not make a database: ${said.trim()}`, { cause: failure });
}

/** Byte order everywhere, upper and lower case of all of Unicode where the version or the machine knows them. */
function locales(major: number): string[][] {
  const builtin = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  return major >= 17 ? [builtin, ['--locale=C']] : [['--locale=C.UTF-8'], ['--locale=C']];
}

async function initdb(dir: string, { bin }: Binaries, user: User | null, locale: string[]): Promise<void> {
  const options = ['-D', dir, '-U', SUPERUSER, '-E', 'UTF8', '--auth=trust', ...locale];
  const as = user === null ? {} : { uid: user.uid, gid: user.gid };
  await promisify(execFile)(join(bin, 'initdb'), options, { ...as, cwd: '/', env: plainEnvironment() });
}

/** Without the caller's PG… and locale variables, which would change what the programs do. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
