/** The table "what a detached run answers" (domain.md section 2), and how one comes and goes. */
import { describe, expect, it } from 'vitest';
import { A, agent, B, facts, ISSUE, kind, OPERATOR, Story, SYSTEM, storyIn, storyLeft, T0 } from './story.ts';

const RUN1 = { runId: `${ISSUE}.1`, fence: 1 };
const worker = agent(A);

describe('a run left to finish', () => {
  it('renews its lease with its heartbeat', () => {
    const story = storyLeft();
    const answer = story.send({ type: 'RUN.HEARTBEAT', ...RUN1, progress: 0.5, note: 'nearly' }, worker);
    expect(answer).toMatchObject({ is: 'renew', code: null });
    expect(kind.lease?.(story.s)).toEqual({
      runId: RUN1.runId,
      ms: 30_000,
      expired: { type: 'LEASE.EXPIRED', runId: RUN1.runId },
    });
  });

  it.each([
    ['RUN.STOPPED', {}, 'cancelled', 'issue_done', 'run.cancelled'],
    ['RUN.SUCCEEDED', { result: { ok: true } }, 'succeeded', null, 'run.succeeded'],
    ['RUN.FAILED', { error: 'boom', errorCode: 'exit_1' }, 'failed', 'exit_1', 'run.failed'],
  ])(
    '%s is taken down on the run and frees the slot in one STOPPED',
    (type, fields, status, code, effect) => {
      const story = storyLeft();
      const answer = story.send({ type, ...RUN1, ...fields }, worker);
      expect(answer).toMatchObject({
        is: 'apply',
        type: 'STOPPED',
        state: 'done',
        effects: [effect, 'run.stopped'],
      });
      expect(story.record(1)).toMatchObject({ status, errorCode: code, fence: 1, startedAt: T0 });
      expect(kind.slot(story.s)).toBeNull();
    },
  );

  it('falls silent: its lease expires and it has timed out', () => {
    const story = storyLeft();
    const answer = story.send({ type: 'LEASE.EXPIRED', runId: RUN1.runId }, SYSTEM);
    expect(answer).toMatchObject({ type: 'STOPPED', effects: ['run.lost', 'run.stopped'] });
    expect(story.record(1)).toMatchObject({ status: 'timed_out', errorCode: 'lease_expired' });
  });

  it('is told to stop when the reopened issue wants a new run, and has until then', () => {
    const story = storyLeft();
    story.send({ type: 'REOPEN' });
    expect(story.timers.size).toBe(0);
    const answer = story.send({ type: 'WAKE', reason: 'again' });
    expect(answer).toMatchObject({
      state: 'running.stopping',
      effects: ['stop.sent', 'wake.accepted', 'run.queued'],
    });
    expect(story.view().detached).toEqual({ ...RUN1, agentId: A, cause: 'issue_done', until: T0 + 10_000 });
    expect(answer.timers).toMatchObject([{ is: 'arm', ms: 10_000 }]);
    expect(story.pass(9_999)).toEqual([]);
    expect(story.pass(1)).toMatchObject([{ type: 'STOPPED', state: 'running.queued' }]);
    expect(story.record(1)).toMatchObject({ status: 'cancelled', errorCode: 'issue_done' });
  });

  it('tells the next run of the same agent what it was told', () => {
    const story = storyIn('running.queued');
    story.send({ type: 'WAKE', reason: 'first' });
    story.grant();
    story.send({ type: 'COMPLETE' });
    story.send({ type: 'REOPEN' });
    story.send({ type: 'WAKE', reason: 'second' });
    expect(story.run?.told).toMatchObject([{ reason: 'first' }]);
  });

  it('uses the grace of its own agent, not of the new assignee', () => {
    const story = storyLeft();
    story.agents[A] = facts({ stopGraceMs: 1_234 });
    story.send({ type: 'REOPEN' });
    story.send({ type: 'ASSIGN', agentId: B });
    expect(story.c.detached).toMatchObject({ until: T0 + 1_234, grace: 1_234 });
  });

  it('keeps the grace of its own agent also when a wake is what wants the run', () => {
    const story = storyLeft();
    story.agents[A] = facts({ stopGraceMs: 1_234 });
    story.send({ type: 'ASSIGN', agentId: B });
    story.send({ type: 'WAKE', reason: 'again', reopen: true });
    expect(story.c.detached).toMatchObject({ agent: A, until: T0 + 1_234 });
  });

  it('is no longer heard once it was told to stop', () => {
    const story = storyLeft();
    story.send({ type: 'WAKE', reason: 'again', human: true, reopen: true });
    expect(story.send({ type: 'RUN.HEARTBEAT', ...RUN1 }, worker).code).toBe('FENCED');
    const word = story.send({ type: 'RUN.SUCCEEDED', ...RUN1 }, worker);
    expect(word).toMatchObject({ code: 'FENCED', type: 'STOPPED', state: 'running.queued' });
    expect(story.record(1)).toMatchObject({ status: 'cancelled', errorCode: 'issue_done' });
  });

  it('is ended at once by FORCE_RELEASE, its worker told with no grace', () => {
    const story = storyLeft();
    const answer = story.send({ type: 'FORCE_RELEASE' });
    expect(answer).toMatchObject({ state: 'done', effects: ['run.cancelled', 'stop.sent', 'run.stopped'] });
    expect(answer.out).toContainEqual({
      out: 'notify',
      runId: RUN1.runId,
      frame: { t: 'stop', ...RUN1, cause: 'operator', graceMs: 0 },
    });
    expect(story.record(1)).toMatchObject({ status: 'cancelled', errorCode: 'operator' });
  });
});

describe('a run told to stop', () => {
  it('learns from its heartbeat that it must stop', () => {
    const story = storyIn('running.stopping');
    const answer = story.send({ type: 'RUN.HEARTBEAT', ...RUN1 }, worker);
    expect(answer).toMatchObject({ code: 'FENCED', type: null });
    expect(answer.detail).toMatchObject({
      detached: { runId: RUN1.runId, cause: 'issue_reassigned' },
      fence: 2,
    });
  });

  it('says that it stopped, with the fence it was granted', () => {
    const story = storyIn('running.stopping');
    const answer = story.send({ type: 'RUN.STOPPED', ...RUN1 }, worker);
    expect(answer).toMatchObject({
      is: 'apply',
      type: 'STOPPED',
      state: 'running.queued',
      effects: ['run.stopped'],
    });
    expect(answer.timers).toMatchObject([{ is: 'disarm' }]);
  });

  it.each([
    ['RUN.SUCCEEDED', {}],
    ['RUN.FAILED', { error: 'x', errorFamily: 'transient_upstream' }],
  ])('%s counts for nothing, but it is over', (type, fields) => {
    const story = storyIn('running.stopping');
    const answer = story.send({ type, ...RUN1, ...fields }, worker);
    expect(answer).toMatchObject({ code: 'FENCED', type: 'STOPPED', state: 'running.queued' });
    expect(story.record(1)).toMatchObject({ status: 'cancelled', errorCode: 'issue_reassigned' });
  });

  it('says nothing: it is given up when its grace is over', () => {
    const story = storyIn('running.stopping');
    expect(story.pass(10_000)).toMatchObject([{ type: 'STOPPED', state: 'running.queued' }]);
    expect(story.effectData('run.stopped')).toMatchObject({ how: 'grace' });
  });

  it.each(['idle', 'cancelled', 'done'] as const)('frees its slot in %s', (end) => {
    const story = storyIn('running.executing');
    story.send(end === 'idle' ? { type: 'ASSIGN', agentId: null } : { type: 'CANCEL' });
    if (end === 'done') {
      const next = storyIn('running.stopping');
      next.send({ type: 'COMPLETE' });
      expect(kind.slot(next.s)).toMatchObject({ pool: A, mode: 'holds' });
      expect(next.pass(10_000)).toMatchObject([{ state: 'done', effects: ['run.stopped'] }]);
      expect(kind.slot(next.s)).toBeNull();
      return;
    }
    expect(kind.slot(story.s)).toMatchObject({ pool: A, mode: 'holds' });
    expect(story.pass(10_000)).toMatchObject([{ state: end, effects: ['run.stopped'] }]);
    expect(kind.slot(story.s)).toBeNull();
  });

  it('is owed its stop at every hello until it is gone', () => {
    const story = storyIn('running.stopping');
    const frame = { t: 'stop', ...RUN1, cause: 'issue_reassigned', graceMs: 10_000 };
    expect(kind.owed?.(story.s)).toEqual([{ runId: RUN1.runId, frame }]);
    story.send({ type: 'RUN.STOPPED', ...RUN1 }, worker);
    expect(kind.owed?.(story.s)).toEqual([]);
  });

  it('goes on stopping whatever else happens, and its grace is not moved', () => {
    const story = storyIn('running.stopping');
    story.at += 4_000;
    for (const event of [
      { type: 'ASSIGN', agentId: A },
      { type: 'WAKE', reason: 'x', human: true },
      { type: 'PRIORITY', priority: 'low' },
      { type: 'CANCEL' },
      { type: 'REOPEN' },
      { type: 'WAKE', reason: 'y' },
    ]) {
      story.send(event);
      expect(story.c.detached).toMatchObject({ n: 1, agent: A, until: T0 + 10_000 });
    }
    expect(story.state).toBe('running.stopping');
    expect(story.pass(6_000)).toMatchObject([{ state: 'running.queued' }]);
  });

  it('a word with another fence than its own ends nothing', () => {
    const story = storyIn('running.stopping');
    const answer = story.send({ type: 'RUN.STOPPED', ...RUN1, fence: 2 }, worker);
    expect(answer).toMatchObject({ code: 'FENCED', type: null });
  });

  it('FORCE_RELEASE cancels its grace: nothing fires later', () => {
    const story = storyIn('running.stopping');
    story.send({ type: 'FORCE_RELEASE' }, OPERATOR);
    expect(story.pass(60_000)).toEqual([]);
  });
});

describe('a lost run', () => {
  it('is not detached: expiry is the proof of death, its slot is free', () => {
    const story = storyIn('running.executing');
    story.send({ type: 'LEASE.EXPIRED', runId: RUN1.runId }, SYSTEM);
    expect(story.c.detached).toBeNull();
    expect(kind.slot(story.s)).toBeNull();
    expect(story.view()).toMatchObject({ retry: { reason: 'process_lost' }, fence: 2 });
    expect(story.record(1)).toMatchObject({ status: 'failed', errorCode: 'lease_expired' });
  });

  it('an expiry of a run that is gone is stale', () => {
    const story = storyIn('running.stopping');
    expect(story.send({ type: 'LEASE.EXPIRED', runId: RUN1.runId }, SYSTEM).is).toBe('ignored');
    expect(new Story().create({ assigneeAgentId: A }).state).toBe('running.queued');
  });
});
