import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Change } from '../../src/client/index.ts';
import {
  type Client,
  connect,
  type RunOutcome,
  type StatsChange,
  TransientError,
  worker,
} from '../../src/client/index.ts';
import { resolveSettings } from '../../src/config.ts';
import { createRuntime, type Runtime } from '../../src/index.ts';
import { baton } from '../cli/world.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'baton-client-'));
let runtime: Runtime;
let client: Client;

async function serve(port: string): Promise<Runtime> {
  const flags = { port, 'data-dir': dataDir, 'lease-ms': '3000', 'stop-grace-ms': '2000' };
  const { settings } = resolveSettings({ flags, env: { DATABASE_URL: process.env.DATABASE_URL } });
  const started = await createRuntime(settings, { log: pino({ level: 'silent' }), say: () => {} });
  await started.ready(30_000);
  return started;
}

beforeAll(async () => {
  runtime = await serve('0');
  client = await connect({ url: runtime.url, token: runtime.token });
});
afterAll(async () => {
  client?.close();
  await runtime?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

let companies = 0;
async function company() {
  const { id } = await client.http.createCompany({ name: 'Acme', prefix: `ACME${++companies}` });
  const agent = await client.http.createAgent(id, { name: 'claude', maxConcurrentRuns: 2 });
  return { id, agent };
}

describe('against the real server', () => {
  it('a worker fails, is retried by an operator, succeeds, and its issue is done', async () => {
    const { id, agent } = await company();
    const outcomes: RunOutcome['is'][] = [];
    const working = await worker({
      url: runtime.url,
      token: runtime.token,
      agent: 'claude',
      slots: 2,
      run: (grant, { progress, note, log }) => {
        progress(0.5);
        note('working');
        log(`attempt ${grant.run.attempt}`);
        if (grant.run.attempt === 0)
          throw new TransientError('429', { errorCode: 'claude_transient_upstream' });
        return { result: { wakes: grant.wakes.length } };
      },
      ended: (_grant, outcome) => outcomes.push(outcome.is),
    });
    const issue = await client.http.createIssue(id, { title: 'Fix it', assigneeAgentId: agent.id });
    await expect.poll(async () => (await client.http.issue(issue.id)).state).toBe('scheduled-retry');
    await client.event(issue.id, { type: 'RETRY.NOW' });
    await expect.poll(async () => (await client.http.issue(issue.id)).state).toBe('done');
    expect(outcomes).toEqual(['failed', 'succeeded']);
    const runs = [];
    for await (const run of client.http.runs(issue.id)) runs.push(run.status);
    expect(runs).toEqual(['failed', 'succeeded']);
    await working.close();
  });

  it('a worker told to stop answers, and the successor gets its turn', async () => {
    const { id, agent } = await company();
    const other = await client.http.createAgent(id, { name: 'codex' });
    const key = async (agentId: string) =>
      (await client.http.createKey(id, { role: 'agent', agentId })).token ?? null;
    const causes: string[] = [];
    const first = await worker({
      url: runtime.url,
      token: await key(agent.id),
      run: (_grant, { signal }) =>
        new Promise<undefined>((resolve) => {
          signal.addEventListener('abort', () => {
            causes.push(String(signal.reason.stopCause));
            resolve(undefined);
          });
        }),
    });
    const second = await worker({ url: runtime.url, token: await key(other.id), run: () => undefined });
    const issue = await client.http.createIssue(id, { title: 'Hand over', assigneeAgentId: agent.id });
    await expect.poll(async () => (await client.http.issue(issue.id)).substate).toBe('executing');
    await client.event(issue.id, { type: 'ASSIGN', agentId: other.id });
    await expect.poll(async () => (await client.http.issue(issue.id)).state).toBe('done');
    expect(causes).toEqual(['issue_reassigned']);
    await Promise.all([first.close(), second.close()]);
  });

  it('a repeated key changes nothing and a stale expectedVersion is refused', async () => {
    const { id } = await company();
    const issue = await client.http.createIssue(id, { title: 'Twice' });
    const once = await client.event(issue.id, { type: 'PRIORITY', priority: 'high' }, { key: 'k' });
    const again = await client.event(issue.id, { type: 'PRIORITY', priority: 'high' }, { key: 'k' });
    expect([once.duplicate, again.duplicate, again.version]).toEqual([false, true, once.version]);
    await expect(client.event(issue.id, { type: 'CANCEL' }, { expectedVersion: 1 })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  it('the CLI shows, explains and changes an issue', async () => {
    const { id } = await company();
    const issue = await client.http.createIssue(id, { title: 'By keyboard' });
    const at = ['--url', runtime.url, '--token', runtime.token];
    expect((await baton(['issues', 'keyboard', ...at])).lines()).toMatchObject([{ id: issue.id }]);
    expect((await baton(['send', issue.identifier, 'cancel', ...at])).code).toBe(0);
    expect((await baton(['send', issue.identifier, 'complete', ...at])).code).toBe(3);
    expect((await baton(['why', issue.identifier, ...at])).lines()).toMatchObject([{ state: 'cancelled' }]);
    const tailed = await baton(['tail', issue.identifier, '--since', '0', '--count', '2', ...at]);
    expect(tailed.lines().map((l) => l.type)).toEqual(['CREATED', 'CANCEL']);
    expect((await baton(['issue', issue.id, ...at])).lines()[0]?.journal).toHaveLength(2);
  });

  it('subscriptions go on without a gap when the server is restarted', async () => {
    const { id } = await company();
    const issue = await client.http.createIssue(id, { title: 'Watched' });
    const seqs: number[] = [];
    const versions: number[] = [];
    const stats: unknown[] = [];
    await client.subscribe(
      `company:${id}`,
      {},
      { snapshot: (_i, { seq }) => seqs.push(seq), change: (c) => seqs.push(c.seq) },
    );
    await client.subscribe(
      `journal:${issue.id}`,
      { since: 0 },
      { change: (c) => versions.push((c as Change).version) },
    );
    await client.subscribe(`stats:${id}`, {}, { change: (c) => stats.push((c as StatsChange).stats) });
    await client.event(issue.id, { type: 'PRIORITY', priority: 'high' });
    await expect.poll(() => versions).toEqual([1, 2]);
    await expect.poll(() => stats.length, { timeout: 5000 }).toBeGreaterThan(0);

    const back = new Promise((resolve) => client.on('open', resolve));
    const { port } = new URL(runtime.url);
    await runtime.stop();
    runtime = await serve(port);
    await back;
    const answer = await client.event(issue.id, { type: 'PRIORITY', priority: 'low' });
    expect(answer.version).toBe(3);
    await expect.poll(() => versions).toEqual([1, 2, 3]);
    await expect.poll(() => seqs.at(-1)).toBe((seqs[0] ?? 0) + seqs.length - 1);
    expect(seqs).toEqual(seqs.map((_s, i) => (seqs[0] ?? 0) + i));
  });
});
