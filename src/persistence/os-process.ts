/** Processes that may not be our children: whether they live, who they are, and their end. */
import type { ChildProcess } from 'node:child_process';
import { readlink, realpath } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { startedAt } from '../process-identity.ts';

/** Fast shutdown, then immediate, then kill; in all less than the 10 s that a stop of the server may take. */
const STOPS: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGINT', 6_000],
  ['SIGQUIT', 1_500],
  ['SIGKILL', 1_500],
];
const LOOK_MS = 20;

/** Sends a signal; false: there is no such process. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the process lives; one that ended and was not waited for by its parent does not. */
export const alive = (pid: number): boolean => send(pid, 0) && startedAt(pid) !== null;

export const ended = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Whether `dir` is the process's working directory. Where the system cannot say, it is taken to be. */
export async function livesIn(pid: number, dir: string): Promise<boolean> {
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(dir));
  } catch {
    return true;
  }
}

/** Ends a postmaster, gently first. Resolves when it is gone. */
export async function end(pid: number, clock: Clock): Promise<void> {
  for (const [signal, patienceMs] of STOPS) {
    if (!send(pid, signal)) return;
    const since = clock.monotonic();
    while (clock.monotonic() - since < patienceMs) {
      if (!alive(pid)) return;
      await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
    }
  }
}
