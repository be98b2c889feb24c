/** Defects of the machines and their judge. */
import { type AnyStateMachine, assign, createMachine } from 'xstate';
import type { AnyKind } from '../../../src/supervisor/resident.ts';
import type { Mutant } from './mutant.ts';

function issueWith(change: (issue: AnyKind) => Partial<AnyKind>): NonNullable<Mutant['kinds']> {
  return (kinds) => kinds.map((kind) => (kind.kind === 'issue' ? { ...kind, ...change(kind) } : kind));
}

/** The issue's chart with another answer to one event of one state. */
function charted(issue: AnyKind, state: string, on: Record<string, unknown>): AnyStateMachine {
  const { machine } = issue;
  const config = structuredClone(machine.config) as {
    states: Record<string, { on: Record<string, unknown> }>;
  };
  Object.assign(config.states[state]!.on, on);
  return createMachine(config as never, machine.implementations as never) as AnyStateMachine;
}

let drawn = 0;

export const KIND_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-fence-check',
    breaks: 'whoever reports on the issue is believed, whatever its run and fence',
    killedBy: 'P1',
    seeds: [35, 51],
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
    seeds: [9],
    kinds: issueWith((issue) => ({
      machine: charted(issue, 'scheduled-retry', { CANCEL: { actions: 'close' } }),
    })),
  },
  {
    name: 'reassigned-retry-goes-on',
    breaks: 'a reassigned issue keeps the retry of its previous agent',
    killedBy: 'P5',
    seeds: [12, 24],
    kinds: issueWith((issue) => ({
      machine: charted(issue, 'scheduled-retry', { ASSIGN: { actions: 'assign' } }),
    })),
  },
  {
    name: 'wake-swallowed',
    breaks: 'a wake sent to an executing run is taken for delivered and forgotten (Paperclip 4996)',
    killedBy: 'wakes',
    seeds: [1],
    kinds: issueWith((issue) => ({
      machine: charted(issue, 'running', { WAKE: { actions: 'noteEarly' } }),
    })),
  },
  {
    name: 'chance-in-an-assign',
    breaks: 'a change of priority notes a time that is not the stamp’s',
    killedBy: 'P9',
    seeds: [25],
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
    seeds: [125],
    kinds: issueWith((issue) => ({
      machine: charted(issue, 'scheduled-retry', { FORCE_RELEASE: { target: 'idle', actions: 'noteEarly' } }),
    })),
  },
];
