/**
 * The key that is made for a worker. Its name says of which process it is, so that a worker that was killed, and could not
 * revoke its key, does not leave it valid: whoever starts later for the same agent on the same machine sees that the
 * process is gone. The key of a process that lives, or of another machine, is left alone.
 */
import { hostname } from 'node:os';
import type { HttpApi } from '../../client/http.ts';
import { machineId, startId } from '../../process-identity.ts';

/** A key's name has at most 100 characters; the rest of it takes 59. */
const LONGEST_HOST = 40;
const NAME = /, process (\d{1,10}) \(([0-9a-f]{12})-([0-9a-f]{12})\)$/;

/**
 * `baton work on build-1, process 4711 (9f3a1c02be01-7be01d449f3a)`: machine and start of the process in brackets, left out
 * where the system does not tell them.
 * @param as what the process is
 */
export function workerKeyName(as: string): string {
  const what = `${as} on ${hostname().slice(0, LONGEST_HOST)}`;
  const machine = machineId();
  const start = startId(process.pid);
  return machine === null || start === null ? what : `${what}, process ${process.pid} (${machine}-${start})`;
}

/** True: it is the name of a worker's key, and its process was on this machine and is gone. */
export function isOfGoneProcess(name: string): boolean {
  const [, pid = '', machine, start] = NAME.exec(name) ?? [];
  return machine !== undefined && machine === machineId() && startId(Number(pid)) !== start;
}

/** Some process that lives on this machine works by a key with this name, or – elsewhere – may do so. */
export function mayBeUsed(name: string): boolean {
  return NAME.test(name) && !isOfGoneProcess(name);
}

/**
 * Revokes what workers that are gone have left of these agents. Never rejects: what cannot be revoked now is found again.
 * @param agentIds of the company
 */
export async function revokeLeft(
  http: HttpApi,
  companyId: string,
  agentIds: Iterable<string>,
): Promise<void> {
  const whose = new Set<string | null>(agentIds);
  try {
    for await (const { id, agentId, name, revokedAt } of http.keys(companyId)) {
      if (revokedAt !== null || !whose.has(agentId) || name === null) continue;
      if (isOfGoneProcess(name)) await http.revokeKey(id);
    }
  } catch {
    // the server is away, or others may not revoke keys of this company
  }
}
