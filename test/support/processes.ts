/** The machine's processes, as the tests that must leave none see them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Process ids of those whose command line has `part`; the dead that nobody has reaped do not count. */
export async function processesWith(part: string): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,stat=,args=']);
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((found) => found?.[3]?.includes(part) && !found[2]?.startsWith('Z'))
    .map((found) => Number(found?.[1]));
}

export async function isAlive(pid: number): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]);
    return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
  } catch {
    return false;
  }
}
