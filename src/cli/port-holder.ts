/** Who listens where a server could not: a Baton says so itself, at `/healthz`. */
import { resolve } from 'node:path';
import { serverUrl } from '../config.ts';
import { isSameServer, localServer } from '../local-access.ts';
import { healthOf } from './doctor/running.ts';

/** Somebody who does not speak HTTP may say nothing at all. */
const ANSWER_MS = 1500;

export type PortHolder =
  /** The server of this data directory, as it announced itself there. */
  { is: 'own'; url: string } | { is: 'baton'; url: string; version: string | null } | { is: 'other' };

/** @param dataDir absolute, or from the working directory */
export async function portHolder(host: string, port: number, dataDir: string): Promise<PortHolder> {
  const url = serverUrl(host, port);
  const health = await healthOf(url, ANSWER_MS);
  if (health === null) return { is: 'other' };
  const own = localServer(resolve(dataDir));
  if (own !== null && isSameServer(own.url, url)) return { is: 'own', url };
  return { is: 'baton', url, version: health.version };
}
