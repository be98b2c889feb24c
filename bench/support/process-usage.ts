/** What processes cost, read from /proc (Linux only, as are the bounds). */
import { readdir, readFile } from 'node:fs/promises';
import { statOf } from '../../src/process-identity.ts';

/** Clock ticks a second: 100 on every Linux that Node runs on. */
const TICKS = 100;

export interface Cpu {
  /** Seconds. */
  readonly user: number;
  readonly sys: number;
}

export async function cpuOf(pid: number): Promise<Cpu> {
  const fields = statOf(pid);
  if (fields === null) throw new Error(`there is no process ${pid}`);
  return { user: Number(fields[11]) / TICKS, sys: Number(fields[12]) / TICKS };
}

/** Resident memory now and at its highest, MB. */
export async function memoryOf(pid: number): Promise<{ rss: number; highest: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  return { rss: kilobytes('VmRSS') / 1024, highest: kilobytes('VmHWM') / 1024 };
}

export async function childrenOf(pid: number): Promise<number[]> {
  const children: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    if (Number(statOf(Number(name))?.[1]) === pid) children.push(Number(name));
  }
  return children;
}
