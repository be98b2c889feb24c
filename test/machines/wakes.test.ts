/** Wakes: none is lost, none is delivered twice, and each has a reason where it ends (domain.md sections 1 and 2). */
import { describe, expect, it } from 'vitest';
import {
  A,
  agent,
  B,
  facts,
  kind,
  ON_ITS_OWN,
  PAUSED,
  RUNTIME,
  Story,
  storyIn,
  T0,
  TERMINATED,
} from './story.ts';

function assignedTo(assigneeAgentId: string | null): Story {
  const story = new Story();
  story.create({ assigneeAgentId: null });
  if (assigneeAgentId === TERMINATED) {
    story.send({ type: 'ASSIGN', agentId: B });
    story.send({ type: 'CANCEL' });
    story.send({ type: 'REOPEN' });
    story.agents[B] = facts({ status: 'terminated' });
  } else if (assigneeAgentId !== null) {
    const { [assigneeAgentId]: real } = story.agents;
    story.agents[assigneeAgentId] = facts({ wakeOnDemand: false });
    story.send({ type: 'ASSIGN', agentId: assigneeAgentId });
    story.agents[assigneeAgentId] = real ?? facts();
  }
  expect(story.state).toBe('idle');
  return story;
}

describe('a wake of an idle issue', () => {
  it.each([
    ['an active agent that wakes on demand', A, 'automation', 'running.queued'],
    ['a paused agent: the run waits', PAUSED, 'automation', 'running.queued'],
    ['an agent not woken on demand', ON_ITS_OWN, 'automation', 'idle'],
    ['an agent not woken on demand, by a comment', ON_ITS_OWN, 'comment', 'idle'],
    ['an agent not woken on demand, asked for by name', ON_ITS_OWN, 'on_demand', 'running.queued'],
    ['a terminated agent', TERMINATED, 'on_demand', 'idle'],
    ['nobody', null, 'on_demand', 'idle'],
  ])('of %s', (_, assignee, source, to) => {
    const story = assignedTo(assignee);
    const answer = story.send({ type: 'WAKE', reason: 'x', source });
    expect(answer).toMatchObject({ is: 'apply', state: to });
    expect(story.view().wakes).toMatchObject([{ reason: 'x', source }]);
  });

  it('says why it is parked', () => {
    const nobody = assignedTo(null);
    nobody.send({ type: 'WAKE', reason: 'x' });
    expect(nobody.view().why).toEqual({ code: 'unassigned', text: 'Nobody is assigned; a wake waits.' });
    const onItsOwn = assignedTo(ON_ITS_OWN);
    onItsOwn.send({ type: 'WAKE', reason: 'x', source: 'automation' });
    expect(onItsOwn.view().why.code).toBe('parked');
  });

  it('begins a run of the kind that was asked for, and takes what was parked with it', () => {
    const story = assignedTo(ON_ITS_OWN);
    story.send({ type: 'WAKE', reason: 'first', source: 'automation' });
    story.send({ type: 'WAKE', reason: 'second' });
    expect(kind.unfinished?.(story.s)).toMatchObject([{ record: { invocationSource: 'on_demand' } }]);
    story.grant();
    expect(story.effects.filter((e) => e.type === 'wake.delivered').map((e) => e.data.reason)).toEqual([
      'first',
      'second',
    ]);
    expect(story.view().wakes).toEqual([]);
  });

  it('RETRY.NOW is a human wake', () => {
    const story = assignedTo(ON_ITS_OWN);
    expect(story.send({ type: 'RETRY.NOW' }).state).toBe('running.queued');
    expect(story.view().wakes).toMatchObject([{ human: true, source: 'on_demand' }]);
  });
});

describe('a wake while the issue works', () => {
  it('coalesces into the run not yet started, each listed, and moves on to its successor', () => {
    const story = storyIn('running.queued');
    story.send({ type: 'WAKE', reason: 'one', payload: { n: 1 } });
    story.send({ type: 'WAKE', reason: 'two' });
    expect(story.view().wakes).toMatchObject([{ reason: 'one', payload: { n: 1 } }, { reason: 'two' }]);
    story.send({ type: 'ASSIGN', agentId: B });
    story.grant();
    const grant = kind.granted?.(story.s, story.head, RUNTIME);
    expect(grant).toMatchObject({
      run: { id: story.runId(2) },
      wakes: [{ reason: 'one' }, { reason: 'two' }],
    });
  });

  it('of a machine waits with the retry; the timer stays', () => {
    const story = storyIn('scheduled-retry');
    const before = new Map(story.timers);
    story.send({ type: 'WAKE', reason: 'poke', source: 'automation' });
    expect(story.timers).toEqual(before);
    expect(story.view().wakes).toMatchObject([{ reason: 'retry' }, { reason: 'poke' }]);
  });

  it('of a person pulls the retry forward to retryNotBefore, keeping the run, its attempt and its mode', () => {
    const story = storyIn('running.executing');
    for (const _ of [1, 2]) {
      story.failTransiently();
      story.pass(60 * 60_000);
      story.grant();
    }
    const until = story.at + 20 * 60_000;
    story.failTransiently({ resultJson: { retryNotBefore: until } });
    const before = story.view();
    expect(before.retry).toMatchObject({ attempt: 3, dueAt: story.at + 30 * 60_000 });
    const answer = story.send({ type: 'WAKE', reason: 'please', human: true });
    expect(answer).toMatchObject({
      state: 'scheduled-retry',
      effects: ['retry.moved', 'wake.accepted', 'wake.coalesced'],
    });
    expect(answer.timers.at(-1)).toMatchObject({ is: 'arm', ms: 20 * 60_000 });
    expect(story.view()).toMatchObject({
      attempt: 0,
      run: { id: before.run?.id, attempt: 3 },
      retry: { attempt: 3, dueAt: until, codexTransientFallbackMode: 'fresh_session' },
    });
    story.send({ type: 'WAKE', reason: 'please!', human: true });
    expect(story.effects.filter((e) => e.type === 'retry.moved')).toHaveLength(1);
    expect(story.pass(20 * 60_000)).toMatchObject([{ type: 'RETRY.DUE', state: 'running.queued' }]);
  });

  it('of a person during a run makes its transient failure due at once, in the same version', () => {
    const story = storyIn('running.executing');
    story.send({ type: 'COMMENT', body: 'hello?' });
    const answer = story.failTransiently();
    expect(answer).toMatchObject({
      state: 'running.queued',
      effects: ['run.failed', 'lock.released', 'retry.due', 'wake.accepted', 'retry.scheduled', 'run.queued'],
    });
    expect(story.view().run).toMatchObject({ attempt: 1, retryOfRunId: story.runId(1) });
    expect(story.timers.size).toBe(0);
  });

  it('of a person during a run, with retryNotBefore: due then', () => {
    const story = storyIn('running.executing');
    story.send({ type: 'COMMENT', body: 'hello?' });
    story.failTransiently({ resultJson: { retryNotBefore: T0 + 5_000 } });
    expect(story.view().retry?.dueAt).toBe(T0 + 5_000);
  });

  it.each([
    ['of a person', { human: true }],
    ['of a machine', { source: 'automation' }],
  ])('%s queues a run after a permanent failure', (_, wake) => {
    const story = storyIn('running.executing');
    story.send({ type: 'WAKE', reason: 'news', ...wake });
    const answer = story.fail();
    expect(answer).toMatchObject({
      state: 'running.queued',
      effects: ['run.failed', 'lock.released', 'run.queued'],
    });
    expect(story.view().wakes).toMatchObject([{ reason: 'news' }]);
  });

  it('of a machine is parked after exhaustion; the next one starts a single run without retries', () => {
    const story = storyIn('running.executing');
    story.agents[A] = facts({ delaysMs: [1000] });
    story.failTransiently();
    story.pass(1_000);
    story.grant();
    story.send({ type: 'WAKE', reason: 'news', source: 'automation' });
    expect(story.failTransiently().state).toBe('idle');
    expect(story.view()).toMatchObject({
      why: { code: 'retry_exhausted' },
      wakes: [{ reason: 'news' }],
      attempt: 1,
    });
    story.send({ type: 'WAKE', reason: 'more', source: 'automation' });
    expect(story.view().run).toMatchObject({ attempt: 1 });
    story.grant();
    expect(story.failTransiently()).toMatchObject({ state: 'idle' });
  });

  it('of a person keeps the issue from closing under it: a follow-up run instead', () => {
    const story = storyIn('running.executing');
    story.send({ type: 'COMMENT', body: 'One thing more' });
    expect(story.succeed()).toMatchObject({
      state: 'running.queued',
      effects: ['run.succeeded', 'lock.released', 'run.queued'],
    });
  });

  it('of a machine does not: it drops when the issue closes', () => {
    const story = storyIn('running.executing');
    story.send({ type: 'WAKE', reason: 'news', source: 'automation' });
    const answer = story.succeed();
    expect(answer).toMatchObject({
      state: 'done',
      effects: ['run.succeeded', 'lock.released', 'wake.dropped'],
    });
    expect(story.effectData('wake.dropped')).toMatchObject({ cause: 'issue_closed' });
  });
});

describe('a closed issue', () => {
  it.each(['CANCEL', 'COMPLETE'])(
    '%s parks what people asked and drops the rest; REOPEN starts a run for it',
    (type) => {
      const story = storyIn('running.executing');
      story.send({ type: 'WAKE', reason: 'machine', source: 'automation' });
      story.send({ type: 'WAKE', reason: 'person', human: true });
      story.send({ type });
      expect(story.view().wakes).toMatchObject([{ reason: 'person' }]);
      const answer = story.send({ type: 'REOPEN' });
      expect(answer.effects).toContain('issue.reopened');
      expect(answer.effects).toContain('run.queued');
      expect(answer.state).toBe('running.stopping');
    },
  );

  it('does not listen to an agent’s reopen or human', () => {
    for (const column of ['done', 'cancelled'] as const) {
      const story = storyIn(column);
      const answer = story.send({ type: 'WAKE', reason: 'x', human: true, reopen: true }, agent(A));
      expect(answer).toMatchObject({ state: column, effects: ['wake.dropped'] });
    }
    const waiting = storyIn('scheduled-retry');
    waiting.send({ type: 'WAKE', reason: 'x', human: true }, agent(A));
    expect(waiting).toMatchObject({ state: 'scheduled-retry', c: { attempt: 1 } });
  });

  it('is reopened by a wake even where nobody can take a run', () => {
    const story = storyIn('done');
    story.send({ type: 'ASSIGN', agentId: null });
    const answer = story.send({ type: 'WAKE', reason: 'x', reopen: true });
    expect(answer).toMatchObject({ state: 'idle', effects: ['issue.reopened', 'wake.accepted'] });
  });
});

describe('at most 32 wait', () => {
  const wake = (reason: string, human = false) => ({ type: 'WAKE', reason, source: 'automation', human });

  it('further wakes of a machine merge by reason', () => {
    const story = storyIn('running.queued');
    for (let i = 0; i < 40; i++) story.send(wake(`r${i % 32}`));
    expect(story.view().wakes).toHaveLength(32);
    expect(story.view().wakes[0]).toMatchObject({ id: 'i7f3000000000001.w1', merged: 1 });
    expect(story.effects.filter((e) => e.type === 'wake.accepted')).toHaveLength(32);
  });

  it('one with a new reason takes the place of the oldest machine’s, which is dropped as overflow', () => {
    const story = storyIn('running.queued');
    story.send(wake('person', true));
    for (let i = 0; i < 32; i++) story.send(wake(`r${i}`));
    const { wakes } = story.view();
    expect(wakes).toHaveLength(32);
    expect(wakes[0]?.reason).toBe('person');
    expect(story.effectData('wake.dropped')).toMatchObject({ reason: 'r0', cause: 'overflow' });
  });

  it('a machine’s finds no place among 32 people: it is the one dropped', () => {
    const story = storyIn('running.queued');
    for (let i = 0; i < 32; i++) story.send(wake(`p${i}`, true));
    story.send(wake('robot'));
    expect(story.effectData('wake.dropped')).toMatchObject({ reason: 'robot', cause: 'overflow' });
    expect(story.view().wakes.every((w) => w.human)).toBe(true);
  });

  it('a retry’s own wake counts', () => {
    const story = storyIn('running.executing');
    for (let i = 0; i < 32; i++) story.send(wake(`r${i}`));
    story.failTransiently();
    expect(story.view().wakes).toHaveLength(32);
    expect(story.view().wakes[0]?.reason).toBe('retry');
  });
});
