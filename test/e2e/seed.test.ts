/**
 * What the seed demands (domain.md section 5), through the public protocol on real PostgreSQL: one test each, named
 * after it. The exact times of the ladder are tested on the machine (test/machines/seed.test.ts); here it is short.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView, IssueView } from '../../src/machines/view.ts';
import { type JournalEntry, office, startServer, type TestServer, until } from '../support/server.ts';

const LADDER = [400, 400, 400, 400];
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ 'retry-delays-ms': LADDER.join(','), 'retry-jitter': '0' });
});
afterAll(() => server.stop());

type Office = Awaited<ReturnType<typeof office>>;

/** An issue of the first agent in its first backoff. */
async function inBackoff(
  o: Office,
  more: Record<string, unknown> = {},
): Promise<{ issue: IssueView; grant: GrantView }> {
  const { id } = await o.issue(o.agents[0]);
  const grant = (await o.claim(o.agents[0]!))!;
  const { body } = await o.fail(grant, more);
  expect(body.issue.id).toBe(id);
  return { issue: body.issue, grant };
}
const effects = (entries: JournalEntry[], type: string) =>
  entries.flatMap((e) => e.effects.filter((x) => x.type === type).map((x) => ({ at: e, ...x })));

describe('the seed demands that', () => {
  it('1. a transient failure schedules a retry with durable metadata; nothing happens before due; at due it is queued, once', async () => {
    const o = await office(server, 'one');
    const { issue } = await inBackoff(o);
    expect(issue).toMatchObject({
      state: 'scheduled-retry',
      attempt: 1,
      lock: { mode: 'reserved', agentId: o.agents[0] },
      retry: { attempt: 1, maxAttempts: 4, reason: 'transient_failure', ofRunId: `${issue.id}.1` },
      run: { id: `${issue.id}.2`, status: 'scheduled_retry', retryOfRunId: `${issue.id}.1` },
      why: { code: 'backoff' },
      nextEvent: 'RETRY.DUE',
      nextAt: issue.retry!.dueAt,
    });
    await server.restart();
    expect(await o.get(issue.id)).toMatchObject({
      state: 'scheduled-retry',
      retry: issue.retry,
      version: issue.version,
    });
    const due = await until(
      () => o.get(issue.id),
      (i) => i.state === 'running',
    );
    expect(due).toMatchObject({ substate: 'queued', run: { id: `${issue.id}.2`, status: 'queued' } });
    const fired = (await o.journal(issue.id)).filter((e) => e.type === 'RETRY.DUE') as (JournalEntry & {
      at: number;
    })[];
    expect(fired.length).toBe(1);
    expect(fired[0]!.at).toBeGreaterThanOrEqual(issue.retry!.dueAt);
  });

  it('2. a reassigned issue’s new agent is not deferred behind the previous agent’s scheduled retry, also with its slots all busy', async () => {
    const o = await office(server, 'one', 'two');
    const busy = await o.issue(o.agents[1]);
    expect((await o.claim(o.agents[1]!))?.issue.id).toBe(busy.id);
    const { issue } = await inBackoff(o);
    const { body } = await o.send(issue.id, { type: 'ASSIGN', agentId: o.agents[1] });
    expect(body.issue).toMatchObject({
      state: 'running',
      substate: 'queued',
      assigneeAgentId: o.agents[1],
      lock: { agentId: o.agents[1], mode: 'reserved' },
      retry: null,
      why: { code: 'waiting_for_slot' },
    });
    const cancelled = (await o.runs(issue.id)).find((r) => r.id === `${issue.id}.2`);
    expect(cancelled).toMatchObject({ status: 'cancelled', errorCode: 'issue_reassigned' });
    const row = (await o.journal(issue.id)).at(-1)!;
    expect(row.effects.map((e) => e.type)).toEqual(
      expect.arrayContaining(['retry.cancelled', 'run.cancelled', 'lock.released', 'run.queued']),
    );
  });

  it('3. ownership changed before due: at due nothing is promoted and the lock is null', async () => {
    const o = await office(server, 'one');
    const { issue } = await inBackoff(o);
    await o.send(issue.id, { type: 'ASSIGN', agentId: null });
    await new Promise((resolve) => setTimeout(resolve, LADDER[0]! + 200));
    expect(await o.get(issue.id)).toMatchObject({
      state: 'idle',
      lock: null,
      run: null,
      assigneeAgentId: null,
    });
    expect((await o.journal(issue.id)).filter((e) => e.type === 'RETRY.DUE')).toEqual([]);
  });

  it('4. an issue cancelled before due has its retry cancelled and its lock null', async () => {
    const o = await office(server, 'one');
    const { issue } = await inBackoff(o);
    const { body } = await o.send(issue.id, { type: 'CANCEL' });
    expect(body.issue).toMatchObject({ state: 'cancelled', lock: null, retry: null });
    await new Promise((resolve) => setTimeout(resolve, LADDER[0]! + 200));
    expect((await o.get(issue.id)).version).toBe(body.version);
    const run = (await o.runs(issue.id)).find((r) => r.id === `${issue.id}.2`);
    expect(run).toMatchObject({ status: 'cancelled', errorCode: 'issue_cancelled' });
  });

  it('5. after the last rung it is exhausted: no new run, and the lifecycle entry with its payload', async () => {
    const o = await office(server, 'one');
    const { id } = await o.issue(o.agents[0]);
    for (let attempt = 0; attempt <= LADDER.length; attempt++) {
      const grant = (await o.claim(o.agents[0]!, 5000))!;
      expect(grant.run.attempt).toBe(attempt);
      await o.fail(grant);
    }
    expect(await o.get(id)).toMatchObject({
      state: 'idle',
      lock: null,
      run: null,
      why: { code: 'retry_exhausted' },
    });
    const [exhausted] = effects(await o.journal(id), 'retry.exhausted');
    expect(exhausted?.data).toMatchObject({
      retryReason: 'transient_failure',
      scheduledRetryAttempt: 4,
      maxAttempts: 4,
    });
    expect((await o.runs(id)).length).toBe(5);
  });

  it('6. the four Codex fallback stages stand in the run’s context and in the wake’s payload', async () => {
    const o = await office(server, { name: 'codex', adapterType: 'codex_local' });
    await o.issue(o.agents[0]);
    const seen: unknown[] = [];
    for (let attempt = 0; attempt <= LADDER.length; attempt++) {
      const grant = (await o.claim(o.agents[0]!, 5000))!;
      if (attempt > 0) {
        const payload = grant.wakes.find((w) => w.reason === 'retry')?.payload as Record<string, unknown>;
        seen.push([grant.contextSnapshot.codexTransientFallbackMode, payload.codexTransientFallbackMode]);
      }
      await o.fail(grant, { errorCode: 'codex_transient_upstream' });
    }
    const stages = ['same_session', 'safer_invocation', 'fresh_session', 'fresh_session_safer_invocation'];
    expect(seen).toEqual(stages.map((stage) => [stage, stage]));
  });

  it('7. a Codex retryNotBefore later than the ladder is honoured and kept in both places', async () => {
    const o = await office(server, { name: 'codex', adapterType: 'codex_local' });
    const retryNotBefore = new Date(Date.now() + 1500).toISOString();
    const { issue } = await inBackoff(o, {
      errorCode: 'codex_transient_upstream',
      resultJson: { retryNotBefore },
    });
    expect(issue.retry).toMatchObject({
      dueAt: Date.parse(retryNotBefore),
      retryNotBefore: Date.parse(retryNotBefore),
    });
    const grant = (await o.claim(o.agents[0]!, 5000))!;
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(retryNotBefore));
    const payload = grant.wakes.find((w) => w.reason === 'retry')?.payload as Record<string, unknown>;
    expect([grant.contextSnapshot.transientRetryNotBefore, payload.transientRetryNotBefore]).toEqual([
      retryNotBefore,
      retryNotBefore,
    ]);
  });

  it('8. Claude’s likewise, and it never takes part in the Codex ladder', async () => {
    const o = await office(server, { name: 'claude', adapterType: 'claude_local' });
    const retryNotBefore = Date.now() + 1200;
    const { issue } = await inBackoff(o, {
      errorCode: 'claude_transient_upstream',
      errorFamily: undefined,
      resultJson: { transientRetryNotBefore: retryNotBefore },
    });
    expect(issue.retry).toMatchObject({ dueAt: retryNotBefore, codexTransientFallbackMode: null });
  });

  it('9. setting an issue to cancelled cancels its active run and journals it; setting it to done leaves the run alone', async () => {
    const o = await office(server, { name: 'one', maxConcurrentRuns: 2 });
    const a = await o.issue(o.agents[0]);
    await o.claim(o.agents[0]!);
    const cancelled = (await o.send(a.id, { type: 'CANCEL' })).body;
    expect(cancelled.issue).toMatchObject({
      state: 'cancelled',
      lock: null,
      detached: { cause: 'issue_cancelled' },
    });
    expect(effects(await o.journal(a.id), 'run.cancelled')[0]?.data).toMatchObject({
      errorCode: 'issue_cancelled',
    });
    const b = await o.issue(o.agents[0]);
    const grant = (await o.claim(o.agents[0]!))!;
    const done = (await o.send(b.id, { type: 'COMPLETE' })).body;
    expect(done.issue).toMatchObject({
      state: 'done',
      lock: null,
      detached: { cause: 'issue_done', until: null },
    });
    const heartbeat = await o.send(b.id, { type: 'RUN.HEARTBEAT', runId: grant.run.id, fence: grant.fence });
    expect(heartbeat.status).toBe(200);
    const result = { type: 'RUN.SUCCEEDED', runId: grant.run.id, fence: grant.fence, result: { answer: 42 } };
    expect((await o.send(b.id, result)).body.issue).toMatchObject({ state: 'done', detached: null });
    expect((await o.runs(b.id)).at(-1)).toMatchObject({ status: 'succeeded', resultJson: { answer: 42 } });
  });

  it('10. cancelling a stale retry cancels the wake queued with it and journals previous and current agent', async () => {
    const o = await office(server, 'one', 'two');
    const { issue } = await inBackoff(o);
    await o.send(issue.id, { type: 'ASSIGN', agentId: o.agents[1] });
    const journal = await o.journal(issue.id);
    expect(effects(journal, 'retry.cancelled')[0]?.data).toMatchObject({
      previousAgentId: o.agents[0],
      currentAgentId: o.agents[1],
      scheduledRetryAttempt: 1,
      scheduledRetryAt: issue.retry!.dueAt,
      scheduledRetryReason: 'transient_failure',
    });
    expect(effects(journal, 'wake.dropped')[0]?.data).toMatchObject({
      reason: 'retry',
      cause: 'issue_reassigned',
    });
    const grant = (await o.claim(o.agents[1]!))!;
    expect(grant.wakes.filter((w) => w.reason === 'retry')).toEqual([]);
  });

  it('11. none of these is skipped for want of a database: this one is real PostgreSQL, brought by the test command', async () => {
    const { status, body } = await (async () => {
      const answer = await fetch(`${server.url}/readyz`);
      return { status: answer.status, body: (await answer.json()) as { ready: boolean } };
    })();
    expect([status, body.ready]).toEqual([200, true]);
    expect(server.databaseUrl).toMatch(/^postgres/);
  });
});
