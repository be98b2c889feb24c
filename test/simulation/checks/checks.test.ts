/** Each check passes what really happened and finds what is tampered with: a check must be able to fail. */
import { beforeAll, describe, expect, it } from 'vitest';
import { live } from '../history.ts';
import type { Frame, Listened, Seen } from '../world/witness.ts';
import { CHECKS, type CheckName } from './checks.ts';
import { type Evidence, replayAll, type Step } from './evidence.ts';
import { shows } from './topics.ts';

/** A busy history with retries, subscribers and grants. */
const SEED = 184;

let real: Evidence;
beforeAll(async () => {
  real = (await live(SEED)).evidence;
});

/** The journal with one entry changed, left out (null) or followed by others. */
function journal(of: (seen: Seen) => boolean, change: (seen: Seen) => Seen[]): Evidence {
  let done = false;
  const entries = real.entries.flatMap((seen) => {
    if (done || !of(seen)) return [seen];
    done = true;
    return change(seen);
  });
  expect(done).toBe(true);
  return { ...real, entries };
}

const has = (effect: string) => (seen: Seen) => seen.json.effects.some(({ type }) => type === effect);
const without = (seen: Seen, effect: string): Seen => ({
  ...seen,
  json: { ...seen.json, effects: seen.json.effects.filter(({ type }) => type !== effect) },
});
const withRow = (seen: Seen, row: Partial<Seen['row']>): Seen => ({ ...seen, row: { ...seen.row, ...row } });

/** The steps with the entries of a changed journal: what was replayed stays. */
function told(evidence: Evidence): Evidence {
  const seen = new Map(evidence.entries.map((one) => [`${one.row.actorId}@${one.row.version}`, one]));
  const steps = real.steps.map((step) => ({
    ...step,
    seen: seen.get(`${step.seen.row.actorId}@${step.seen.row.version}`) ?? step.seen,
  }));
  return { ...evidence, steps };
}

function stepped(
  of: (step: Step) => boolean,
  change: (context: Record<string, unknown>) => object,
): Evidence {
  let done = false;
  const steps = real.steps.map((step) => {
    if (done || !of(step)) return step;
    done = true;
    const context = { ...(step.after.state.context as object), ...change(step.after.state.context as never) };
    return { ...step, after: { ...step.after, state: { ...step.after.state, context } } };
  });
  expect(done).toBe(true);
  return { ...real, steps };
}

/** The first subscription with changes, its frames changed. */
function heard(change: (frames: Frame[]) => Frame[]): Evidence {
  const one = real.listened.find(({ frames }) => frames.filter((f) => f.is === 'change').length > 3)!;
  const listened = real.listened.map((l) => (l === one ? { ...one, frames: change([...one.frames]) } : l));
  return { ...real, listened };
}

const NEVER = 10 ** 15;

const TAMPERED: readonly [CheckName, string, () => Evidence][] = [
  ['P1', 'a run is granted while another holds', () => journal(has('lock.acquired'), (seen) => [seen, seen])],
  [
    'P1',
    'a report with an old fence is believed',
    () =>
      journal(
        ({ json }) => json.type === 'RUN.FAILED' || json.type === 'RUN.SUCCEEDED',
        (seen) => [{ ...seen, json: { ...seen.json, event: { ...seen.json.event, fence: 0 } as never } }],
      ),
  ],
  [
    'P2',
    'a version is missing',
    () =>
      journal(
        (seen) => seen.row.version === 2,
        () => [],
      ),
  ],
  [
    'P2',
    'an epoch falls',
    () =>
      journal(
        (seen) => seen.row.version === 3,
        (seen) => [withRow(seen, { epoch: 1 })],
      ),
  ],
  ['P2', 'a stale owner answers', () => ({ ...real, slips: [{ what: 'stale', detail: 'x' }] })],
  [
    'P3',
    'an acknowledged version is not in the journal',
    () => ({ ...real, told: real.told.map((t) => (t.is === 'accepted' ? { ...t, version: NEVER } : t)) }),
  ],
  [
    'P3',
    'a key is applied twice',
    () =>
      journal(
        ({ json }) => json.key !== undefined,
        (seen) => [seen, withRow(seen, { version: NEVER })],
      ),
  ],
  [
    'P3',
    'something is said before it is committed',
    () => ({ ...real, slips: [{ what: 'uncommitted', detail: 'x' }] }),
  ],
  [
    'P4',
    'a retry fires early by the database’s clock',
    () =>
      told(
        journal(
          ({ json }) => json.type === 'RETRY.DUE',
          (seen) => [{ ...seen, appliedAt: seen.appliedAt - 10_000 }],
        ),
      ),
  ],
  ['P4', 'something due is left', () => ({ ...real, rows: real.rows.map((row) => ({ ...row, dueAt: 1 })) })],
  ['P4', 'an owner forgets what is due', () => ({ ...real, overdue: ['x'] })],
  [
    'P5',
    'a run that was cancelled is queued after all',
    () => {
      const at = real.steps.findIndex(({ seen }) => has('run.cancelled')(seen));
      const step = real.steps[at]!;
      const { data } = step.seen.json.effects.find(({ type }) => type === 'run.cancelled')!;
      const json = { ...step.seen.json, effects: [{ type: 'run.queued', data }] };
      const again = { ...step, seen: { ...step.seen, json } };
      return { ...real, steps: real.steps.toSpliced(at + 1, 0, again) };
    },
  ],
  [
    'P6',
    'a lock outlives its run',
    () =>
      stepped(
        ({ after }) => after.state.value === 'idle',
        () => ({ run: { n: 1 } }),
      ),
  ],
  [
    'P6',
    'a wait has no next event',
    () => ({ ...real, rows: real.rows.map((row) => ({ ...row, state: 'scheduled-retry', substate: null })) }),
  ],
  ['P6', 'an executing run has no lease', () => ({ ...real, unarmed: ['x'] })],
  [
    'P7',
    'an agent has fewer slots than it holds',
    () => ({
      ...real,
      steps: real.steps.map((step) => {
        if (step.kind.kind !== 'agent') return step;
        const context = { ...(step.after.state.context as object), maxConcurrentRuns: 0 };
        return { ...step, after: { ...step.after, state: { ...step.after.state, context } } };
      }),
    }),
  ],
  [
    'P8',
    'a change is left out',
    () =>
      heard((frames) =>
        frames.filter((f, n) => !(f.is === 'change' && n === frames.findIndex((g) => g.is === 'change'))),
      ),
  ],
  [
    'P8',
    'a change comes twice',
    () => heard((frames) => frames.flatMap((f): Frame[] => (f.is === 'change' ? [f, f] : [f]))),
  ],
  [
    'P8',
    'a change is not committed',
    () => heard((frames) => frames.map((f) => (f.is === 'change' ? { ...f, committed: false } : f))),
  ],
  [
    'P8',
    'prev names another than was sent before',
    () => heard((frames) => frames.map((f) => (f.is === 'change' ? { ...f, prev: -1 } : f))),
  ],
  [
    'P9',
    'a snapshot is not what the journal gives',
    () => ({ ...real, rows: real.rows.map((row) => ({ ...row, snapshot: `${row.snapshot} ` })) }),
  ],
  ['P9', 'a journal cannot be replayed', () => ({ ...real, unreplayable: ['x'] })],
  [
    'P10',
    'an event from inside comes from outside',
    () =>
      journal(
        ({ json }) => json.event.type === 'GRANT',
        (seen) => [{ ...seen, json: { ...seen.json, actor: { kind: 'operator', id: 'x' } } }],
      ),
  ],
  ['P10', 'a callback throws', () => ({ ...real, thrown: ['x'] })],
  [
    'P14',
    'somebody is answered as if it were his defect',
    () => ({ ...real, told: real.told.map((t) => ({ ...t, code: 'INTERNAL' })) }),
  ],
  [
    'P15',
    'an actor is of two companies',
    () =>
      journal(
        (seen) => seen.row.version === 2,
        (seen) => [withRow(seen, { companyId: 'c0000000000000000000000' })],
      ),
  ],
  [
    'P15',
    'an issue is assigned to a foreign agent',
    () =>
      stepped(
        (step) => step.kind.kind === 'issue',
        () => ({ assignee: 'a0000000000000000000000' }),
      ),
  ],
  [
    'P15',
    'another company’s agent is believed',
    () => ({ ...real, told: real.told.map((t) => ({ ...t, of: 'c0000000000000000000000' })) }),
  ],
  [
    'wakes',
    'a wake is delivered to nobody',
    () => told(journal(has('wake.delivered'), (seen) => [without(seen, 'wake.delivered')])),
  ],
  [
    'wakes',
    'a wake comes out of nowhere',
    () => told(journal(has('wake.accepted'), (seen) => [without(seen, 'wake.accepted')])),
  ],
  ['answers', 'a call is never answered', () => ({ ...real, stuck: ['x'] })],
  [
    'answers',
    'a first answer shows what came after it',
    () => ({
      ...real,
      told: real.told.map((t) => (t.is === 'accepted' ? { ...t, shown: Number(t.version) + 1 } : t)),
    }),
  ],
  [
    'answers',
    'a repeat is shown what was before it',
    () => ({ ...real, told: real.told.map((t) => ({ ...t, is: 'duplicate', version: NEVER }) as const) }),
  ],
  ['answers', 'something throws', () => ({ ...real, surprises: ['x'] })],
];

describe('a check', () => {
  it.each(Object.keys(CHECKS) as CheckName[])('%s passes what really happened', (name) => {
    expect(CHECKS[name](real)).toEqual([]);
  });

  it.each(TAMPERED)('%s finds that %s', (name, _what, tampered) => {
    expect(CHECKS[name](tampered()).length).toBeGreaterThan(0);
  });
});

it.each([
  ['narrowed by a filter', 30, ({ where }: Listened) => where !== null],
  ['of an agent', 27, ({ topic }: Listened) => topic === 'agent'],
] as const)('P8 finds that a topic %s hides what left it', async (_what, seed, isMeant) => {
  const { evidence } = await live(seed);
  expect(CHECKS.P8(evidence)).toEqual([]);
  const { steps } = evidence;
  const leaves = (one: Listened, frame: Frame) => {
    if (frame.is !== 'change' || !frame.actorId.startsWith('i')) return false;
    const is = ({ seen }: Step) => seen.row.actorId === frame.actorId && seen.row.version === frame.version;
    const step = steps.find(is)!;
    return !shows(one, { seen: step.seen, step });
  };
  let hidden = 0;
  const listened = evidence.listened.map((one) => {
    if (!isMeant(one)) return one;
    const frames = one.frames.filter((frame) => !leaves(one, frame));
    hidden += one.frames.length - frames.length;
    return { ...one, frames };
  });
  expect(hidden).toBeGreaterThan(0);
  expect(CHECKS.P8({ ...evidence, listened }).join('\n')).toMatch(/was (never )?sent/);
});

it('says which actor cannot be replayed, and goes on with the others', () => {
  const broken = real.entries.map((seen, n) =>
    n === 0 ? { ...seen, json: { ...seen.json, event: { type: 'NO.SUCH' } } } : seen,
  );
  const { steps, unreplayable } = replayAll(broken, real.kinds);
  expect(unreplayable[0]).toContain(real.entries[0]!.row.actorId);
  expect(steps.length).toBeGreaterThan(0);
});
