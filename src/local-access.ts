/**
 * What a server leaves in its data directory (mode 0600), so that whoever may read that directory finds it: the address
 * where it listens, there while it runs – of several servers in one directory the first one's; and in local mode, where
 * nobody is to be told anything to be let in, its operator token, kept from start to start (protocol section 2).
 *
 * Token and address belong together: a client sends the token to that address and to no other, so a `--url` of somebody
 * else's server never gets it.
 */
import { readFileSync } from 'node:fs';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from './clock.ts';
import { isLoopback } from './config.ts';
import { holderOf, takeLock } from './process-lock.ts';

const TOKEN = 'token';
const URL_FILE = 'url';
/** Who may write and remove it: one living process a directory, for a server may be here without the directory's own lock. */
const URL_LOCK = 'url.lock';
const LEAST_TOKEN = 32;

export interface LocalServer {
  readonly url: string;
  /** Null: it cannot be read. */
  readonly token: string | null;
}

export type Announced =
  /** `takeBack` removes what was written, and nothing else. */
  | { readonly is: 'announced'; takeBack(): Promise<void> }
  /** Another living process has announced its own here. `url` null: it is about to. */
  | { readonly is: 'others'; readonly pid: number; readonly url: string | null };

/** The token of this data directory, which must exist; made on the first call. */
export async function localToken(dataDir: string, random: Random): Promise<string> {
  const path = join(dataDir, TOKEN);
  const existing = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (existing.length >= LEAST_TOKEN) {
    await chmod(path, 0o600);
    return existing;
  }
  const token = random.secret(LEAST_TOKEN);
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  return token;
}

/** Says where the server listens, unless another that lives says so here already. */
export async function announce(dataDir: string, url: string): Promise<Announced> {
  const path = join(dataDir, URL_FILE);
  const lock = await takeLock(join(dataDir, URL_LOCK));
  if (lock.is === 'held') return { is: 'others', pid: lock.pid, url: contentOf(path) };
  const text = `${url}\n`;
  const takeBack = async () => {
    if ((await readFile(path, 'utf8').catch(() => '')) === text) await rm(path, { force: true });
    lock.giveBack();
  };
  try {
    await writeFile(path, text, { mode: 0o600 });
  } catch (error) {
    await takeBack();
    throw error;
  }
  return { is: 'announced', takeBack };
}

/** The server that was last announced in this data directory; null where none was. */
export function localServer(dataDir: string): LocalServer | null {
  const url = contentOf(join(dataDir, URL_FILE));
  return url !== null && URL.canParse(url) ? { url, token: contentOf(join(dataDir, TOKEN)) } : null;
}

/** The living process that announced the server of this data directory; null: none that is known here. */
export function announcerOf(dataDir: string): number | null {
  return holderOf(join(dataDir, URL_LOCK));
}

/** True when both lead to one server: the same port of this machine, or the same origin. */
export function isSameServer(one: string, other: string): boolean {
  const a = placeOf(one);
  const b = placeOf(other);
  return a.host === b.host && a.port === b.port;
}

const PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'wss:': '443' };

function placeOf(text: string): { host: string; port: string } {
  const { protocol, hostname, port } = new URL(text);
  return {
    host: isLoopback(hostname) ? 'loopback' : hostname,
    port: port === '' ? (PORTS[protocol] ?? '80') : port,
  };
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null;
  }
}
