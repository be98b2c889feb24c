/** Several servers in one data directory: whose address is announced there, and who takes it back. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, expect, it } from 'vitest';
import { resolveSettings } from '../src/config.ts';
import { createRuntime } from '../src/index.ts';
import { announce, announcerOf, localServer } from '../src/local-access.ts';
import { startedAt } from '../src/process-identity.ts';
import { freshDatabase, temporaryDirectory } from './support/postgres.ts';

const undo: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const each of undo.reverse()) await each();
});

async function directory(): Promise<string> {
  const { path, remove } = await temporaryDirectory();
  undo.push(remove);
  return path;
}

it('a second server in a data directory works, says how to name it, and leaves the first one announced', async () => {
  const database = await freshDatabase();
  undo.push(database.drop);
  const dataDir = await directory();
  const start = async () => {
    const flags = { port: '0', 'data-dir': dataDir, 'database-url': database.url };
    const { settings } = resolveSettings({ flags, env: {}, file: {} });
    let log = '';
    const said = { write: (line: string) => (log += line) };
    const runtime = await createRuntime(settings, { log: pino({ level: 'warn' }, said), say: () => {} });
    return { runtime, url: runtime.url, log: () => log };
  };
  const first = await start();
  expect([localServer(dataDir)?.url, announcerOf(dataDir)]).toEqual([first.url, process.pid]);
  const second = await start();
  expect(localServer(dataDir)?.url).toBe(first.url);
  expect((await fetch(`${second.url}/healthz`)).ok).toBe(true);
  expect(first.log()).not.toContain('--url');
  expect(second.log()).toContain(
    `commands in this folder go to the Baton server that was here first (process ${process.pid}, ${first.url}): name this one with --url ${second.url}`,
  );
  await second.runtime.stop();
  expect(localServer(dataDir)?.url).toBe(first.url);
  await first.runtime.stop();
  expect(localServer(dataDir)).toBeNull();
}, 60_000);

it('what a killed server left announced is replaced, and taken back by whoever wrote it', async () => {
  const dataDir = await directory();
  const killed = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
  const holder = JSON.stringify({ pid: killed.pid, started: startedAt(killed.pid!) });
  await writeFile(join(dataDir, 'url.lock'), holder);
  await writeFile(join(dataDir, 'url'), 'http://127.0.0.1:1\n');
  const url = 'http://127.0.0.1:2';
  expect(await announce(dataDir, url)).toEqual({ is: 'others', pid: killed.pid, url: 'http://127.0.0.1:1' });
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const announced = await announce(dataDir, url);
  expect([localServer(dataDir)?.url, announcerOf(dataDir)]).toEqual([url, process.pid]);
  if (announced.is === 'announced') await announced.takeBack();
  expect(localServer(dataDir)).toBeNull();
});
