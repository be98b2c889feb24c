/** Budget, inheritance, births, roles: the sentences under the table of domain.md section 2. */
import { describe, expect, it } from 'vitest';
import {
  A,
  agent,
  B,
  facts,
  ISSUE,
  kind,
  ON_ITS_OWN,
  OPERATOR,
  PAUSED,
  RUNTIME,
  Story,
  SYSTEM,
  storyIn,
  storyLeft,
  T0,
  TERMINATED,
  UNKNOWN,
} from './story.ts';

const RUN1 = { runId: `${ISSUE}.1`, fence: 1 };

describe('the budget belongs to the issue', () => {
  /** An issue of A executing its second retry. */
  function spent(): Story {
    const story = storyIn('running.executing');
    for (const _ of [1, 2]) {
      story.failTransiently();
      story.pass(3_600_000);
      story.grant();
    }
    expect(story.c.attempt).toBe(2);
    return story;
  }

  it.each([
    ['success', (s: Story) => s.succeed({ resolution: 'open' })],
    ['a human wake', (s: Story) => s.send({ type: 'WAKE', reason: 'x', human: true })],
    ['an operator’s comment', (s: Story) => s.send({ type: 'COMMENT', body: 'x' })],
    ['reassignment', (s: Story) => s.send({ type: 'ASSIGN', agentId: B })],
    [
      'REOPEN',
      (s: Story) => {
        s.send({ type: 'CANCEL' });
        expect(s.c.attempt).toBe(2);
        return s.send({ type: 'REOPEN' });
      },
    ],
  ])('%s resets it', (_, reset) => {
    const story = spent();
    reset(story);
    expect(story.c.attempt).toBe(0);
  });

  it.each([
    ['the retry itself', (s: Story) => s.failTransiently()],
    ['a machine’s wake', (s: Story) => s.send({ type: 'WAKE', reason: 'x' })],
    [
      'an agent that calls itself human',
      (s: Story) => s.send({ type: 'WAKE', reason: 'x', human: true }, agent(A)),
    ],
    ['a pause', (s: Story) => s.send({ type: 'AGENT.PAUSED', agentId: A }, SYSTEM)],
    ['FORCE_RELEASE', (s: Story) => s.send({ type: 'FORCE_RELEASE' })],
  ])('%s does not', (_, event) => {
    const story = spent();
    event(story);
    expect(story.c.attempt).toBeGreaterThanOrEqual(2);
  });

  it('RETRY.NOW spends no more of it and ignores retryNotBefore', () => {
    const story = storyIn('running.executing');
    story.failTransiently({ resultJson: { retryNotBefore: T0 + 86_400_000 } });
    expect(story.send({ type: 'RETRY.NOW' }).state).toBe('running.queued');
    expect(story.c.attempt).toBe(1);
    expect(story.view().run).toMatchObject({ id: story.runId(2), attempt: 1 });
  });

  it('a shorter or longer ladder of the agent’s own is what counts', () => {
    const story = storyIn('running.executing');
    story.agents[A] = facts({ delaysMs: [5_000, 6_000] });
    story.failTransiently();
    expect(story.view()).toMatchObject({ maxAttempts: 2, retry: { dueAt: T0 + 5_000, maxAttempts: 2 } });
  });
});

describe('a run that follows another is told what it was told', () => {
  it('a retry: its predecessor’s wakes in the snapshot, delivered once', () => {
    const story = storyIn('running.queued');
    story.send({ type: 'WAKE', reason: 'please', payload: { file: 'a.ts' } });
    story.grant();
    story.failTransiently();
    story.pass(120_000);
    story.grant();
    const grant = kind.granted?.(story.s, story.head, RUNTIME);
    expect(grant).toMatchObject({
      wakes: [{ reason: 'retry' }],
      contextSnapshot: { wakes: [{ reason: 'please', payload: { file: 'a.ts' } }, { reason: 'retry' }] },
    });
    expect(story.effects.filter((e) => e.type === 'wake.delivered')).toHaveLength(2);
  });

  it('the run after a pause: the same, with its attempt and its mode', () => {
    const story = storyIn('running.executing');
    story.failTransiently({ resultJson: { retryNotBefore: T0 + 200_000 } });
    story.pass(200_000);
    story.grant();
    story.send({ type: 'AGENT.PAUSED', agentId: A }, SYSTEM);
    expect(story.run).toMatchObject({ n: 3, attempt: 1, mode: 'same_session', notBefore: T0 + 200_000 });
    expect(story.run?.told).toMatchObject([{ reason: 'retry' }]);
    expect(story.view().run?.agentId).toBe(A);
  });

  it('another agent’s run is not told', () => {
    const story = storyIn('running.queued');
    story.send({ type: 'WAKE', reason: 'please' });
    story.grant();
    story.send({ type: 'ASSIGN', agentId: B });
    expect(story.run?.told).toBeUndefined();
  });

  it('a follow-up after success forgets how the retry was to be started', () => {
    const story = storyIn('running.executing');
    story.failTransiently();
    story.pass(120_000);
    story.grant();
    story.send({ type: 'COMMENT', body: 'and the gutter' });
    story.succeed();
    expect(story.run).toMatchObject({ attempt: 0 });
    expect(story.run?.mode).toBeUndefined();
  });

  it('of a long chain it keeps the newest 32', () => {
    const story = storyIn('running.queued');
    for (let i = 0; i < 50; i++) {
      story.send({ type: 'WAKE', reason: `r${i}`, human: true });
      story.grant();
      story.send({ type: 'WAKE', reason: `s${i}`, human: true });
      story.succeed();
    }
    expect(story.run?.told).toHaveLength(32);
    expect(story.run?.told?.at(-1)?.reason).toBe('r49');
  });
});

describe('birth', () => {
  it.each([
    ['of an active agent’s issue: a run at once', A, undefined, 'running.queued'],
    ['of a paused agent’s issue: its run waits', PAUSED, undefined, 'running.queued'],
    ['of an issue whose agent is not woken on demand', ON_ITS_OWN, undefined, 'idle'],
    ['of an issue of nobody', null, undefined, 'idle'],
    ['with wake: false', A, false, 'idle'],
  ])('%s', (_, assigneeAgentId, wake, to) => {
    const story = new Story();
    const answer = story.create({ assigneeAgentId, ...(wake === undefined ? {} : { wake }) });
    expect(answer.state).toBe(to);
    expect(story.head).toEqual({
      identifier: 'ACME-7',
      title: 'Mend the roof',
      context: null,
      createdAt: T0,
    });
  });

  const judged = (assigneeAgentId: string | null, by = OPERATOR) => {
    const event = kind.born({ title: 'x', assigneeAgentId }, { id: ISSUE, prefix: 'ACME', ordinal: 7 });
    const stamp = { at: T0, u: 0.5, ids: [], facts: new Story().agents as never };
    return kind.judgeBirth({ ...event, stamp, by } as never);
  };
  it('is refused for an agent that does not exist or is terminated, and to agents', () => {
    expect(judged(A)).toBeNull();
    expect(judged(null)).toBeNull();
    expect(judged(UNKNOWN)).toMatchObject({ code: 'NOT_FOUND' });
    expect(judged(TERMINATED)).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(judged(null, agent(A))).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('refuses what nobody may ask for', () => {
    const identity = { id: ISSUE, prefix: 'ACME', ordinal: 1 };
    expect(() => kind.born({ title: '' }, identity)).toThrow();
    expect(() => kind.born({ title: 'x', state: 'done' }, identity)).toThrow();
  });
});

describe('an agent may', () => {
  it('speak for its own runs only', () => {
    const story = storyIn('running.executing');
    for (const type of ['RUN.HEARTBEAT', 'RUN.SUCCEEDED', 'RUN.STOPPED', 'RUN.FAILED']) {
      const word = { type, ...RUN1, ...(type === 'RUN.FAILED' ? { error: 'x' } : {}) };
      expect(story.send(word, agent(B)).code, type).toBe('FORBIDDEN');
      expect(storyLeft().send(word, agent(B)).code, type).toBe('FORBIDDEN');
    }
    expect(story.send({ type: 'RUN.SUCCEEDED', runId: `${ISSUE}.9`, fence: 1 }, agent(B)).code).toBe(
      'FENCED',
    );
  });

  it('be told FENCED when its own run is over, whatever the fence', () => {
    const story = storyIn('running.executing');
    story.succeed();
    expect(story.send({ type: 'RUN.SUCCEEDED', ...RUN1 }, agent(A)).code).toBe('FENCED');
    expect(story.send({ type: 'RUN.HEARTBEAT', ...RUN1, fence: 2 }, agent(A)).code).toBe('FENCED');
  });

  it('reassign what it executes, and nothing else', () => {
    expect(storyIn('running.executing').send({ type: 'ASSIGN', agentId: B }, agent(A)).is).toBe('apply');
    expect(storyIn('running.executing').send({ type: 'ASSIGN', agentId: B }, agent(B)).code).toBe(
      'FORBIDDEN',
    );
    expect(storyIn('running.queued').send({ type: 'ASSIGN', agentId: B }, agent(A)).code).toBe('FORBIDDEN');
  });

  it('complete what it executes, with its fence', () => {
    const story = storyIn('running.executing');
    expect(story.send({ type: 'COMPLETE' }, agent(A)).code).toBe('VALIDATION');
    expect(story.send({ type: 'COMPLETE', fence: 0 }, agent(A)).code).toBe('FENCED');
    expect(story.send({ type: 'COMPLETE', fence: 1 }, agent(B)).code).toBe('FORBIDDEN');
    expect(story.send({ type: 'COMPLETE', fence: 1 }, agent(A))).toMatchObject({
      is: 'apply',
      state: 'done',
    });
    expect(storyIn('running.queued').send({ type: 'COMPLETE' }, agent(A)).code).toBe('FORBIDDEN');
  });

  it.each(['CANCEL', 'REOPEN', 'RETRY.NOW', 'RETRY.CANCEL', 'FORCE_RELEASE'])('not send %s', (type) => {
    for (const column of ['running.executing', 'scheduled-retry', 'done'] as const) {
      expect(storyIn(column).send({ type }, agent(A)).code).toBe('FORBIDDEN');
    }
  });

  it('not send PRIORITY or EDIT', () => {
    const story = storyIn('running.executing');
    expect(story.send({ type: 'PRIORITY', priority: 'low' }, agent(A)).code).toBe('FORBIDDEN');
    expect(story.send({ type: 'EDIT', title: 'x' }, agent(A)).code).toBe('FORBIDDEN');
  });

  it('wake, by name, an agent that is not woken on demand', () => {
    const story = new Story();
    story.create({ assigneeAgentId: ON_ITS_OWN });
    expect(story.send({ type: 'WAKE', reason: 'x' }, agent(B)).state).toBe('running.queued');
  });
});

describe('an operator', () => {
  it('may speak for a run with the right fence, and is fenced like anybody with another', () => {
    expect(storyIn('running.executing').send({ type: 'RUN.SUCCEEDED', ...RUN1 }).state).toBe('done');
    const answer = storyIn('running.executing').send({ type: 'RUN.SUCCEEDED', ...RUN1, fence: 0 });
    expect(answer.code).toBe('FENCED');
  });

  it('is fenced when completing with a fence that is not in force', () => {
    expect(storyIn('running.executing').send({ type: 'COMPLETE', fence: 0 }).code).toBe('FENCED');
    expect(storyIn('running.executing').send({ type: 'COMPLETE', fence: 1 }).is).toBe('apply');
  });

  it('is told in a refusal what is allowed', () => {
    const allowed = (column: Parameters<typeof storyIn>[0], type: string) =>
      storyIn(column).send({ type }).detail.allowed;
    const always = ['WAKE', 'ASSIGN', 'COMMENT', 'EDIT'];
    expect(allowed('idle', 'RETRY.CANCEL')).toEqual([
      'WAKE',
      'ASSIGN',
      'CANCEL',
      'COMPLETE',
      'RETRY.NOW',
      'PRIORITY',
      'COMMENT',
      'EDIT',
    ]);
    expect(allowed('running.executing', 'RETRY.NOW')).toEqual([
      'WAKE',
      'ASSIGN',
      'RUN.HEARTBEAT',
      'RUN.SUCCEEDED',
      'RUN.FAILED',
      'CANCEL',
      'COMPLETE',
      'FORCE_RELEASE',
      'PRIORITY',
      'COMMENT',
      'EDIT',
    ]);
    expect(allowed('running.stopping', 'RETRY.NOW')).toContain('RUN.STOPPED');
    expect(allowed('done', 'CANCEL')).toEqual(['WAKE', 'ASSIGN', 'REOPEN', 'COMMENT', 'EDIT']);
    expect(allowed('cancelled', 'COMPLETE')).toEqual(expect.arrayContaining(always));
  });
});
