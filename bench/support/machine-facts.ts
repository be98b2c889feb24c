/** What a figure was measured on: without it a figure says nothing. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';

export interface MachineFacts {
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  /** Load average of the last minute: above the number of cores, others were at work too. */
  readonly load: number;
}

export async function machineFacts(): Promise<MachineFacts> {
  const packageJson = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  return {
    date: new Date().toISOString().slice(0, 16),
    commit: commit() ?? packageJson.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    load: loadavg()[0]!,
  };
}

function commit(): string | null {
  try {
    const options = { stdio: ['ignore', 'pipe', 'ignore'] as ('ignore' | 'pipe')[] };
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], options).toString().trim();
  } catch {
    return null;
  }
}
