/** What is said of a start that cannot be: one sentence that names the thing in the way, and what to do about it. */
import { resolve, sep } from 'node:path';
import type { Settings } from '../config.ts';
import { BatonError } from '../errors.ts';
import { announcerOf, localServer } from '../local-access.ts';
import { portHolder } from './port-holder.ts';

type SystemError = NodeJS.ErrnoException & { readonly port?: number };
type Where = Pick<Settings, 'host' | 'port' | 'dataDir'>;

const ANOTHER_PORT = 'choose another port with --port (0 = any free one)';
const ANOTHER_DIR = 'choose another data directory with --data-dir';

/** Anything but a defect and what is a sentence already; of a defect the stack is wanted, so it stays what it is. */
export async function startFailure(error: unknown, where: Where): Promise<unknown> {
  if (error instanceof BatonError || isDefect(error)) return error;
  const failed = error as SystemError;
  const { message, code = '', syscall } = failed;
  if (code === 'EADDRINUSE') return await portTaken(where);
  if (code === 'EACCES' && syscall === 'listen') {
    return refused(`Port ${where.port} may not be listened on by this user (${code}).`, {
      hint: 'Choose a port above 1023 with --port.',
    });
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EADDRNOTAVAIL') {
    return refused(`This machine has no address ${where.host} (${code}).`, {
      hint: 'Choose another with --host.',
    });
  }
  const cause = isOfDataDir(failed, where.dataDir) ? CAUSES[code] : undefined;
  if (cause === undefined) return refused(message, { hint: null });
  const dataDir = resolve(where.dataDir);
  return refused(
    `The data directory ${dataDir} cannot be used: ${cause(failed.path ?? dataDir)} (${code}).`,
    {
      hint: 'Choose a data directory of your own that you may write to with --data-dir.',
    },
  );
}

/** @param pid of the server that has it */
export function dataDirInUse(dataDir: string, pid: number): BatonError {
  const whole = resolve(dataDir);
  // Another server may be announced here: one with a database elsewhere, which was here first.
  const url = announcerOf(whole) === pid ? localServer(whole)?.url : undefined;
  const at = url === undefined ? '' : ` and listens on ${url}`;
  const open = url === undefined ? 'Stop it' : `Open ${url}, or stop it`;
  return refused(`A Baton server (process ${pid}) uses the data directory ${whole}${at}.`, {
    hint: `${open}; for another server beside it ${ANOTHER_DIR}.`,
  });
}

async function portTaken({ host, port, dataDir }: Where): Promise<BatonError> {
  const holder = await portHolder(host, port, dataDir);
  switch (holder.is) {
    case 'own':
      return refused(`The Baton server of the data directory ${resolve(dataDir)} listens on ${holder.url}.`, {
        hint: `Open ${holder.url}, or stop it; for another server beside it ${ANOTHER_PORT}.`,
      });
    case 'baton':
      return refused(`Port ${port} on ${host} is taken by another Baton server, ${holder.version ?? '?'}.`, {
        hint: `Open ${holder.url}, or stop it; else ${ANOTHER_PORT}.`,
      });
    case 'other':
      return refused(`Port ${port} on ${host} is taken by another program, which is no Baton (EADDRINUSE).`, {
        hint: `Stop that program, or ${ANOTHER_PORT}.`,
      });
  }
}

const refused = (message: string, { hint }: { hint: string | null }) =>
  new BatonError('INTERNAL', message, { hint });

function isDefect(error: unknown): boolean {
  return !(error instanceof Error) || error instanceof TypeError || error instanceof RangeError;
}

/** What the system says against a path, in words. */
const CAUSES: Readonly<Record<string, (path: string) => string>> = {
  EACCES: (path) => `this user may not write ${path}`,
  EPERM: (path) => `this user may not change ${path}`,
  EROFS: (path) => `${path} is on a disk that cannot be written to`,
  EEXIST: (path) => `${path} is a file, not a directory`,
  ENOTDIR: (path) => `on the way to ${path} there is a file, not a directory`,
  ENOENT: (path) => `no directory can be made at ${path}`,
  ENOSPC: (path) => `the disk of ${path} is full`,
};

/** Of the data directory, something in it, or a directory above it. */
function isOfDataDir({ path }: SystemError, dataDir: string): boolean {
  if (path === undefined) return false;
  const [one, other] = [`${resolve(path)}${sep}`, `${resolve(dataDir)}${sep}`];
  return one.startsWith(other) || other.startsWith(one);
}
