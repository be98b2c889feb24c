/**
 * PostgreSQL refuses to run as root. A server that runs as root lends its database to a user without rights: `postgres`
 * where there is one, else `nobody`. Whoever is not root runs it as himself.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In whose name the database runs; null: in our own. */
export async function unprivilegedUser(): Promise<User | null> {
  if (process.getuid?.() !== 0) return null;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const line = lines.find(([name]) => name === wanted);
    if (line !== undefined) return { name: wanted, uid: Number(line[2]), gid: Number(line[3]) };
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to lend it to. ' +
      'Run Baton as an ordinary user, or set DATABASE_URL.',
  );
}

/** The uppermost directory on the way to `path` that `user` may not pass; null: it can be reached. */
export async function barrier(path: string, user: User): Promise<string | null> {
  const way: string[] = [];
  for (let dir = dirname(path); way.at(-1) !== dir; dir = dirname(dir)) way.push(dir);
  for (const dir of way.reverse()) {
    const { mode, uid, gid } = await stat(dir);
    const needed = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & needed) === 0) return dir;
  }
  return null;
}
