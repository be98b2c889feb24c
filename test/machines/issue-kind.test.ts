/** What the runtime reads of an issue: slot, lease, watchers, columns, view, why, snapshots, and what may be served. */
import { describe, expect, it } from 'vitest';
import { assign, createMachine, fromPromise, sendTo, setup, spawnChild } from 'xstate';
import { z } from 'zod';
import { issueEvents } from '../../src/machines/events.ts';
import { issueMachine } from '../../src/machines/issue-machine.ts';
import type { PoolState } from '../../src/machines/kind.ts';
import { assertKind } from '../../src/machines/registering.ts';
import { migration, SnapshotError } from '../../src/machines/snapshot-version.ts';
import { unborn } from '../../src/machines/step.ts';
import {
  A,
  B,
  COLUMNS,
  D,
  facts,
  ISSUE,
  kind,
  RUNTIME,
  Story,
  storyIn,
  storyLeft,
  T0,
  TERMINATED,
} from './story.ts';

const POOL: PoolState = {
  max: 1,
  held: 0,
  wanting: 1,
  open: true,
  closed: null,
  online: true,
  asking: true,
  seenAt: T0,
};
const NOBODY = { ...POOL, asking: false, online: false };

describe('the view', () => {
  it('of an issue at work, in full', () => {
    const story = storyIn('running.executing');
    expect(story.view({ leaseUntil: T0 + 30_000, progress: 0.5, note: 'half' })).toEqual({
      id: ISSUE,
      companyId: RUNTIME.companyId,
      identifier: 'ACME-7',
      title: 'Mend the roof',
      priority: 'medium',
      state: 'running',
      substate: 'executing',
      assigneeAgentId: A,
      version: 2,
      fence: 1,
      attempt: 0,
      maxAttempts: 4,
      lock: { runId: story.runId(1), agentId: A, mode: 'executing', fence: 1, lockedAt: T0 },
      detached: null,
      run: {
        id: story.runId(1),
        agentId: A,
        status: 'running',
        attempt: 0,
        retryOfRunId: null,
        startedAt: T0,
        leaseUntil: T0 + 30_000,
        progress: 0.5,
        note: 'half',
      },
      retry: null,
      wakes: [],
      why: {
        code: 'executing',
        text: `Agent ${A} is executing run ${story.runId(1)}, its lease holds until 2025-11-24T16:00:30.000Z.`,
      },
      nextEvent: 'LEASE.EXPIRED',
      nextAt: T0 + 30_000,
      lastError: null,
      context: null,
      createdAt: T0,
      updatedAt: T0,
    });
  });

  it.each([
    ['waiting_for_slot', { ...POOL, held: 1 }],
    ['waiting_for_slot', null],
    ['agent_offline', NOBODY],
    ['waiting_for_slot', { ...NOBODY, online: true }],
    ['waiting_for_slot', { ...NOBODY, held: 1 }],
    ['agent_paused', { ...POOL, open: false, closed: 'paused' }],
    ['agent_terminated', { ...POOL, open: false, closed: 'terminated' }],
  ])('queued: %s', (code, pool) => {
    const view = storyIn('running.queued').view({ pool });
    expect(view.why.code).toBe(code);
    expect([view.nextEvent, view.nextAt]).toEqual(['GRANT', null]);
  });

  it.each<[string, PoolState]>([
    ['waits: no worker of agent A is asking for work.', { ...NOBODY, seenAt: null }],
    [
      'waits: no worker of agent A is asking for work; one was last heard of at 2025-11-24T16:00:00.000Z.',
      NOBODY,
    ],
    [
      'waits: no worker of agent A is asking for work (1 of 2 held, 1 waiting); one was last heard of at 2025-11-24T16:00:00.000Z.',
      { ...NOBODY, online: true, held: 1, max: 2 },
    ],
    ['waits for a slot of agent A (1 of 1 held, 1 waiting).', { ...NOBODY, online: true, held: 1 }],
  ])('queued, with free slots it is workers that are missing and not slots: %s', (text, pool) => {
    const story = storyIn('running.queued');
    expect(story.view({ pool }).why.text).toBe(
      `Run ${story.runId(1)} ${text.replace('agent A', `agent ${A}`)}`,
    );
  });

  it('idle: each reason', () => {
    const why = (change: (s: Story) => void, pool: PoolState | null = null) => {
      const story = storyIn('running.executing');
      change(story);
      expect(story.state).toBe('idle');
      return story.view({ pool }).why.code;
    };
    expect(why((s) => s.succeed({ resolution: 'open' }))).toBe('no_work');
    expect(why((s) => s.fail())).toBe('failed');
    expect(why((s) => s.send({ type: 'ASSIGN', agentId: null }))).toBe('unassigned');
    expect(why((s) => s.send({ type: 'AGENT.TERMINATED', agentId: A }))).toBe('agent_terminated');
    expect(why((s) => s.send({ type: 'FORCE_RELEASE' }), { ...POOL, closed: 'terminated' })).toBe(
      'agent_terminated',
    );
    const kept = storyIn('running.executing');
    kept.fail({ errorCode: 'exit_1' });
    expect(kept.view()).toMatchObject({
      lastError: { errorCode: 'exit_1', at: T0 },
      why: { text: 'The last run failed and is not retried: exit_1: 429 too many requests.' },
    });
    kept.send({ type: 'WAKE', reason: 'x' });
    kept.send({ type: 'FORCE_RELEASE' });
    expect(kept.view().why.code).toBe('parked');
  });

  it.each<[string, { error: string; errorCode?: string }, string]>([
    [
      'both the code and the error',
      { error: 'npm test failed', errorCode: 'exit_1' },
      'exit_1: npm test failed.',
    ],
    ['the error alone where there is no code', { error: 'Really?' }, 'Really?'],
    ['a code once that the error begins with', { error: 'exit_1: no', errorCode: 'exit_1' }, 'exit_1: no.'],
    ['the code alone where the error is only space', { error: ' \n', errorCode: 'exit_1' }, 'exit_1.'],
    ['at most 200 characters', { error: '🙂'.repeat(150), errorCode: 'x' }, `x: ${'🙂'.repeat(98)}…`],
    [
      'one line that repaints no terminal and turns no direction',
      { error: 'a\r\n\tb \x1b[2Jc\x9bd\u2028e\u202ef', errorCode: 'c\x07d' },
      'c d: a b [2Jc d e f.',
    ],
  ])('of a failed run tells %s', (_what, failure, told) => {
    const story = storyIn('running.executing');
    story.fail(failure);
    expect(story.view().why.text).toBe(`The last run failed and is not retried: ${told}`);
  });

  it('of spent retries tells the error, too', () => {
    const story = storyIn('running.executing');
    story.agents[A] = facts({ delaysMs: [1000] });
    story.failTransiently();
    story.pass(1000);
    story.grant();
    story.send({ type: 'WAKE', reason: 'news', source: 'automation' });
    story.failTransiently();
    expect(story.view().why.text).toBe(
      'Its one automatic retry is spent; a wake waits: 429 too many requests.',
    );
  });

  it('names the next event of every state that waits, and when', () => {
    const next = (story: Story) => [story.view().nextEvent, story.view().nextAt];
    expect(next(storyIn('scheduled-retry'))).toEqual(['RETRY.DUE', T0 + 120_000]);
    expect(next(storyIn('running.stopping'))).toEqual(['STOPPED', T0 + 10_000]);
    expect(next(storyLeft())).toEqual(['LEASE.EXPIRED', null]);
    for (const column of ['idle', 'cancelled', 'done'] as const)
      expect(next(storyIn(column))).toEqual([null, null]);
    const idle = storyIn('running.executing');
    idle.send({ type: 'ASSIGN', agentId: null });
    expect(next(idle)).toEqual(['STOPPED', T0 + 10_000]);
  });

  it.each(COLUMNS)('says in one sentence why it is %s', (column) => {
    const { why } = storyIn(column).view();
    expect(why.text).toMatch(/^[A-Z][^\n]+\.$/);
  });

  it('quarantined hides every other reason', () => {
    const view = storyIn('scheduled-retry').view({ quarantined: { reason: 'a guard threw', at: T0 } });
    expect(view).toMatchObject({
      why: { code: 'quarantined', text: 'Put aside since 2025-11-24T16:00:00.000Z: a guard threw.' },
      nextEvent: null,
    });
  });
});

describe('a grant', () => {
  it('is what a worker needs, and is there only while the fence is held', () => {
    const story = storyIn('running.queued');
    story.send({ type: 'WAKE', reason: 'please', payload: { file: 'a.ts' } });
    expect(kind.granted?.(story.s, story.head, RUNTIME)).toBeNull();
    story.grant('claim-7');
    const grant = kind.granted?.(story.s, story.head, RUNTIME);
    expect(grant).toMatchObject({
      issue: { id: ISSUE, state: 'running' },
      run: { id: story.runId(1), issueId: ISSUE, status: 'running', fence: 1, startedAt: T0 },
      fence: 1,
      leaseMs: 30_000,
      wakes: [{ reason: 'please', payload: { file: 'a.ts' } }],
      contextSnapshot: { wakes: [{ reason: 'please' }] },
    });
    expect(kind.slot(story.s)).toMatchObject({ mode: 'holds', claim: 'claim-7' });
    story.succeed();
    expect(kind.granted?.(story.s, story.head, RUNTIME)).toBeNull();
  });
});

describe('who is told', () => {
  const told = (before: Story, event: { type: string } & Record<string, unknown>) => {
    const s = before.s;
    before.send(event);
    return [...kind.watchers(s, before.s)].sort();
  };
  it('the agents of the run before, the run after and the detached run', () => {
    expect(told(storyIn('running.queued'), { type: 'ASSIGN', agentId: D })).toEqual([A, D]);
    expect(told(storyIn('running.stopping'), { type: 'ASSIGN', agentId: D })).toEqual([A, B, D]);
    expect(told(storyIn('idle'), { type: 'PRIORITY', priority: 'low' })).toEqual([]);
    expect(kind.watchers(null, storyIn('running.queued').s)).toEqual([A]);
  });
});

describe('a journal row’s data', () => {
  it('keeps the event’s own fields, and neither bodies nor results nor claims', () => {
    expect(
      kind.data({ type: 'ASSIGN', agentId: A, reason: 'ill', expectedVersion: 3, traceparent: 'x' } as never),
    ).toEqual({ agentId: A, reason: 'ill' });
    expect(
      kind.data({ type: 'RUN.FAILED', runId: 'r', fence: 1, error: 'x', resultJson: { secret: 1 } } as never),
    ).toEqual({ runId: 'r', fence: 1, error: 'x' });
    expect(kind.data({ type: 'GRANT', claim: 'c' })).toEqual({});
    expect(kind.data({ type: 'COMMENT', body: 'x', reopen: true } as never)).toEqual({ reopen: true });
  });
});

describe('a snapshot', () => {
  it.each(COLUMNS)('of %s comes back as it was', (column) => {
    const { s } = storyIn(column);
    expect(kind.migrate(1, JSON.parse(JSON.stringify(s)))).toStrictEqual(s);
  });

  it.each([
    ['newer', 2, (s: object) => s],
    ['unknown_version', 0, (s: object) => s],
    ['malformed', 1, (s: object) => ({ ...s, extra: 1 })],
    ['malformed', 1, () => ({ status: 'error' })],
    ['malformed', 1, () => null],
    ['malformed', 1, (s: { context: object }) => ({ ...s, context: { ...s.context, fence: -1 } })],
    ['malformed', 1, (s: { context: object }) => ({ ...s, context: { ...s.context, out: [] } })],
    ['unknown_state', 1, (s: object) => ({ ...s, value: {} })],
    ['unknown_state', 1, (s: object) => ({ ...s, value: 'sleeping' })],
    ['unknown_state', 1, (s: object) => ({ ...s, value: 'running' })],
  ])('is refused as %s, never guessed at', (reason, version, spoil) => {
    const spoilt = spoil(structuredClone(storyIn('running.queued').s) as never);
    expect(() => kind.migrate(version, spoilt)).toThrow(SnapshotError);
    try {
      kind.migrate(version, spoilt);
    } catch (error) {
      expect((error as SnapshotError).reason).toBe(reason);
    }
  });

  it('of an older version climbs the chain, and a broken or missing step says so', () => {
    const machine = createMachine({ id: 'm', initial: 'on', states: { on: {} } });
    const context = z.strictObject({ c: z.int() });
    const steps = {
      1: (s: unknown) => ({ value: 'on', context: { b: (s as { context: { a: number } }).context.a } }),
      2: (s: unknown) => ({ value: 'on', context: { c: (s as { context: { b: number } }).context.b + 1 } }),
    };
    const migrate = migration({ name: 'm', version: 3, machine, context, steps });
    expect(migrate(1, { value: 'off', context: { a: 1 } })).toEqual({ value: 'on', context: { c: 2 } });
    expect(() => migrate(1, null)).toThrow(/step 1/);
    const gap = migration({ name: 'm', version: 3, machine, context, steps: { 1: steps[1] } });
    expect(() => gap(1, { context: { a: 1 } })).toThrow(/no step from 2/);
  });
});

describe('a kind is refused', () => {
  const served = (machine: unknown, over = {}) =>
    assertKind({ ...kind, machine, names: {}, internal: [], ...over } as never);
  it('not when it is an issue', () => {
    expect(() => assertKind(kind as never)).not.toThrow();
  });
  it('when it invokes, spawns or sends to actors', () => {
    expect(() => served(createMachine({ invoke: { src: fromPromise(async () => 1) } }))).toThrow(/invokes/);
    expect(() => served(createMachine({ entry: spawnChild(createMachine({})) }))).toThrow(
      /xstate\.spawnChild/,
    );
    const hidden = setup({ actions: { go: sendTo('x', { type: 'Y' }) } });
    expect(() => served(hidden.createMachine({ on: { GO: { actions: 'go' } } }))).toThrow(/outside the turn/);
  });
  it('when a delay, a guard or an action does not resolve', () => {
    const after = { initial: 'a', states: { a: { after: { nowhen: 'b' } }, b: {} } };
    expect(() => served(createMachine(after as never))).toThrow(/no delay nowhen/);
    expect(() => served(createMachine({ on: { GO: { guard: 'whether' } } } as never))).toThrow(
      /no guard whether/,
    );
    expect(() => served(createMachine({ on: { GO: { actions: 'what' } } } as never))).toThrow(
      /no action what/,
    );
    expect(() => served(createMachine({ entry: [assign({}), 'what'] } as never))).toThrow(/no action what/);
  });
  it('when the journal has no name for a timer', () => {
    const after = { id: 'm', initial: 'a', states: { a: { after: { 10: 'b' } }, b: {} } };
    expect(() => served(createMachine(after as never))).toThrow(/no name for xstate\.after\.10\.m\.a/);
    expect(() => served(createMachine({}), { names: { 'xstate.after.1.m.a': 'X' } })).toThrow(
      /no state handles/,
    );
  });
});

describe('events from outside', () => {
  it('have none of the internal types among them, nor XState’s own', () => {
    for (const type of [...kind.internal, 'xstate.init', 'xstate.stop', '*']) {
      expect(issueEvents.safeParse({ type, runId: `${ISSUE}.1`, claim: 'c', agentId: A }).success, type).toBe(
        false,
      );
    }
  });
  it('are all handled by the chart or judged without it', () => {
    expect(unborn(issueMachine).value).toBe('idle');
    expect(kind.grant?.('c')).toEqual({ type: 'GRANT', claim: 'c' });
    expect(new Story().agents[TERMINATED]?.status).toBe('terminated');
  });
});

describe('size', () => {
  it('a common state is under 600 bytes', () => {
    const story = new Story();
    story.create({ assigneeAgentId: A });
    story.send({ type: 'WAKE', reason: 'assigned by the planner', human: true });
    story.grant('c0ffee00-0000-4000-8000-000000000000');
    expect(JSON.stringify(story.s).length).toBeLessThan(600);
    story.failTransiently();
    expect(JSON.stringify(story.s).length).toBeLessThan(600);
  });
});
