/**
 * Which process a process id means: the system gives ids again, so an id alone names nobody. With the time the process
 * started, in the system's own words, it does; and with the machine it is of, also on others.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/** When a process started, in the system's own words; null: there is no such process. */
export function startedAt(pid: number): string | null {
  const stat = statOf(pid);
  if (stat !== null) return stat[0] === 'Z' ? null : stat[19]!;
  return said('ps', ['-o', 'lstart=', '-p', String(pid)]);
}

/** The fields of /proc/PID/stat from its state on (proc(5), field 3); null: no such process, or a system without /proc. */
export function statOf(pid: number): readonly string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/**
 * This machine since it was started, and in it the world of process ids we are in (a container has its own): two
 * processes with the same one mean the same process by the same id. Null: the system cannot say.
 */
export function machineId(): string | null {
  // Asked of every key there is, and never another one for as long as this process lives.
  machine ??= { id: abbreviated(bootId()) };
  return machine.id;
}
let machine: { readonly id: string | null } | null = null;

/** `startedAt` short enough for a name. */
export function startId(pid: number): string | null {
  return abbreviated(startedAt(pid));
}

function abbreviated(text: string | null): string | null {
  return text === null ? null : createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function bootId(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return process.platform === 'darwin' ? said('sysctl', ['-n', 'kern.bootsessionuuid']) : null;
  }
}

function said(file: string, args: readonly string[]): string | null {
  try {
    return execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe' }).trim() || null;
  } catch {
    return null;
  }
}
