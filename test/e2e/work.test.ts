/** `baton work` as a process of its own: what its own end, and that of its server, do to its commands. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive, processesWith } from '../support/processes.ts';
import { call, office, startServer, type TestServer, until } from '../support/server.ts';

let server: TestServer;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  // A port of its own, so that a restart is at the same address.
  server = await startServer({ port: String(await freePort()) });
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await server.stop();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

const directory = mkdtempSync(join(tmpdir(), 'baton-e2e-work-'));
const contentOf = (path: string) =>
  until(
    async () => readIf(path),
    (text) => text.endsWith('\n'),
    15_000,
  );
function readIf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A worker whose command ignores SIGTERM, and the process id of that command. */
async function working(name: string, script: string, flags: string[] = [], npx = false) {
  const desk = await office(server, name);
  const [agent = ''] = desk.agents;
  const issue = await desk.issue(agent);
  const args = [
    'dist/cli/main.js',
    'work',
    '--agent',
    agent,
    '--url',
    server.url,
    ...flags,
    '--',
    'sh',
    '-c',
    script,
  ];
  // Under npx there is a shell in between, which signals end and which passes none on.
  const [file, before] = npx
    ? ['sh', ['-c', '"$0" "$@"; exit $?', process.execPath]]
    : [process.execPath, []];
  const env = { npm_command: 'exec', npm_lifecycle_event: 'npx', npm_lifecycle_script: "'baton'" };
  const child = spawn(file, [...before, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, ...(npx ? env : {}) },
  });
  running.add(child);
  const exited = once(child, 'exit').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return { desk, agent, issue, child, exited };
}

type KeyItem = { name: string; revokedAt: number | null };

async function validKeys(companyId: string): Promise<KeyItem[]> {
  const { body } = await call<{ items: KeyItem[] }>(server, 'GET', `/companies/${companyId}/keys`);
  return body.items.filter(({ revokedAt }) => revokedAt === null);
}

describe('a worker process', () => {
  it('of npx, which is told to end, ends as if it had been told itself', async () => {
    const begun = join(directory, 'begun-by-npx');
    const { desk, agent, issue, child, exited } = await working(
      'n',
      `echo begun > ${begun}; sleep 2`,
      [],
      true,
    );
    await contentOf(begun);
    const left = () => processesWith(agent);
    expect(await left()).not.toEqual([]);
    child.kill('SIGTERM');
    await exited;
    expect(await until(left, (pids) => pids.length === 0, 10_000)).toEqual([]);
    // What was in hand was finished, and nothing else begun.
    expect((await desk.get(issue.id)).state).toBe('done');
  });

  it('told to end twice, ends at once, its commands with it, and gives back the issue to be retried', async () => {
    const pids = join(directory, 'stubborn');
    const { desk, issue, child, exited } = await working(
      'a',
      `trap '' TERM INT; echo $$ > ${pids}; while :; do sleep 0.1; done`,
    );
    const pid = Number(await contentOf(pids));
    child.kill('SIGINT');
    // So soon after the first a second one is an echo (npm sends it again), not somebody's word.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await isAlive(pid)).toBe(true);
    child.kill('SIGINT');
    expect(await exited).toBe(130);
    const alive = await until(
      () => isAlive(pid),
      (is) => !is,
    );
    expect(alive).toBe(false);
    // Its key is worth nothing any more; nobody waits for the lease of its run.
    expect(await validKeys(desk.companyId)).toEqual([]);
    expect(await desk.get(issue.id)).toMatchObject({
      state: 'scheduled-retry',
      lastError: { errorCode: 'worker_closed' },
      lock: { mode: 'reserved' },
    });
  });

  it('that was killed leaves its key to the next one of the agent, which revokes no living worker’s', async () => {
    const desk = await office(server, 'k');
    const [agent = ''] = desk.agents;
    const work = async () => {
      const args = ['dist/cli/main.js', 'work', '--agent', agent, '--url', server.url, '--', 'true'];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
      running.add(child);
      await once(child.stdout, 'data');
      return child;
    };
    const ofProcesses = async () => {
      const names = (await validKeys(desk.companyId)).map(({ name }) => name);
      return names.map((name) => Number(/^baton work on .+, process (\d+) \(/.exec(name)?.[1]));
    };
    const [killed, living] = [await work(), await work()];
    expect(new Set(await ofProcesses())).toEqual(new Set([killed.pid, living.pid]));
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const next = await work();
    expect(new Set(await ofProcesses())).toEqual(new Set([living.pid, next.pid]));
    for (const child of [living, next]) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    expect(await validKeys(desk.companyId)).toEqual([]);
  });

  it('with --end-with-stdin ends, commands and all, when whoever started it is gone', async () => {
    const pids = join(directory, 'lifeline');
    const script = `trap '' TERM; echo $$ > ${pids}; while :; do sleep 0.1; done`;
    const { desk, issue, child, exited } = await working('b', script, ['--end-with-stdin']);
    const pid = Number(await contentOf(pids));
    child.stdin?.end();
    expect(await exited).toBe(130);
    const alive = await until(
      () => isAlive(pid),
      (is) => !is,
    );
    expect(alive).toBe(false);
    expect((await desk.get(issue.id)).state).toBe('scheduled-retry');
  });

  it('that is killed leaves no command behind, however that command takes a signal', async () => {
    const pids = join(directory, 'orphan');
    const script = `trap '' TERM HUP PIPE; echo $$ > ${pids}; while :; do sleep 0.1; done`;
    const { child, exited, desk, issue } = await working('d', script);
    const pid = Number(await contentOf(pids));
    child.kill('SIGKILL');
    await exited;
    const alive = await until(
      () => isAlive(pid),
      (is) => !is,
    );
    expect(alive).toBe(false);
    expect((await desk.get(issue.id)).state).toBe('running');
  });

  it('that is killed the moment its command was started leaves no command behind', async () => {
    const marker = join(directory, 'started-and-killed');
    const code = `
      import processes from 'node:child_process';
      import { syncBuiltinESMExports } from 'node:module';
      const { spawn } = processes;
      processes.spawn = (file, args, options) => {
        const child = spawn(file, args, options);
        if (args.includes('${marker}')) process.kill(process.pid, 'SIGKILL');
        return child;
      };
      syncBuiltinESMExports();
      const { ProcessGroup } = await import('${join(process.cwd(), 'dist/cli/job/process-group.js')}');
      const { systemClock } = await import('${join(process.cwd(), 'dist/clock.js')}');
      const command = ['sh', '-c', 'while :; do sleep 0.1; done', '${marker}'];
      new ProcessGroup(command, { env: process.env, cwd: '/', input: '' }, systemClock());
    `;
    const killed = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
    expect(await once(killed, 'exit')).toEqual([null, 'SIGKILL']);
    expect(
      await until(
        () => processesWith(marker),
        (left) => left.length === 0,
      ),
    ).toEqual([]);
  });

  it('goes on while its server is away, and reports when it is back', async () => {
    const go = join(directory, 'go');
    const begun = join(directory, 'begun');
    const { desk, issue, child, exited } = await working(
      'c',
      `echo $$ > ${begun}; while [ ! -e ${go} ]; do sleep 0.1; done; echo late`,
    );
    await contentOf(begun);
    expect(await processesWith(`baton-guard ${child.pid}`)).toHaveLength(1);
    const restarted = server.restart();
    writeFileSync(go, '');
    await restarted;
    const done = await until(
      () => desk.get(issue.id),
      (i) => i.state === 'done',
      15_000,
    );
    expect(done).toMatchObject({ state: 'done', attempt: 0 });
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    // Nor does a guard of a command that is over stay.
    expect(await processesWith(`baton-guard ${child.pid}`)).toEqual([]);
  });
});
