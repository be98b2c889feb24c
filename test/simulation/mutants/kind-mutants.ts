/** Defects of the machines and their judge. */
import { type AnyStateMachine, assign, createMachine, raise } from 'xstate';
import { RETRY_DUE } from '../../../src/machines/issue-events.ts';
import type { Out } from '../../../src/machines/kind.ts';
import type { AnyKind } from '../../../src/supervisor/resident.ts';
import type { Mutant } from './mutant.ts';

function issueWith(change: (issue: AnyKind) => Partial<AnyKind>): NonNullable<Mutant['kinds']> {
  return (kinds) => kinds.map((kind) => (kind.kind === 'issue' ? { ...kind, ...change(kind) } : kind));
}

/** The issue's chart with other answers to events of some states, and actions of their own. */
function charted(
  issue: AnyKind,
  states: Record<string, Record<string, unknown>>,
  actions: Record<string, unknown> = {},
): AnyStateMachine {
  const { machine } = issue;
  const config = structuredClone(machine.config) as {
    states: Record<string, { on: Record<string, unknown> }>;
  };
  for (const [state, on] of Object.entries(states)) Object.assign(config.states[state]!.on, on);
  const { implementations } = machine;
  return createMachine(
    config as never,
    { ...implementations, actions: { ...implementations.actions, ...actions } } as never,
  ) as AnyStateMachine;
}

let drawn = 0;

export const KIND_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-fence-check',
    breaks: 'whoever reports on the issue is believed, whatever its run and fence',
    killedBy: 'P1',
    seeds: [2, 28],
    kinds: issueWith((issue) => ({
      judge(event, s) {
        const { id, run, fence } = s.context as { id: string; run: { n: number } | null; fence: number };
        const reports = event.type === 'RUN.SUCCEEDED' || event.type === 'RUN.FAILED';
        if (!reports || !run) return issue.judge(event, s);
        const verdict = issue.judge({ ...event, runId: `${id}.${run.n}`, fence }, s);
        return verdict.is === 'apply' && !verdict.event ? { is: 'apply', event } : verdict;
      },
    })),
  },
  {
    name: 'cancel-leaves-retry',
    breaks: 'cancelling an issue leaves its scheduled retry alive (Paperclip 13610)',
    killedBy: 'P5',
    seeds: [2, 5],
    kinds: issueWith((issue) => ({
      machine: charted(issue, { 'scheduled-retry': { CANCEL: { actions: 'close' } } }),
    })),
  },
  {
    name: 'reassigned-retry-goes-on',
    breaks: 'a reassigned issue keeps the retry of its previous agent',
    killedBy: 'P5',
    seeds: [25, 37],
    kinds: issueWith((issue) => ({
      machine: charted(issue, { 'scheduled-retry': { ASSIGN: { actions: 'assign' } } }),
    })),
  },
  {
    name: 'stale-timer-accepted',
    breaks: 'the timer of a cancelled retry is still believed when it fires',
    killedBy: 'P5',
    seeds: [2, 5],
    kinds: issueWith((issue) => ({
      judge: (event, s) =>
        event.type === RETRY_DUE && s.value === 'cancelled' ? { is: 'apply' } : issue.judge(event, s),
      machine: charted(
        issue,
        {
          'scheduled-retry': {
            CANCEL: { target: 'cancelled', actions: ['cancelRun', 'close', 'leaveTimer'] },
          },
          cancelled: { [RETRY_DUE]: { target: 'running', actions: ['reopen', 'queueWoken'] } },
        },
        { leaveTimer: raise({ type: RETRY_DUE } as never, { id: 'left', delay: 500 }) },
      ),
    })),
  },
  {
    name: 'release-in-a-second-commit',
    breaks: 'cancelling ends the retry, and its lock goes with whatever comes next',
    killedBy: 'P5',
    seeds: [2, 5],
    kinds: issueWith((issue) => ({
      machine: charted(
        issue,
        {
          'scheduled-retry': { CANCEL: { target: 'cancelled', actions: ['cancelRun', 'close', 'holdBack'] } },
        },
        {
          holdBack: assign(({ context }: { context: { out?: Out[] } }) => ({
            out: (context.out ?? []).filter((out) => out.out !== 'effect' || out.type !== 'lock.released'),
          })),
        },
      ),
    })),
  },
  {
    name: 'long-delay-overflow',
    breaks: 'a delay that is longer than a timer can wait comes at once (scaled down: beyond 4 s)',
    killedBy: 'P4',
    seeds: [2, 5],
    kinds: issueWith((issue) => {
      const { delays } = issue.machine.implementations;
      const retryDelay = delays.retryDelay as unknown as (...args: unknown[]) => number;
      return {
        machine: issue.machine.provide({
          delays: {
            retryDelay: (...args: unknown[]) => {
              const ms = retryDelay(...args);
              return ms > 4000 ? 1 : ms;
            },
          },
        } as never) as AnyStateMachine,
      };
    }),
  },
  {
    name: 'wake-swallowed',
    breaks: 'a wake sent to an executing run is taken for delivered and forgotten (Paperclip 4996)',
    killedBy: 'wakes',
    seeds: [1, 2],
    kinds: issueWith((issue) => ({
      machine: charted(issue, { running: { WAKE: { actions: 'noteEarly' } } }),
    })),
  },
  {
    name: 'chance-in-an-assign',
    breaks: 'a change of priority notes a time that is not the stamp’s',
    killedBy: 'P9',
    seeds: [20, 26],
    kinds: issueWith((issue) => ({
      machine: issue.machine.provide({
        actions: {
          prioritise: assign(({ context }: { context: { priority: number } }) => ({
            priority: (context.priority + 1) % 4,
            at: ++drawn,
          })) as never,
        },
      }) as AnyStateMachine,
    })),
  },
  {
    name: 'lock-kept-after-run',
    breaks: 'force release leaves the lock where it was',
    killedBy: 'P6',
    seeds: [110],
    kinds: issueWith((issue) => ({
      machine: charted(issue, {
        'scheduled-retry': { FORCE_RELEASE: { target: 'idle', actions: 'noteEarly' } },
      }),
    })),
  },
  {
    name: 'run-end-hidden-from-agent',
    breaks: 'a subscriber of an agent is not sent the change with which its run ends',
    killedBy: 'P8',
    seeds: [5, 10],
    kinds: issueWith((issue) => ({ watchers: (_before, after) => issue.watchers(null, after) })),
  },
];
