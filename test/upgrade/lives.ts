/**
 * Random lives of an actor, as its journal would have them: what the runtime does around a kind – judge, stamp, advance,
 * timers – without a runtime, so that every version's snapshot is at hand. From them the recorder keeps those that go
 * where none has gone before.
 */
import { agentKind } from '../../src/machines/agent-kind.ts';
import { SPREAD_AGAIN } from '../../src/machines/agent-machine.ts';
import { DEFAULT_POLICY } from '../../src/machines/facts.ts';
import { RETRY_DUE } from '../../src/machines/issue-events.ts';
import { issueKind } from '../../src/machines/issue-kind.ts';
import { keyKind } from '../../src/machines/key-kind.ts';
import type { Actor, Stamp } from '../../src/machines/kind.ts';
import { dotted } from '../../src/machines/step.ts';
import { advance } from '../../src/supervisor/advance.ts';
import type { EntryJson } from '../../src/supervisor/entry.ts';
import { type AnyKind, snapshotText, type Version } from '../../src/supervisor/resident.ts';
import type { Chance } from '../simulation/world/chance.ts';

export const KINDS: readonly AnyKind[] = [
  issueKind() as never,
  agentKind(DEFAULT_POLICY) as never,
  keyKind() as never,
];

/** One version: how it came to be, and what was stored. */
export interface Lived {
  readonly entry: EntryJson;
  readonly snapshot: string;
  readonly head: string;
}

type Event = { type: string } & Record<string, unknown>;

const T0 = 1_764_000_000_000;
const ISSUE = 'i7f3000000000001';
const AGENTS = [
  'a7f30000000000aa',
  'a7f30000000000bb',
  'a7f30000000000cc',
  'a7f30000000000dd',
  'a7f30000000000ee',
] as const;
const [A, B] = AGENTS;
const idOf: Readonly<Record<string, string>> = { issue: ISSUE, agent: A, key: 'k7f30000000000a2' };
const facts = (over: object) => ({
  ...{ ...DEFAULT_POLICY, delaysMs: [120_000, 600_000], status: 'active', wakeOnDemand: true },
  ...{ adapterType: 'codex_local', maxConcurrentRuns: 1, ...over },
});
const FACTS: Readonly<Record<string, object>> = {
  [A]: facts({}),
  [B]: facts({ adapterType: 'claude_local' }),
  [AGENTS[2]]: facts({ status: 'paused' }),
  [AGENTS[3]]: facts({ status: 'terminated' }),
  [AGENTS[4]]: facts({ wakeOnDemand: false }),
};
const OPERATOR: Actor = { kind: 'operator', id: 'k7f30000000000a1' };
const SYSTEM: Actor = { kind: 'system', id: 'timer' };

/** A life of at most `most` versions. */
export function life(kind: AnyKind, chance: Chance, most: number): Lived[] {
  const lived: Lived[] = [];
  let at = T0;
  let drawn = 0;
  let now: Version | null = null;
  const happens = (event: Event, by: Actor, stamp: Stamp, key: string | null) => {
    const fired = now?.timers.filter(({ event: e, due }) => e.type === event.type && due <= stamp.at) ?? [];
    const from: Version | null = now && {
      ...now,
      timers: now.timers.filter((timer) => !fired.includes(timer)),
    };
    const made = advance(kind, from, event, stamp, by, key);
    if (made === null) return;
    const type = kind.names[event.type] ?? event.type;
    const effects = made.stepped.out.flatMap((o) =>
      o.out === 'effect' ? [{ type: o.type, data: o.data }] : [],
    );
    const entry: EntryJson = {
      type,
      from: now && dotted(now.state.value),
      to: dotted(made.after.state.value),
      actor: by,
      effects,
      event,
      stamp,
      ...(key === null ? {} : { key }),
    };
    now = made.after;
    lived.push({
      // As it is read back from the database.
      entry: JSON.parse(JSON.stringify(entry)) as EntryJson,
      snapshot: snapshotText(now),
      head: JSON.stringify(now.head),
    });
  };
  const stampOf = (event: Event): Stamp => {
    const ids = Array.from(
      { length: kind.draws(event as never) },
      () => `m7f3${String(++drawn).padStart(12, '0')}`,
    );
    const read = kind.reads(event as never, now?.state as never).filter((id) => id in FACTS);
    const seen = Object.fromEntries(read.map((id) => [id, FACTS[id]]));
    return { at, u: Math.round(chance.u() * 1e6) / 1e6, ids, facts: seen as Stamp['facts'] };
  };
  const birth = kind.born(askedOf(kind, chance), {
    id: idOf[kind.kind]!,
    prefix: 'ACME',
    ordinal: 7,
  });
  happens(birth as unknown as Event, OPERATOR, stampOf(birth as unknown as Event), null);
  for (let tries = 0; lived.length < most && tries < most * 10 && now !== null; tries++) {
    at += Math.round(chance.wait(chance.is(0.2) ? 400_000 : 2000));
    const due = (now as Version).timers.find((timer) => timer.due <= at);
    const { event, by } = due ? { event: due.event as Event, by: SYSTEM } : drawOf(kind, now, chance);
    const stamp = stampOf(event);
    const verdict = kind.judge({ ...event, stamp, by } as never, (now as Version).state as never);
    const then =
      verdict.is === 'apply' ? (verdict.event ?? event) : verdict.is === 'refused' ? verdict.then : undefined;
    const key =
      verdict.is === 'apply' && by !== SYSTEM && chance.is(0.2) ? `${by.kind}:${by.id}:${tries}` : null;
    if (then !== undefined) happens(then as Event, by, stamp, key);
  }
  return lived;
}

function askedOf(kind: AnyKind, chance: Chance): unknown {
  if (kind.kind === 'agent') {
    return {
      name: 'codex-1',
      adapterType: 'codex_local',
      maxConcurrentRuns: chance.whole(1, 50),
      wakeOnDemand: chance.is(0.8),
    };
  }
  if (kind.kind === 'key') {
    const agentId = chance.pick([null, A]);
    return {
      role: agentId === null ? 'operator' : 'agent',
      agentId,
      name: chance.pick([null, 'build machine']),
      reason: 'new hire',
    };
  }
  return {
    title: 'Mend the roof',
    ...(chance.is(0.7) ? { assigneeAgentId: chance.pick(AGENTS) } : {}),
    ...(chance.is(0.3) ? { context: { url: 'https://example.org', tags: ['a', 'ü'] } } : {}),
    priority: chance.pick(['critical', 'high', 'medium', 'low']),
    wake: chance.is(0.7),
  };
}

function drawOf(kind: AnyKind, now: Version, chance: Chance): { event: Event; by: Actor } {
  if (kind.kind === 'key') return { event: { type: 'REVOKE', reason: 'left' }, by: OPERATOR };
  return kind.kind === 'agent' ? agentsEvent(chance) : issuesEvent(now, chance);
}

function agentsEvent(chance: Chance): { event: Event; by: Actor } {
  const internal: Event[] = [{ type: 'SPREAD.DONE' }, { type: SPREAD_AGAIN }];
  if (chance.is(0.2)) return { event: chance.pick(internal), by: SYSTEM };
  const event = chance.pick<Event>([
    ...[{ type: 'PAUSE' }, { type: 'PAUSE', drain: true, reason: 'maintenance' }, { type: 'RESUME' }],
    {
      type: 'UPDATE',
      name: chance.pick(['codex-1', 'codex-2']),
      retry: chance.pick([null, { delaysMs: [5], jitter: 0.5 }]),
    },
    {
      type: 'UPDATE',
      maxConcurrentRuns: chance.whole(1, 5),
      wakeOnDemand: chance.is(0.5),
      adapterType: 'process',
    },
    ...(chance.is(0.2) ? [{ type: 'TERMINATE', reason: 'gone' }] : []),
  ]);
  return { event, by: OPERATOR };
}

interface IssueLike {
  readonly assignee: string | null;
  readonly fence: number;
  readonly n: number;
  readonly run: { readonly n: number } | null;
  readonly detached: { readonly n: number; readonly agent: string; readonly fence: number } | null;
}

function issuesEvent(now: Version, chance: Chance): { event: Event; by: Actor } {
  const c = now.state.context as IssueLike;
  const whose =
    c.detached !== null && chance.is(0.5)
      ? c.detached
      : { n: c.run?.n ?? c.n, fence: c.fence, agent: c.assignee ?? A };
  const word = { runId: `${ISSUE}.${Math.max(1, whose.n)}`, fence: whose.fence };
  const worker: Actor = { kind: 'agent', id: whose.agent };
  const transient = { errorFamily: 'transient_upstream', error: '429' };
  const drawn = chance.weighed({ grant: 5, worker: 5, operator: 6, runtime: 2 });
  if (drawn === 'grant') return { event: { type: 'GRANT', claim: `c${chance.whole(1, 9)}` }, by: SYSTEM };
  if (drawn === 'worker') {
    const event = chance.pick<Event>([
      { type: 'RUN.SUCCEEDED', ...word },
      { type: 'RUN.SUCCEEDED', ...word, resolution: 'open', result: { patch: 'x', files: [1, null] } },
      { type: 'RUN.FAILED', ...word, ...transient },
      { type: 'RUN.FAILED', ...word, ...transient, errorCode: 'codex_transient_upstream' },
      { type: 'RUN.FAILED', ...word, ...transient, resultJson: { retryNotBefore: T0 + 9_000_000 } },
      { type: 'RUN.FAILED', ...word, error: 'no such file' },
      { type: 'RUN.FAILED', ...word, error: 'x', errorCode: 'process_lost' },
      { type: 'RUN.STOPPED', ...word },
      { type: 'COMPLETE', fence: c.fence },
      { type: 'ASSIGN', agentId: chance.pick([...AGENTS, null]) },
      { type: 'WAKE', reason: 'mine' },
      { type: 'COMMENT', body: 'half done' },
    ]);
    return { event, by: worker };
  }
  if (drawn === 'runtime') {
    const of = { runId: `${ISSUE}.${Math.max(1, whose.n)}` };
    const event = chance.pick<Event>([
      { type: 'LEASE.EXPIRED', ...of },
      { type: 'STOPPED', ...of, how: 'grace' },
      { type: 'AGENT.PAUSED', agentId: c.assignee ?? A },
      { type: 'AGENT.TERMINATED', agentId: c.assignee ?? A },
      { type: RETRY_DUE },
    ]);
    return { event, by: SYSTEM };
  }
  const reopen = chance.is(0.5) ? { reopen: true } : {};
  const event = chance.pick<Event>([
    {
      type: 'WAKE',
      reason: `r${chance.whole(0, 40)}`,
      ...reopen,
      human: chance.is(0.5),
      payload: { a: [1] },
    },
    {
      type: 'WAKE',
      reason: 'again',
      source: chance.pick(['assignment', 'automation', 'on_demand', 'comment']),
    },
    ...[...AGENTS, null].map((agentId) => ({ type: 'ASSIGN', agentId, reason: 'better suited' })),
    { type: 'COMMENT', body: 'look here', ...reopen },
    { type: 'PRIORITY', priority: chance.pick(['critical', 'high', 'medium', 'low']) },
    { type: 'EDIT', title: `title ${chance.whole(1, 9)}`, context: { n: chance.whole(1, 9) } },
    ...['CANCEL', 'COMPLETE', 'REOPEN', 'REOPEN', 'RETRY.NOW', 'RETRY.CANCEL', 'FORCE_RELEASE'].map(
      (type) => ({ type }),
    ),
  ]);
  return { event, by: OPERATOR };
}
