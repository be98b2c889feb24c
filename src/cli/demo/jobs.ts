/**
 * What the demo's agents do, for real and on this machine: checksums of the installed files, a check of the built code, a
 * call to a busy service. Each takes some seconds, most of them pauses between small steps, so that it can be watched
 * and a first run does not heat the machine.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Clock } from '../../clock.ts';

export const JOBS = { checksum, build, call } as const;
export type JobName = keyof typeof JOBS;

/** Where a job finds the busy service. */
export const UPSTREAM_VARIABLE = 'BATON_DEMO_UPSTREAM';

export interface Stage {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  print(line: string): void;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FILES_A_RUN = 24;
const CHECKS_A_RUN = 10;

/** SHA-256 of some of the installed files. */
async function checksum({ clock, env, print }: Stage): Promise<void> {
  const files = some(await filesUnder(join(ROOT, 'dist')), FILES_A_RUN, env);
  const whole = createHash('sha256');
  for (const file of files) {
    const sum = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    whole.update(sum);
    print(`${sum.slice(0, 16)}  ${relative(ROOT, file)}`);
    await pause(clock, 200);
  }
  print(`${files.length} files, all together ${whole.digest('hex').slice(0, 16)}`);
}

/** `node --check` on some of the built files. */
async function build({ clock, env, print }: Stage): Promise<void> {
  const files = (await filesUnder(join(ROOT, 'dist'))).filter((file) => file.endsWith('.js'));
  for (const file of some(files, CHECKS_A_RUN, env)) {
    await promisify(execFile)(process.execPath, ['--check', file]);
    print(`ok  ${relative(ROOT, file)}`);
    await pause(clock, 450);
  }
}

/** One request to the busy service; its refusal is the job's failure, in its own words. */
async function call({ clock, env, print }: Stage): Promise<void> {
  const url = `${env[UPSTREAM_VARIABLE]}/${env.BATON_ISSUE_ID}`;
  print(`GET ${url}`);
  await pause(clock, 1200);
  const answer = await fetch(url);
  const text = await answer.text();
  if (!answer.ok) {
    const wait = answer.headers.get('retry-after') ?? '5';
    throw new Error(`${answer.status} ${answer.statusText}: ${text} Try again in ${wait} seconds.`);
  }
  print(`${answer.status} ${text}`);
  await pause(clock, 1500);
}

/** Another part of the list for each issue, the same at every attempt. */
function some(files: readonly string[], count: number, env: Stage['env']): string[] {
  const number = Number(env.BATON_ISSUE?.split('-').at(-1) ?? 0);
  const from = (number * count) % Math.max(1, files.length);
  return [...files.slice(from), ...files.slice(0, from)].slice(0, count);
}

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}
