/** domain.md section 5, one test each under its own sentence, at the level of the machine. */
import { describe, expect, it } from 'vitest';
import type { AgentFacts } from '../../src/machines/facts.ts';
import { A, B, D, facts, kind, OPERATOR, RUNTIME, Story, storyIn, T0 } from './story.ts';

const MIN = 60_000;

/** Agent A with these facts is executing. */
function executing(over: Partial<AgentFacts> = {}): Story {
  const story = new Story();
  story.agents[A] = facts(over);
  story.create({ assigneeAgentId: A });
  story.grant();
  return story;
}

describe('what the seed demands', () => {
  it('1. a transient failure schedules a retry with durable metadata; one second before due nothing happens; at due it is queued, once', () => {
    const story = executing();
    const failed = story.failTransiently({ errorCode: 'codex_transient_upstream' });
    expect(failed.state).toBe('scheduled-retry');
    expect(story.effectData('retry.scheduled')).toEqual({
      runId: story.runId(2),
      agentId: A,
      retryOfRunId: story.runId(1),
      attempt: 1,
      maxAttempts: 4,
      reason: 'transient_failure',
      dueAt: T0 + 2 * MIN,
      retryNotBefore: null,
      codexTransientFallbackMode: 'same_session',
    });
    expect(story.view().run).toMatchObject({
      id: story.runId(2),
      status: 'scheduled_retry',
      attempt: 1,
      retryOfRunId: story.runId(1),
    });
    expect(story.view().retry).toMatchObject({ attempt: 1, maxAttempts: 4, dueAt: T0 + 2 * MIN });
    expect(kind.unfinished?.(story.s)).toMatchObject([{ record: { invocationSource: 'automation' } }]);
    expect(story.record(1)).toMatchObject({ status: 'failed', errorCode: 'codex_transient_upstream' });

    expect(story.pass(2 * MIN - 1000)).toEqual([]);
    expect(story.state).toBe('scheduled-retry');
    const [due, ...more] = story.pass(1000);
    expect(due).toMatchObject({
      type: 'RETRY.DUE',
      state: 'running.queued',
      effects: ['retry.due', 'run.queued'],
    });
    expect(more).toEqual([]);
    expect(story.view().run).toMatchObject({ id: story.runId(2), status: 'queued' });
    expect(story.pass(24 * 60 * MIN)).toEqual([]);
    expect(story.send({ type: 'RETRY.DUE' }).is).toBe('ignored');
  });

  it('1b. early by a second, the timer is armed again for what is left', () => {
    const story = executing();
    story.failTransiently();
    story.at += 2 * MIN - 1000;
    const early = story.send({ type: 'RETRY.DUE' });
    expect(early.state).toBe('scheduled-retry');
    expect(early.timers.at(-1)).toMatchObject({ is: 'arm', ms: 1000 });
  });

  it('2. a reassigned issue’s new agent is not deferred behind the previous agent’s scheduled retry', () => {
    const story = executing();
    story.failTransiently();
    const answer = story.send({ type: 'ASSIGN', agentId: D });
    expect(answer.effects).toEqual([
      'retry.cancelled',
      'run.cancelled',
      'lock.released',
      'wake.dropped',
      'issue.assigned',
      'run.queued',
    ]);
    expect(story.record(2)).toMatchObject({ status: 'cancelled', errorCode: 'issue_reassigned', agentId: A });
    expect(story.view()).toMatchObject({
      state: 'running',
      substate: 'queued',
      assigneeAgentId: D,
      retry: null,
      attempt: 0,
      lock: { agentId: D, mode: 'reserved', runId: story.runId(3) },
    });
    // Its slots are all busy: that is the pool's matter, the run is queued and wants one at once.
    expect(kind.slot(story.s)).toMatchObject({ pool: D, mode: 'wants', rank: T0 + 2 * 10 * MIN });
    expect(story.timers.size).toBe(0);
  });

  it('3. ownership changed before due: at due nothing is promoted; lock null', () => {
    const story = executing();
    story.failTransiently();
    story.send({ type: 'ASSIGN', agentId: null });
    expect(story.pass(3 * 60 * MIN)).toEqual([]);
    // Even if the fired timer was already on its way:
    expect(story.send({ type: 'RETRY.DUE' }).is).toBe('ignored');
    expect(story.view()).toMatchObject({ state: 'idle', lock: null, run: null });
  });

  it('4. issue cancelled before due: retry cancelled with issue_cancelled; lock null', () => {
    const story = executing();
    story.failTransiently();
    story.send({ type: 'CANCEL' });
    expect(story.record(2)).toMatchObject({ status: 'cancelled', errorCode: 'issue_cancelled' });
    expect(story.effectData('retry.cancelled')).toMatchObject({ cause: 'issue_cancelled' });
    expect(story.view()).toMatchObject({ state: 'cancelled', lock: null, retry: null });
    expect(story.pass(3 * 60 * MIN)).toEqual([]);
  });

  it('5. after the last rung: exhausted, no new run, the lifecycle entry with its payload', () => {
    const story = executing();
    const waits = [2, 10, 30, 120].map((minutes) => minutes * MIN);
    for (const wait of waits) {
      story.failTransiently();
      expect(story.run?.retry?.due).toBe(story.at + wait);
      story.pass(wait);
      story.grant();
    }
    expect(story.c.attempt).toBe(4);
    const last = story.failTransiently();
    expect(last).toMatchObject({
      state: 'idle',
      effects: ['run.failed', 'lock.released', 'retry.exhausted'],
    });
    expect(story.effectData('retry.exhausted')).toEqual({
      runId: story.runId(5),
      agentId: A,
      retryReason: 'transient_failure',
      scheduledRetryAttempt: 4,
      maxAttempts: 4,
    });
    expect(story.view()).toMatchObject({ run: null, lock: null, why: { code: 'retry_exhausted' } });
    expect(story.c.n).toBe(5);
  });

  it('6. the four Codex fallback stages, in context and wake payload', () => {
    const story = executing();
    const seen: unknown[] = [];
    for (let attempt = 1; attempt <= 4; attempt++) {
      story.failTransiently();
      const [wake] = story.view().wakes;
      expect(wake).toMatchObject({ reason: 'retry', source: 'automation' });
      const mode = (wake?.payload as Record<string, unknown> | undefined)?.codexTransientFallbackMode;
      story.pass(2 * 60 * MIN);
      story.grant();
      const grant = kind.granted?.(story.s, story.head, RUNTIME) as { contextSnapshot: object };
      expect(grant.contextSnapshot).toMatchObject({ codexTransientFallbackMode: mode });
      seen.push(mode);
    }
    expect(seen).toEqual([
      'same_session',
      'safer_invocation',
      'fresh_session',
      'fresh_session_safer_invocation',
    ]);
  });

  it('7. Codex retryNotBefore later than the ladder is honoured, kept in both places', () => {
    const story = executing();
    const later = new Date(T0 + 45 * MIN).toISOString();
    story.failTransiently({ resultJson: { retryNotBefore: later } });
    expect(story.run?.retry?.due).toBe(T0 + 45 * MIN);
    expect(story.view().retry).toMatchObject({ retryNotBefore: T0 + 45 * MIN });
    expect(story.view().wakes[0]?.payload).toEqual({
      retryOfRunId: story.runId(1),
      codexTransientFallbackMode: 'same_session',
      transientRetryNotBefore: later,
    });
    expect(kind.unfinished?.(story.s)).toMatchObject([
      { record: { contextSnapshot: { transientRetryNotBefore: later } } },
    ]);
  });

  it('8. Claude likewise, and never takes part in the Codex ladder', () => {
    const story = executing({ adapterType: 'claude_local' });
    const later = new Date(T0 + 45 * MIN).toISOString();
    story.failTransiently({
      errorFamily: undefined,
      errorCode: 'claude_transient_upstream',
      resultJson: { transientRetryNotBefore: T0 + 45 * MIN },
    });
    expect(story.run?.retry?.due).toBe(T0 + 45 * MIN);
    expect(story.view().wakes[0]?.payload).toEqual({
      retryOfRunId: story.runId(1),
      codexTransientFallbackMode: null,
      transientRetryNotBefore: later,
    });
    expect(story.view().retry?.codexTransientFallbackMode).toBeNull();
  });

  it('9. setting an issue to cancelled cancels its active run and journals it; setting it to done leaves the run alone', () => {
    const cancelled = executing();
    const answer = cancelled.send({ type: 'CANCEL' });
    expect(answer.effects).toEqual(['run.cancelled', 'lock.released', 'stop.sent']);
    expect(cancelled.record(1)).toMatchObject({ status: 'cancelled', errorCode: 'issue_cancelled' });
    expect(answer.out).toContainEqual({
      out: 'notify',
      runId: cancelled.runId(1),
      frame: { t: 'stop', runId: cancelled.runId(1), fence: 1, cause: 'issue_cancelled', graceMs: 10_000 },
    });

    const done = executing();
    const completed = done.send({ type: 'COMPLETE' });
    expect(completed.effects).toEqual(['lock.released']);
    expect(completed.out.filter((o) => o.out === 'notify')).toEqual([]);
    expect(done.records).toEqual([]);
    done.send({ type: 'RUN.SUCCEEDED', runId: done.runId(1), fence: 1, result: { sum: 4 } });
    expect(done.record(1)).toMatchObject({ status: 'succeeded', resultJson: { sum: 4 } });
    expect(done.state).toBe('done');
  });

  it('10. cancelling a stale retry cancels the wake queued with it, and journals an entry naming previous and current agent', () => {
    const story = executing();
    story.failTransiently();
    const own = story.view().wakes[0]?.id;
    story.send({ type: 'ASSIGN', agentId: B });
    expect(story.effectData('wake.dropped')).toMatchObject({ wakeId: own, cause: 'issue_reassigned' });
    expect(story.effectData('retry.cancelled')).toEqual({
      previousAgentId: A,
      currentAgentId: B,
      scheduledRetryAttempt: 1,
      scheduledRetryAt: T0 + 2 * MIN,
      scheduledRetryReason: 'transient_failure',
      runId: story.runId(2),
      cause: 'issue_reassigned',
    });
    expect(story.view().wakes).toEqual([]);
    story.grant();
    const grant = kind.granted?.(story.s, story.head, RUNTIME);
    expect(grant).toMatchObject({ wakes: [] });
  });

  it('10b. the same after due, while the retry’s run is queued and not yet granted', () => {
    const story = executing();
    story.failTransiently();
    story.pass(2 * MIN);
    story.send({ type: 'ASSIGN', agentId: B }, OPERATOR);
    expect(story.effectData('wake.dropped')).toMatchObject({ reason: 'retry', cause: 'issue_reassigned' });
    expect(story.view().wakes).toEqual([]);
  });
});

describe('what users of the system it replaces reported', () => {
  it('2912, 1420, 4011, 5294, 9874: leaving the state releases the lock in the same version', () => {
    const leaving = [
      { type: 'CANCEL' },
      { type: 'COMPLETE' },
      { type: 'ASSIGN', agentId: null },
      { type: 'FORCE_RELEASE' },
    ];
    for (const event of leaving) {
      for (const column of [
        'running.queued',
        'running.executing',
        'running.stopping',
        'scheduled-retry',
      ] as const) {
        const story = storyIn(column);
        const holder = story.view().lock?.runId;
        const answer = story.send(event);
        expect(answer.effects).toContain('lock.released');
        expect(story.view().lock).toBeNull();
        expect(story.effectData('lock.released')?.runId).toBe(holder);
      }
    }
  });

  it('1007, 5110, 1269: the new assignee’s run is queued at once, whatever the old one was doing', () => {
    for (const column of [
      'running.queued',
      'running.executing',
      'running.stopping',
      'scheduled-retry',
    ] as const) {
      const story = storyIn(column);
      const answer = story.send({ type: 'ASSIGN', agentId: D });
      expect(answer.effects).toContain('run.queued');
      expect(story.view().lock).toMatchObject({ agentId: D, mode: 'reserved' });
    }
  });

  it('13610: cancelling an issue leaves every sub-state, its retry too', () => {
    for (const column of [
      'running.queued',
      'running.executing',
      'running.stopping',
      'scheduled-retry',
    ] as const) {
      const story = storyIn(column);
      story.send({ type: 'CANCEL' });
      expect(story.view()).toMatchObject({ state: 'cancelled', lock: null, run: null, retry: null });
    }
  });

  it('9447, 11165: a second grant finds no run to start', () => {
    const story = storyIn('running.executing');
    expect(story.grant('c2').is).toBe('ignored');
    expect(storyIn('running.stopping').grant().is).toBe('ignored');
  });

  it('12601, 4996: a wake during a run goes to the next run, never to the running one', () => {
    const story = storyIn('running.executing');
    story.send({ type: 'WAKE', reason: 'news', source: 'automation' });
    expect(story.run?.wakes).toBeUndefined();
    story.succeed({ resolution: 'open' });
    expect(story.state).toBe('running.queued');
    story.grant();
    expect(story.effectData('wake.delivered')).toMatchObject({ reason: 'news', runId: story.runId(2) });
  });

  it('9730: a human comment does not wait through a two-hour backoff', () => {
    const story = storyIn('scheduled-retry');
    story.send({ type: 'COMMENT', body: 'The key is renewed, try now.' });
    expect(story.state).toBe('running.queued');
    expect(story.view().run).toMatchObject({ id: story.runId(2), attempt: 1, status: 'queued' });
    expect(story.c.attempt).toBe(0);
  });

  it('12732, 11126, 6641: lost runs and transient failures spend one budget on one ladder', () => {
    const story = storyIn('running.executing');
    for (let attempt = 1; attempt <= 4; attempt++) {
      if (attempt % 2 === 0) story.failTransiently();
      else story.send({ type: 'LEASE.EXPIRED', runId: story.runId() });
      expect(story.view().retry).toMatchObject({ attempt });
      story.pass(2 * 60 * MIN);
      story.grant();
    }
    expect(story.send({ type: 'LEASE.EXPIRED', runId: story.runId() }).state).toBe('idle');
  });

  it('11348: a rank ages; only PRIORITY changes it', () => {
    const old = storyIn('running.queued');
    old.send({ type: 'PRIORITY', priority: 'low' });
    const young = new Story();
    young.at = T0 + 31 * MIN;
    young.create({ assigneeAgentId: A, priority: 'critical' });
    expect(kind.slot(old.s)?.rank).toBeLessThan(kind.slot(young.s)?.rank as number);
  });

  it('11819, 10692, 8545: a refusal says who holds the issue', () => {
    const story = storyIn('running.executing');
    const answer = story.send({ type: 'RUN.SUCCEEDED', runId: story.runId(), fence: 0 });
    expect(answer.detail).toEqual({
      holder: { runId: story.runId(1), agentId: A, mode: 'executing', fence: 1, lockedAt: T0 },
      detached: null,
      fence: 1,
    });
  });
});
