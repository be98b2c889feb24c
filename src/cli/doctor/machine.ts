/** What the doctor sees of this machine: versions, the disk that the database is on, the port. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Settings } from '../../config.ts';
import { databasePlace } from '../../database-place.ts';
import { VERSION } from '../../version.ts';
import { listenError } from '../listenable.ts';
import { portHolder } from '../port-holder.ts';
import { bad, type Finding, ok, warning } from './finding.ts';

const OLDEST_NODE = 20;
const GIB = 1024 ** 3;
const LITTLE = GIB;
/** PostgreSQL stops with a panic when its log cannot be written. */
const TOO_LITTLE = GIB / 5;

export function nodeVersion(version: string): Finding {
  const text = `baton ${VERSION}, node ${version}, ${process.platform}-${process.arch}`;
  return Number.parseInt(version, 10) >= OLDEST_NODE
    ? ok('versions', text)
    : bad('versions', text, `Baton needs node ${OLDEST_NODE} or newer: https://nodejs.org`);
}

/** @param free bytes; separate from reading it, so that a full disk can be tried */
export function diskFinding(path: string, free: number): Finding {
  const text = `${(free / GIB).toFixed(1)} GiB free under ${path}`;
  if (free < TOO_LITTLE) return bad('disk', text, 'Make room now: a database that cannot write stops.');
  if (free < LITTLE)
    return warning('disk', text, 'Make room, or set --retention-days so that old history is deleted.');
  return ok('disk', text);
}

export async function disk({ dataDir, databaseUrl }: Settings, cwd: string): Promise<Finding> {
  const whole = resolve(cwd, dataDir);
  let path = databaseUrl === null ? databasePlace(whole).path : whole;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  const { bavail, bsize } = await statfs(path);
  return diskFinding(path, bavail * bsize);
}

/**
 * Who, if anybody, has the port a server here would listen on.
 * @param ours the port of the server that runs here; null: none does
 */
export async function port(
  { host, port, portExplicit, dataDir }: Settings,
  ours: number | null,
  cwd: string,
): Promise<Finding> {
  if (ours !== null && (ours === port || !portExplicit)) return ok('port', `${ours} is the server’s`);
  if (port === 0) return ok('port', 'any free one');
  const error = await listenError(host, port);
  if (error === null) return ok('port', `${port} on ${host} is free`);
  const code = error.code ?? error.message;
  if (code === 'EADDRINUSE') {
    const holder = await portHolder(host, port, resolve(cwd, dataDir));
    const who = holder.is === 'other' ? 'another program' : 'another Baton server';
    return warning(
      'port',
      `${port} on ${host} is taken by ${who}`,
      'Stop it, or choose another with --port.',
    );
  }
  return bad(
    'port',
    `${port} on ${host} cannot be listened on (${code})`,
    'Choose another with --port or --host.',
  );
}
