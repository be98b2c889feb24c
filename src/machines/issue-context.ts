/**
 * What an issue remembers. It is written on every turn, so it is compact: ordinals in place of ids, the run's agent is
 * the assignee, the retry's wake is made from its run, and what can be left out is left out. Only what is nullable at
 * the top level is null, because an `assign` cannot take a key away.
 *
 * Invariants (cited by the tests):
 * I1 The lock is the state: `run` is not null exactly in running and scheduled-retry (the lock is derived from it).
 * I2 `fence` only grows: entering and leaving executing raise it.
 * I3 At most one detached run, and none in executing or queued.
 * I4 An accepted wake is in `wakes` (or is its run's `wake`) until it is delivered to one run or dropped with a reason.
 * I5 A current run is the assignee's: `run` implies `assignee`.
 * I6 `wakes`, with the retry's own, are at most `MAX_WAITING`.
 */
import { z } from 'zod';
import { isoOf } from './iso.ts';
import type { Out } from './kind.ts';

/** Wakes that may wait at once (domain.md section 1). */
export const MAX_WAITING = 32;
/** Wakes of predecessors that a run still carries: without a bound a long chain of runs would grow its row for ever. */
const MAX_TOLD = 32;

export const wakeSource = z.enum(['assignment', 'automation', 'on_demand', 'comment']);
export type WakeSource = z.infer<typeof wakeSource>;

const count = z.int().min(0);
const causes = z.enum([
  'operator',
  'issue_reassigned',
  'issue_cancelled',
  'issue_done',
  'agent_paused',
  'agent_terminated',
  'superseded',
  'infrastructure',
]);
const modes = z.enum(['same_session', 'safer_invocation', 'fresh_session', 'fresh_session_safer_invocation']);

const wakeSchema = z.strictObject({
  /** Ordinal among the issue's wakes: its id is the issue's id, `.w` and this. */
  n: count,
  reason: z.string(),
  src: wakeSource,
  at: z.int(),
  human: z.literal(true).exactOptional(),
  payload: z.json().exactOptional(),
  /** Further wakes of the same reason that were merged into it when there was no room. */
  merged: count.exactOptional(),
});
export type Wake = z.infer<typeof wakeSchema>;

const runSchema = z.strictObject({
  /** Ordinal among the issue's runs: its id is the issue's id, `.` and this. */
  n: count,
  /** The issue's spent budget when it was created. */
  attempt: count,
  src: z.enum(['assignment', 'automation', 'on_demand']),
  at: z.int(),
  /** Ordinal of the run it retries. */
  of: count.exactOptional(),
  /** When it first became queued. */
  queued: z.int().exactOptional(),
  start: z.int().exactOptional(),
  /** leaseMs of its agent when it was granted. */
  lease: z.int().exactOptional(),
  claim: z.string().nullable().exactOptional(),
  /** While it waits for its due time. */
  retry: z
    .strictObject({ due: z.int(), reason: z.enum(['transient_failure', 'process_lost']) })
    .exactOptional(),
  /** Ordinal of the wake made with it as a retry, until that is delivered. */
  wake: count.exactOptional(),
  mode: modes.exactOptional(),
  /** `retryNotBefore`, epoch ms. */
  notBefore: z.int().exactOptional(),
  /** Wakes delivered to it. */
  wakes: z.array(wakeSchema).exactOptional(),
  /** Wakes its predecessors were told, oldest first. */
  told: z.array(wakeSchema).exactOptional(),
});
export type Run = z.infer<typeof runSchema>;

const detachedSchema = z.strictObject({
  n: count,
  agent: z.string(),
  /** The fence it was granted with, by which its last word is known. */
  fence: count,
  cause: causes,
  /** When it is given up, and the grace it was told; absent: it was left to finish and has been told nothing. */
  until: z.int().exactOptional(),
  grace: z.int().exactOptional(),
  /** Its run, while that has not ended: one left to finish. */
  run: runSchema.exactOptional(),
});
export type Detached = z.infer<typeof detachedSchema>;

export const issueContextSchema = z.strictObject({
  id: z.string(),
  /** Ordinal of the last run, and of the last wake. */
  n: count,
  w: count,
  fence: count,
  /** Automatic retries spent of the budget; `max` is the budget by the policy last read. */
  attempt: count,
  max: count,
  assignee: z.string().nullable(),
  priority: z.int().min(0).max(3),
  run: runSchema.nullable(),
  detached: detachedSchema.nullable(),
  /** Waiting wakes, oldest first. */
  wakes: z.array(wakeSchema).max(MAX_WAITING),
  error: z
    .strictObject({
      error: z.string(),
      errorCode: z.string().nullable(),
      errorFamily: z.string().nullable(),
      at: z.int(),
    })
    .nullable(),
  /** Why it last fell idle, until work begins or an assignee is set. */
  fell: z.enum(['failed', 'retry_exhausted', 'agent_terminated']).nullable(),
  /** When it last changed, epoch ms. */
  at: z.int(),
});
export type IssueState = z.infer<typeof issueContextSchema>;

/** The context inside the machine: `out` is what the transition announces, taken off by `step()`. */
export type IssueContext = IssueState & { out?: Out[] };
/** A context being changed: top-level keys are written, what hangs below them is replaced and never written into. */
export type Draft = IssueState & { out: Out[] };

/** The head of an issue: what rarely changes. */
export const issueHead = z.strictObject({
  identifier: z.string(),
  title: z.string(),
  context: z.json(),
  createdAt: z.int(),
});
export type IssueHead = z.infer<typeof issueHead>;

/** The context before birth. `max` is domain.md's ladder until an agent's policy has been read. */
export const UNBORN: IssueContext = {
  id: '',
  n: 0,
  w: 0,
  fence: 0,
  attempt: 0,
  max: 4,
  assignee: null,
  priority: 2,
  run: null,
  detached: null,
  wakes: [],
  error: null,
  fell: null,
  at: 0,
};

export type Leaf =
  | 'idle'
  | 'running.queued'
  | 'running.executing'
  | 'running.stopping'
  | 'scheduled-retry'
  | 'cancelled'
  | 'done';

/** A persisted issue's state as one dotted name. */
export function leafOf(value: unknown): Leaf {
  return (typeof value === 'string' ? value : `running.${(value as { running: string }).running}`) as Leaf;
}

export function runId(issueId: string, n: number): string {
  return `${issueId}.${n}`;
}

export function wakeId(issueId: string, n: number): string {
  return `${issueId}.w${n}`;
}

/** A wake as the wire shows it. */
export function wakeView(issueId: string, wake: Wake) {
  return {
    id: wakeId(issueId, wake.n),
    reason: wake.reason,
    source: wake.src,
    human: wake.human === true,
    payload: wake.payload ?? null,
    at: wake.at,
    ...(wake.merged === undefined ? {} : { merged: wake.merged }),
  };
}

/** The wake made with a retry's run and bound to it. */
export function retryWake(issueId: string, run: Run): Wake | null {
  if (run.wake === undefined || run.of === undefined) return null;
  return {
    n: run.wake,
    reason: 'retry',
    src: 'automation',
    at: run.at,
    payload: { retryOfRunId: runId(issueId, run.of), ...fallbackFields(run) },
  };
}

/** All that waits: the retry's own wake first, it is the oldest claim on the run. */
export function waitingWakes(c: IssueState): Wake[] {
  const own = c.run ? retryWake(c.id, c.run) : null;
  return own ? [own, ...c.wakes] : c.wakes;
}

/** What a run's successor is told of the past: at most `MAX_TOLD` wakes, the newest ones. */
export function toldBy(run: Run): Wake[] {
  return [...(run.told ?? []), ...(run.wakes ?? [])].slice(-MAX_TOLD);
}

/** What a run's worker is told of the past and of how to go about it: stays with the run for good. */
export function contextSnapshot(issueId: string, run: Run): Record<string, unknown> {
  const wakes = [...(run.told ?? []), ...(run.wakes ?? [])].map((wake) => wakeView(issueId, wake));
  const isRetry = run.of !== undefined || run.mode !== undefined || run.notBefore !== undefined;
  return isRetry ? { wakes, ...fallbackFields(run) } : { wakes };
}

function fallbackFields(run: Run) {
  return {
    codexTransientFallbackMode: run.mode ?? null,
    transientRetryNotBefore: run.notBefore === undefined ? null : isoOf(run.notBefore),
  };
}
