/** `baton work` against a real server, with real processes. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogLine } from '../../src/client/http.ts';
import { isAlive } from '../support/processes.ts';
import { call, office, startServer, type TestServer, until } from '../support/server.ts';
import { baton, type Ran } from './world.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ 'lease-ms': '900' });
});
afterAll(() => server.stop());

const directory = mkdtempSync(join(tmpdir(), 'baton-work-'));
const env = { PATH: process.env.PATH ?? '' };

/** An agent, an issue of its own, and a worker that runs `script` for it until it is told to end. */
async function working(script: string, flags: string[] = [], more: Record<string, unknown> = {}) {
  const desk = await office(server, 'runner');
  const [agent = ''] = desk.agents;
  const issue = await desk.issue(agent, more);
  const interrupt = new AbortController();
  const argv = ['work', '--agent', agent, '--url', server.url, ...flags, '--', 'sh', '-c', script];
  const ran: Promise<Ran> = baton(argv, { env, cwd: directory, signal: interrupt.signal });
  const over = (state: string) =>
    until(
      () => desk.get(issue.id),
      (i) => i.state === state && i.version > 2,
    );
  return {
    desk,
    agent,
    issue,
    over,
    run: async () => (await desk.runs(issue.id))[0],
    log: async (n = 1) => {
      const answer = await call<{ items: LogLine[] }>(server, 'GET', `/runs/${issue.id}.${n}/log?limit=500`);
      return answer.body.items;
    },
    async end() {
      interrupt.abort('SIGTERM');
      return await ran;
    },
  };
}

/** A file that a command writes: its content once it is there. */
function written(path: string): Promise<string> {
  const read = async () => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  return until(read, (text) => text.endsWith('\n'));
}
describe('baton work', () => {
  it('gives the command the issue on standard input and in the environment, and success makes it done', async () => {
    const script =
      'cat; echo "$BATON_ISSUE|$BATON_ISSUE_TITLE|$BATON_ATTEMPT|$BATON_AGENT"; echo "$BATON_CONTEXT_JSON" | head -c 1';
    const w = await working(script, [], { title: 'Fix $(rm -rf) "login"', context: { deep: [1] } });
    expect((await w.over('done')).state).toBe('done');
    const [issue, line] = (await w.log()).map(({ text }) => text);
    expect(JSON.parse(issue ?? '')).toMatchObject({
      id: w.issue.id,
      context: { deep: [1] },
      state: 'running',
    });
    expect(line).toBe(`${w.issue.identifier}|Fix $(rm -rf) "login"|0|runner`);
    const { code, lines } = await w.end();
    expect(code).toBe(0);
    expect(lines().map((l) => l.event)).toEqual(['working', 'started', 'succeeded', 'draining']);
    expect(await w.run()).toMatchObject({ status: 'succeeded', resultJson: { exitCode: 0 } });
  });

  it('makes the command the agent: inside it, the key is the agent’s, and no operator’s', async () => {
    const script = `curl -s -o /dev/null -w '%{http_code}' -H "authorization: Bearer $BATON_TOKEN" -X POST \
      -H 'content-type: application/json' -d '{"type":"CANCEL"}' "$BATON_URL/v1/issues/$BATON_ISSUE_ID/events"`;
    const w = await working(script);
    await w.over('done');
    expect((await w.log()).map(({ text }) => text)).toEqual(['403']);
    await w.end();
    const keys = await call<{ items: { id: string }[] }>(
      server,
      'GET',
      `/companies/${w.desk.companyId}/keys`,
    );
    expect(keys.body.items.filter((key) => (key as { revokedAt?: number | null }).revokedAt == null)).toEqual(
      [],
    );
  });

  it('reports a failure with its exit code and the last line, and logs both streams with their control characters', async () => {
    const w = await working(
      'printf "one\\033[2Jtwo\\n"; printf "a\\000b\\n" >&2; echo "it broke" >&2; exit 3',
    );
    const issue = await w.over('idle');
    expect(issue.lastError).toMatchObject({ error: 'it broke', errorCode: 'exit_3' });
    const lines = await w.log();
    expect(lines.filter((l) => l.stream === 'stdout').map((l) => l.text)).toEqual(['one\x1b[2Jtwo']);
    expect(lines.filter((l) => l.stream === 'stderr').map((l) => l.text)).toEqual(['a␀b', 'it broke']);
    const { out } = await w.end();
    expect(out).not.toContain('\x1b[2J');
  });

  it('with --classify an error that will pass is retried, not before the time it names', async () => {
    const script = `echo "You've hit your limit · resets in 3 hours" >&2; exit 1`;
    const before = Date.now();
    const w = await working(script, ['--classify', 'claude']);
    const issue = await w.over('scheduled-retry');
    expect(issue.lastError).toMatchObject({
      errorFamily: 'transient_upstream',
      errorCode: 'claude_transient_upstream',
    });
    expect(issue.retry?.dueAt).toBeGreaterThanOrEqual(before + 3 * 3_600_000);
    await w.end();
  });

  it('without it the same is an ordinary failure', async () => {
    const w = await working('echo "429 Too Many Requests" >&2; exit 1');
    expect((await w.over('idle')).lastError?.errorFamily).toBeNull();
    await w.end();
  });

  it('a command killed by a signal is a failure that names it', async () => {
    const w = await working('kill -9 $$');
    expect((await w.over('idle')).lastError).toMatchObject({
      error: 'killed by SIGKILL.',
      errorCode: 'sigkill',
    });
    await w.end();
  });

  it('stops all processes of the command: SIGTERM, and after the grace SIGKILL', async () => {
    const pids = join(directory, 'pids');
    // The leader obeys, its child does not.
    const child = `sh -c 'trap "" TERM; echo $$ > ${pids}; while :; do sleep 0.1; done'`;
    const w = await working(`${child} & trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done`, [
      '--grace-ms',
      '300',
    ]);
    const pid = Number(await written(pids));
    expect(await isAlive(pid)).toBe(true);
    await w.desk.send(w.issue.id, { type: 'CANCEL' });
    await until(
      () => isAlive(pid),
      (alive) => !alive,
    );
    expect(await isAlive(pid)).toBe(false);
    const issue = await until(
      () => w.desk.get(w.issue.id),
      (i) => i.detached === null,
    );
    expect(issue).toMatchObject({ state: 'cancelled', detached: null });
    const journal = await w.desk.journal(w.issue.id);
    expect(journal.at(-1)?.effects.map((e) => e.type)).toContain('run.stopped');
    const { lines } = await w.end();
    expect(lines().find(({ event }) => event === 'stopped')).toMatchObject({
      issue: w.issue.identifier,
      cause: 'issue_cancelled',
      state: 'cancelled',
      text: 'told to stop (issue_cancelled). Cancelled.',
    });
  });

  it('takes with it what a command leaves behind in its group, also when that holds its output open', async () => {
    const pids = join(directory, 'left');
    const w = await working(`sleep 60 & echo $! > ${pids}; echo done`);
    expect((await w.over('done')).state).toBe('done');
    expect(await isAlive(Number(await written(pids)))).toBe(false);
    expect((await w.log()).map(({ text }) => text)).toEqual(['done']);
    await w.end();
  });

  it('keeps a run alive over many leases, and when told to end lets it finish', async () => {
    const go = join(directory, 'go');
    const w = await working(
      `echo begun > ${join(directory, 'begun')}; while [ ! -e ${go} ]; do sleep 0.1; done; echo ok`,
    );
    await written(join(directory, 'begun'));
    const ended = w.end();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect((await w.desk.get(w.issue.id)).run?.status).toBe('running');
    await import('node:fs/promises').then((fs) => fs.writeFile(go, ''));
    const { code, lines } = await ended;
    expect(code).toBe(0);
    expect(lines().at(-1)).toMatchObject({ event: 'succeeded', state: 'done' });
    expect(await w.run()).toMatchObject({ status: 'succeeded', attempt: 0 });
  });

  it('that is told to work on more at once than its agent may says so, and how the agent may', async () => {
    const w = await working('exit 0', ['--slots', '4']);
    await w.over('done');
    const { lines, code } = await w.end();
    expect(code).toBe(0);
    expect(lines().filter(({ event }) => event === 'warning')).toEqual([
      {
        event: 'warning',
        text: `runner has 1 slot, so no more than 1 of --slots 4 is used: baton agents update ${w.agent} --slots 4`,
      },
    ]);
    const [few] = (await working('exit 0', ['--slots', '1']).then((one) => one.end())).lines();
    expect(few).toMatchObject({ event: 'working' });
  });

  it('with --drain-ms what takes longer is stopped, and the issue is retried', async () => {
    const w = await working(`echo begun > ${join(directory, 'slow')}; sleep 60`, ['--drain-ms', '50']);
    await written(join(directory, 'slow'));
    expect((await w.end()).code).toBe(0);
    expect(await w.desk.get(w.issue.id)).toMatchObject({
      state: 'scheduled-retry',
      lastError: { errorCode: 'worker_closed' },
    });
  });

  it('logs all of a flood of output, in order', async () => {
    const w = await working('seq 1 8000');
    expect((await w.over('done')).state).toBe('done');
    let after = 0;
    const texts: string[] = [];
    for (;;) {
      const path = `/runs/${w.issue.id}.1/log?limit=500&after=${after}`;
      const { items } = (await call<{ items: { text: string; offset: number }[] }>(server, 'GET', path)).body;
      if (items.length === 0) break;
      texts.push(...items.map(({ text }) => text));
      after = items.at(-1)?.offset ?? after;
    }
    expect(texts).toEqual(Array.from({ length: 8000 }, (_, n) => String(n + 1)));
    await w.end();
  });

  it.each([
    [['--agent', 'nobody', '--', 'true'], 1, 'There is no agent nobody'],
    [['--', 'true'], 2, '--agent is missing'],
    [['--agent', 'x', '--', 'no-such-command'], 2, 'no-such-command'],
    [['--agent', 'x', '--slots', '0', '--', 'true'], 2, '--slots: must be a whole number from 1 to 50'],
    [
      ['--agent', 'x', '--slots', '-1', '--', 'true'],
      2,
      '--slots: must be a whole number from 1 to 50, not "-1"',
    ],
    [['--agent', 'x', '--classify', 'gpt', '--', 'true'], 2, 'codex or claude'],
    [['--agent', 'x'], 2, 'Something is missing'],
  ])('refuses %j with exit code %i', async (argv, expected, said) => {
    const { code, err } = await baton(['work', '--url', server.url, ...argv], { env, cwd: directory });
    expect(code).toBe(expected);
    expect(err).toContain(said);
  });
});
