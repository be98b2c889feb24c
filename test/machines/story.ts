/**
 * One issue's life told as events: what the runtime does around a kind, in fifty lines, so that a test says only what
 * happens. The stamp holds exactly the facts that `reads` asked for, so every test also proves that `reads` suffices.
 */
import { expect } from 'vitest';
import { type AgentFacts, DEFAULT_POLICY } from '../../src/machines/facts.ts';
import { type Applied, replay } from '../../src/machines/fold.ts';
import type { IssueHead, IssueState, Run } from '../../src/machines/issue-context.ts';
import { type AnyIssueEvent, RETRY_DUE } from '../../src/machines/issue-events.ts';
import { issueKind } from '../../src/machines/issue-kind.ts';
import type { Actor, Out, Persisted, Runtime, Stamp, Verdict } from '../../src/machines/kind.ts';
import { dotted, type TimerChange } from '../../src/machines/step.ts';
import type { IssueView, RunView } from '../../src/machines/view.ts';

export const kind = issueKind();

/** 2025-11-24T16:00:00.000Z. */
export const T0 = 1_764_000_000_000;
export const ISSUE = 'i7f3000000000001';
/** Agents: the first assignee, two others, and one of each kind that does not simply take work. */
export const A = 'a7f30000000000aa';
export const B = 'a7f30000000000bb';
export const D = 'a7f30000000000dd';
export const PAUSED = 'a7f30000000000ff';
export const TERMINATED = 'a7f3000000000000';
export const ON_ITS_OWN = 'a7f3000000000011';
export const UNKNOWN = 'a7f3000000000099';

export const OPERATOR: Actor = { kind: 'operator', id: 'k7f30000000000a1' };
export const SYSTEM: Actor = { kind: 'system', id: 'timer' };
export const agent = (id: string): Actor => ({ kind: 'agent', id });

export function facts(over: Partial<AgentFacts> = {}): AgentFacts {
  return {
    ...DEFAULT_POLICY,
    status: 'active',
    wakeOnDemand: true,
    adapterType: 'codex_local',
    maxConcurrentRuns: 1,
    ...over,
  };
}

export interface Answer {
  is: Verdict<AnyIssueEvent>['is'];
  code: string | null;
  detail: Record<string, unknown>;
  /** What the accepted event (or a refused one's `then`) was applied as; null: nothing changed. */
  type: string | null;
  state: string;
  effects: string[];
  out: readonly Out[];
  timers: readonly TimerChange[];
  handled: boolean;
}

type Ev = { type: string } & Record<string, unknown>;

export class Story {
  s: Persisted<IssueState> = null as never;
  head: Partial<IssueHead> = {};
  version = 0;
  at = T0;
  u = 0.5;
  agents: Record<string, AgentFacts> = {
    [A]: facts(),
    [B]: facts(),
    [D]: facts({ adapterType: 'claude_local' }),
    [PAUSED]: facts({ status: 'paused' }),
    [TERMINATED]: facts({ status: 'terminated' }),
    [ON_ITS_OWN]: facts({ wakeOnDemand: false }),
  };
  readonly timers = new Map<string, { due: number; event: Ev }>();
  readonly entries: Applied[] = [];
  readonly states: string[] = [];
  /** All facts there were at each entry, asked for or not. */
  readonly worlds: Record<string, AgentFacts>[] = [];
  readonly records: Extract<Out, { out: 'record' }>[] = [];
  readonly effects: Extract<Out, { out: 'effect' }>[] = [];
  #comments = 0;

  get c(): IssueState {
    return this.s.context;
  }
  get state(): string {
    return dotted(this.s.value);
  }
  get run(): Run | null {
    return this.c.run;
  }
  runId(n = this.c.run?.n ?? this.c.n): string {
    return `${ISSUE}.${n}`;
  }

  create(asked: Record<string, unknown> = {}, by: Actor = OPERATOR): Answer {
    const identity = { id: ISSUE, prefix: 'ACME', ordinal: 7 };
    const event = kind.born({ title: 'Mend the roof', ...asked }, identity);
    return this.#apply(event as Ev, by, this.#stamp(event, null));
  }

  /** Sends an event as the runtime would: stamp, verdict, transition, and what a refusal still causes. */
  send(event: Ev, by: Actor = OPERATOR): Answer {
    const stamp = this.#stamp(event as AnyIssueEvent, this.s);
    const before = JSON.stringify(this.s);
    const verdict = kind.judge({ ...event, stamp, by } as never, this.s);
    expect(JSON.stringify(this.s), 'judging changes nothing').toBe(before);
    const effective =
      verdict.is === 'apply' ? (verdict.event ?? event) : verdict.is === 'refused' ? verdict.then : undefined;
    const applied = effective ? this.#apply(effective as Ev, by, stamp) : NOTHING;
    return {
      ...applied,
      is: verdict.is,
      code: verdict.is === 'refused' ? verdict.code : null,
      detail: verdict.is === 'refused' ? verdict.detail : {},
      state: this.state,
    };
  }

  /** The runtime's own events. */
  grant(claim = 'c1'): Answer {
    return this.send(kind.grant?.(claim) as Ev, SYSTEM);
  }
  fail(over: Record<string, unknown> = {}): Answer {
    const word = { runId: this.runId(), fence: this.c.fence, error: '429 too many requests' };
    return this.send({ type: 'RUN.FAILED', ...word, ...over }, agent(this.c.assignee ?? A));
  }
  failTransiently(over: Record<string, unknown> = {}): Answer {
    return this.fail({ errorFamily: 'transient_upstream', ...over });
  }
  succeed(over: Record<string, unknown> = {}): Answer {
    const word = { runId: this.runId(), fence: this.c.fence };
    return this.send({ type: 'RUN.SUCCEEDED', ...word, ...over }, agent(this.c.assignee ?? A));
  }

  /** Lets `ms` pass and fires what is due, as the timers of the runtime do. */
  pass(ms: number): Answer[] {
    const end = this.at + ms;
    const answers: Answer[] = [];
    for (;;) {
      const [next] = [...this.timers].sort((a, b) => a[1].due - b[1].due);
      if (!next || next[1].due > end) break;
      this.at = Math.max(this.at, next[1].due);
      this.timers.delete(next[0]);
      answers.push(this.send(next[1].event, SYSTEM));
    }
    this.at = end;
    return answers;
  }

  view(over: Partial<Runtime> = {}): IssueView {
    return kind.view(this.s, this.head, { ...RUNTIME, version: this.version, ...over });
  }
  record(n: number): RunView | undefined {
    const found = this.records.find((r) => r.kind === 'run' && r.id === this.runId(n));
    return found?.record as RunView | undefined;
  }
  effectData(type: string): Record<string, unknown> | undefined {
    return this.effects.findLast((e) => e.type === type)?.data;
  }
  clone(): Story {
    const copy = new Story();
    copy.s = structuredClone(this.s);
    copy.head = structuredClone(this.head);
    copy.version = this.version;
    copy.at = this.at;
    copy.u = this.u;
    copy.agents = structuredClone(this.agents);
    copy.entries.push(...this.entries);
    for (const [id, timer] of this.timers) copy.timers.set(id, timer);
    return copy;
  }

  #stamp(event: AnyIssueEvent, s: Persisted<IssueState> | null): Stamp {
    const read = kind.reads(event, s).filter((id) => id in this.agents);
    const ids = Array.from(
      { length: kind.draws(event) },
      () => `m7f3${String(++this.#comments).padStart(12, '0')}`,
    );
    return {
      at: this.at,
      u: this.u,
      ids,
      facts: Object.fromEntries(read.map((id) => [id, { ...this.agents[id] }])),
    };
  }

  #apply(event: Ev, by: Actor, stamp: Stamp): Answer {
    const entry: Applied = { event, stamp, by };
    const stepped = replay(kind, this.version === 0 ? null : this.s, JSON.parse(JSON.stringify(entry)));
    this.s = stepped.next as Persisted<IssueState>;
    this.version += 1;
    this.entries.push(entry);
    this.worlds.push(structuredClone(this.agents));
    this.states.push(JSON.stringify(this.s));
    for (const change of stepped.timers) {
      if (change.is === 'disarm') this.timers.delete(change.id);
      else this.timers.set(change.id, { due: this.at + change.ms, event: change.event as Ev });
    }
    for (const out of stepped.out) {
      if (out.out === 'record') this.records.push(out);
      if (out.out === 'effect') this.effects.push(out);
      if (out.out === 'head') this.head = { ...this.head, ...out.patch };
    }
    expectSound(this.s);
    return {
      is: 'apply',
      code: null,
      detail: {},
      type: kind.names[event.type] ?? event.type,
      state: this.state,
      effects: stepped.out.flatMap((o) => (o.out === 'effect' ? [o.type] : [])),
      out: stepped.out,
      timers: stepped.timers,
      handled: stepped.handled,
    };
  }
}

const NOTHING = { type: null, effects: [], out: [], timers: [], handled: false };

export const RUNTIME: Runtime = {
  id: ISSUE,
  companyId: 'c7f3000000000001',
  version: 1,
  leaseUntil: null,
  progress: null,
  note: null,
  pool: null,
  quarantined: null,
};

/** The invariants of issue-context.ts and of the slot and the lease, on one state. */
export function expectSound(s: Persisted<IssueState>): void {
  const c = s.context;
  const state = dotted(s.value);
  const locked = state.startsWith('running') || state === 'scheduled-retry';
  const executing = state === 'running.executing';
  expect(c.run !== null, `I1: the lock is the state (${state})`).toBe(locked);
  expect(c.run?.start !== undefined, 'executing is a started run').toBe(executing);
  expect(c.run?.retry !== undefined, 'a backoff is a run with a due time').toBe(state === 'scheduled-retry');
  expect(c.detached !== null && (executing || state === 'running.queued'), 'I3').toBe(false);
  if (state === 'running.stopping')
    expect(c.detached?.until, 'stopping is told to stop').toBeTypeOf('number');
  if (c.run) expect(c.assignee, 'I5: a run is the assignee’s').not.toBeNull();
  expect(c.wakes.length + (c.run?.wake === undefined ? 0 : 1), 'I6').toBeLessThanOrEqual(32);
  expect(JSON.parse(JSON.stringify(s)), 'a state is JSON').toStrictEqual(s);
  const slot = kind.slot(s as never);
  if (c.detached) expect(slot).toMatchObject({ pool: c.detached.agent, mode: 'holds' });
  else if (executing) expect(slot).toMatchObject({ pool: c.assignee, mode: 'holds' });
  else if (state === 'running.queued') expect(slot).toMatchObject({ pool: c.assignee, mode: 'wants' });
  else expect(slot).toBeNull();
  const left = c.detached !== null && c.detached.until === undefined;
  expect(kind.lease?.(s as never) !== null, 'a lease is armed for whoever may still speak').toBe(
    executing || left,
  );
  expect(kind.owed?.(s as never).length, 'stop is owed while told to stop').toBe(
    c.detached?.until === undefined ? 0 : 1,
  );
}

// -- stories that end in each state --------------------------------------------------------------------------------------

export const COLUMNS = [
  'idle',
  'running.queued',
  'running.executing',
  'running.stopping',
  'scheduled-retry',
  'cancelled',
  'done',
] as const;
export type Column = (typeof COLUMNS)[number];

/** An issue of agent A in that state; in stopping, A's run 1 is detached and B's run 2 waits. */
export function storyIn(column: Column): Story {
  const story = new Story();
  switch (column) {
    case 'idle':
      story.create({ assigneeAgentId: A, wake: false });
      break;
    case 'running.queued':
      story.create({ assigneeAgentId: A });
      break;
    case 'running.executing':
      story.create({ assigneeAgentId: A });
      story.grant();
      break;
    case 'running.stopping':
      story.create({ assigneeAgentId: A });
      story.grant();
      story.send({ type: 'ASSIGN', agentId: B });
      break;
    case 'scheduled-retry':
      story.create({ assigneeAgentId: A });
      story.grant();
      story.failTransiently();
      break;
    case 'cancelled':
      story.create({ assigneeAgentId: A, wake: false });
      story.send({ type: 'CANCEL' });
      break;
    case 'done':
      story.create({ assigneeAgentId: A, wake: false });
      story.send({ type: 'COMPLETE' });
      break;
  }
  expect(story.state).toBe(column);
  return story;
}

/** An issue set done while A was executing it: run 1 is detached and left to finish. */
export function storyLeft(): Story {
  const story = storyIn('running.executing');
  story.send({ type: 'COMPLETE' });
  expect(story.c.detached).toMatchObject({ n: 1, cause: 'issue_done' });
  return story;
}

export { RETRY_DUE };
