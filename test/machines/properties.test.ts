/**
 * What holds of an issue whatever happens to it: random lives, told as events with random senders, fences, facts and
 * times. `Story` checks the invariants I1, I3, I5, I6 and slot and lease on every state; here are those that need two
 * states or a whole life.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transition } from 'xstate';
import { ISSUE_EFFECTS } from '../../src/machines/announce.ts';
import type { AgentFacts } from '../../src/machines/facts.ts';
import { fold, replay } from '../../src/machines/fold.ts';
import { waitingWakes, wakeId } from '../../src/machines/issue-context.ts';
import { issueMachine } from '../../src/machines/issue-machine.ts';
import type { Actor } from '../../src/machines/kind.ts';
import { dotted, unborn } from '../../src/machines/step.ts';
import {
  A,
  agent,
  B,
  D,
  facts,
  kind,
  ON_ITS_OWN,
  OPERATOR,
  PAUSED,
  RETRY_DUE,
  RUNTIME,
  Story,
  SYSTEM,
  TERMINATED,
  UNKNOWN,
} from './story.ts';

type Ev = { type: string } & Record<string, unknown>;
interface Move {
  make: (story: Story) => Ev | null;
  by: (story: Story) => Actor;
  u: number;
  wait: number;
}

const somebody = fc.constantFrom(A, B, D, PAUSED, TERMINATED, ON_ITS_OWN, UNKNOWN, null);
const operator = () => OPERATOR;
const system = () => SYSTEM;
const worker = (story: Story): Actor =>
  agent(story.c.run ? (story.c.assignee ?? A) : (story.c.detached?.agent ?? A));

/** Which run and fence a worker's word carries: mostly the right ones. */
const words = fc
  .record({
    whose: fc.constantFrom('current', 'current', 'current', 'detached', 'old', 'none'),
    off: fc.constantFrom(0, 0, 0, 0, -1, 1),
  })
  .map(({ whose, off }) => (story: Story) => {
    const { detached, fence, n } = story.c;
    if (whose === 'detached' && detached) {
      return { runId: story.runId(detached.n), fence: Math.max(0, detached.fence + off) };
    }
    const ordinal = whose === 'old' ? Math.max(1, n - 1) : whose === 'none' ? n + 7 : undefined;
    return { runId: story.runId(ordinal), fence: Math.max(0, fence + off) };
  });

const said: fc.Arbitrary<(story: Story) => Ev> = fc
  .record({
    word: words,
    what: fc.constantFrom<Record<string, unknown> & { type: string }>(
      { type: 'RUN.HEARTBEAT', progress: 0.5 },
      { type: 'RUN.SUCCEEDED' },
      { type: 'RUN.SUCCEEDED', resolution: 'open', result: { a: [1, null] } },
      { type: 'RUN.FAILED', error: 'x' },
      { type: 'RUN.FAILED', error: 'x', errorFamily: 'transient_upstream' },
      { type: 'RUN.FAILED', error: 'x', errorFamily: 'transient_upstream' },
      { type: 'RUN.FAILED', error: 'x', errorCode: 'process_lost', resultJson: { retryNotBefore: 1.8e12 } },
      { type: 'RUN.STOPPED' },
    ),
  })
  .map(({ word, what }) => (story: Story) => ({ ...what, ...word(story) }));

const asked: fc.Arbitrary<Ev> = fc.oneof(
  fc.record(
    {
      type: fc.constant('WAKE'),
      reason: fc.integer({ min: 0, max: 40 }).map((n) => `r${n}`),
      source: fc.constantFrom('automation', 'on_demand', 'assignment', 'comment'),
      human: fc.boolean(),
      reopen: fc.boolean(),
      payload: fc.constantFrom(null, { a: 1 }, 'x'),
    },
    { requiredKeys: ['type', 'reason'] },
  ),
  fc.record({ type: fc.constant('ASSIGN'), agentId: somebody }),
  fc.record({ type: fc.constant('COMMENT'), body: fc.constant('hm'), reopen: fc.boolean() }),
  fc.record({
    type: fc.constant('PRIORITY'),
    priority: fc.constantFrom('critical', 'high', 'medium', 'low'),
  }),
  fc.constantFrom<Ev>(
    { type: 'CANCEL' },
    { type: 'COMPLETE' },
    { type: 'REOPEN' },
    { type: 'REOPEN' },
    { type: 'RETRY.NOW' },
    { type: 'RETRY.CANCEL' },
    { type: 'FORCE_RELEASE' },
    { type: 'EDIT', title: 'y' },
  ),
);

const internal: fc.Arbitrary<(story: Story) => Ev> = fc.oneof(
  fc.constant((story: Story) => ({ type: 'LEASE.EXPIRED', runId: story.runId() })),
  fc.constant((story: Story) => ({ type: 'LEASE.EXPIRED', runId: story.runId(story.c.detached?.n ?? 1) })),
  fc.constant((story: Story) => ({
    type: 'STOPPED',
    runId: story.runId(story.c.detached?.n ?? 1),
    how: 'grace',
  })),
  fc.constant((story: Story) => ({ type: 'AGENT.PAUSED', agentId: story.c.assignee ?? A })),
  fc.constant((story: Story) => ({ type: 'AGENT.TERMINATED', agentId: story.c.assignee ?? A })),
  fc.constant(() => ({ type: RETRY_DUE })),
);

const move: fc.Arbitrary<Move> = fc
  .record({
    of: fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constant({ make: () => ({ type: 'GRANT', claim: 'c' }) as Ev, by: system }),
      },
      {
        weight: 3,
        arbitrary: said.chain((make) =>
          fc.constantFrom(worker, worker, worker, operator, () => agent(D)).map((by) => ({ make, by })),
        ),
      },
      {
        weight: 4,
        arbitrary: asked.chain((event) =>
          fc.constantFrom(operator, operator, operator, worker).map((by) => ({ make: () => event, by })),
        ),
      },
      { weight: 1, arbitrary: internal.map((make) => ({ make, by: system })) },
    ),
    u: fc.double({ min: 0, max: 0.999999, noNaN: true }),
    wait: fc.constantFrom(0, 0, 0, 1, 999, 10_000, 120_000, 9_000_000),
  })
  .map(({ of, u, wait }) => ({ ...of, u, wait }));

/** Something changes about an agent. */
const flip: fc.Arbitrary<Move> = fc
  .record({
    id: fc.constantFrom(A, B, D, PAUSED),
    change: fc.constantFrom<Partial<AgentFacts>>(
      { status: 'active' },
      { status: 'active', wakeOnDemand: true },
      { status: 'paused' },
      { status: 'terminated' },
      { wakeOnDemand: false },
      { stopGraceMs: 77 },
      { leaseMs: 5_000 },
      { adapterType: 'claude_local' },
      { delaysMs: [0, 10, 20, 30] },
    ),
  })
  .map(({ id, change }) => ({
    make: (story) => {
      story.agents[id] = facts({ ...story.agents[id], ...change });
      return null;
    },
    by: system,
    u: 0.5,
    wait: 0,
  }));

const life = fc.record({
  assignee: fc.constantFrom(A, B, PAUSED, ON_ITS_OWN, null),
  moves: fc.array(fc.oneof({ weight: 8, arbitrary: move }, { weight: 1, arbitrary: flip }), {
    minLength: 1,
    maxLength: 60,
  }),
});

/** Lives a life; `after` sees the story before and after each move. */
function live(
  { assignee, moves }: { assignee: string | null; moves: Move[] },
  after: (story: Story, before: Story['s'], answers: ReturnType<Story['send']>[]) => void = () => {},
): Story {
  const story = new Story();
  story.create({ assigneeAgentId: assignee });
  for (const { make, by, u, wait } of moves) {
    story.u = u;
    const beforeTimers = story.s;
    const fired = story.pass(wait);
    if (fired.length > 0) after(story, beforeTimers, fired);
    const before = story.s;
    const event = make(story);
    if (event) after(story, before, [story.send(event, by(story))]);
  }
  return story;
}

const RUNS = { numRuns: 200 };

describe('whatever happens', () => {
  it('the fence only grows, and rises whenever authority is given or lost', () => {
    fc.assert(
      fc.property(life, (lived) => {
        live(lived, (story, before) => {
          const was = dotted(before.value) === 'running.executing';
          const is = story.state === 'running.executing';
          const sameRun = before.context.run?.n === story.c.run?.n;
          expect(story.c.fence).toBeGreaterThanOrEqual(before.context.fence);
          if (was !== is || (was && !sameRun)) expect(story.c.fence).toBeGreaterThan(before.context.fence);
        });
      }),
      RUNS,
    );
  });

  it('a wake is never lost: accepted = waiting + delivered + dropped, each once', () => {
    fc.assert(
      fc.property(life, (lived) => {
        const story = live(lived);
        const ids = (type: string) =>
          story.effects.filter((e) => e.type === type).map((e) => e.data.wakeId as string);
        const accepted = ids('wake.accepted');
        expect(new Set(accepted).size).toBe(accepted.length);
        const known = new Set(accepted);
        const waiting = waitingWakes(story.c).map((wake) => wakeId(story.c.id, wake.n));
        const ended = [
          ...ids('wake.delivered'),
          ...ids('wake.dropped').filter((id) => known.has(id)),
          ...waiting,
        ];
        expect(ended.toSorted()).toEqual(accepted.toSorted());
        for (const { type, data } of story.effects) {
          if (type === 'wake.dropped') expect(data.cause).toBeTypeOf('string');
        }
      }),
      RUNS,
    );
  });

  it('authority is acquired only after it was released, and every run ends once', () => {
    fc.assert(
      fc.property(life, (lived) => {
        const story = live(lived);
        let holder: unknown = null;
        for (const { type, data } of story.effects) {
          if (type === 'lock.acquired') {
            expect(holder).toBeNull();
            holder = data.runId;
          }
          if (type === 'lock.released' && data.mode === 'executing') {
            expect(data.runId).toBe(holder);
            holder = null;
          }
        }
        const runs = story.records.filter((r) => r.kind === 'run').map((r) => r.id);
        expect(new Set(runs).size).toBe(runs.length);
        const live_ = kind.unfinished?.(story.s).map((r) => r.id) ?? [];
        const all = Array.from({ length: story.c.n }, (_, i) => story.runId(i + 1));
        expect([...runs, ...live_].toSorted()).toEqual(all.toSorted());
      }),
      RUNS,
    );
  });

  it('the budget is never overdrawn, and refusals and no changes change nothing', () => {
    fc.assert(
      fc.property(life, (lived) => {
        live(lived, (story, before, answers) => {
          expect(story.c.attempt).toBeLessThanOrEqual(story.c.max);
          for (const answer of answers) {
            if (answer.type === null) expect(story.s).toBe(before);
            else expect(answer.handled, `${answer.type} was judged and not handled`).toBe(true);
            for (const type of answer.effects) expect(ISSUE_EFFECTS).toHaveProperty([type]);
          }
        });
      }),
      RUNS,
    );
  });

  it('a state comes back from storage as it was, and shows itself', () => {
    fc.assert(
      fc.property(life, (lived) => {
        live(lived, (story) => {
          expect(kind.migrate(1, JSON.parse(JSON.stringify(story.s)))).toStrictEqual(story.s);
          const view = story.view();
          expect(kind.head.safeParse(story.head).success).toBe(true);
          expect(JSON.parse(JSON.stringify(view))).toStrictEqual(view);
          expect(view.wakes.length).toBeLessThanOrEqual(32);
          expect(view.lock !== null).toBe(view.state === 'running' || view.state === 'scheduled-retry');
          kind.granted?.(story.s, story.head, RUNTIME);
        });
      }),
      RUNS,
    );
  });

  it('timers match the state: one for a backoff, one for a grace, none else', () => {
    fc.assert(
      fc.property(life, (lived) => {
        live(lived, (story) => {
          const due = story.c.run?.retry?.due;
          const until = story.c.detached?.until;
          const expected = [...(due === undefined ? [] : [due]), ...(until === undefined ? [] : [until])];
          expect([...story.timers.values()].map((t) => t.due).toSorted()).toEqual(expected.toSorted());
        });
      }),
      RUNS,
    );
  });

  it('the journal replayed gives every state byte for byte', () => {
    fc.assert(
      fc.property(life, (lived) => {
        const story = live(lived);
        const journal = JSON.parse(JSON.stringify(story.entries));
        const states = [...fold(kind, journal)].map((s) => JSON.stringify(s));
        expect(states).toEqual(story.states);
      }),
      RUNS,
    );
  });

  it('nothing depends on a fact that was not asked for', () => {
    fc.assert(
      fc.property(life, (lived) => {
        const story = live(lived);
        let s: Story['s'] | null = null;
        story.entries.forEach(({ event, stamp, by }, i) => {
          const knowing = { event, by, stamp: { ...stamp, facts: story.worlds[i] as never } };
          s = replay(kind, s, knowing).next as Story['s'];
          expect(JSON.stringify(s)).toBe(story.states[i]);
        });
      }),
      RUNS,
    );
  });

  it('the fast step is XState’s own transition()', () => {
    fc.assert(
      fc.property(life, (lived) => {
        const story = live(lived);
        let s = unborn(issueMachine) as { value: unknown; context: object };
        story.entries.forEach(({ event, stamp, by }, i) => {
          const type = event.type === 'RETRY.DUE' ? RETRY_DUE : event.type;
          const snapshot = issueMachine.resolveState({ value: s.value, context: s.context } as never);
          const [next] = transition(issueMachine, snapshot, { stamp, by, ...event, type } as never);
          const { out: _, ...context } = next.context;
          s = { value: next.value, context };
          expect(JSON.stringify(s)).toBe(story.states[i]);
        });
      }),
      { numRuns: 100 },
    );
  });
});
