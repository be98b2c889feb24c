/**
 * Wakes: reasons to work on the issue. One is accepted with an ordinal, waits, and ends delivered to exactly one run
 * or dropped with a reason (I4). Delivery is at the grant: what is coalesced into a run that never starts moves on.
 */
import { effect } from './announce.ts';
import {
  type Draft,
  MAX_WAITING,
  type Run,
  retryWake,
  runId,
  type Wake,
  type WakeSource,
  waitingWakes,
  wakeId,
} from './issue-context.ts';
import type { IssueMachineEvent } from './issue-events.ts';

/** What an event asks for as a wake. */
export interface Asked {
  readonly reason: string;
  readonly source: WakeSource;
  readonly human: boolean;
  readonly reopen: boolean;
  readonly payload?: Wake['payload'];
}

/**
 * The wake an event brings, or null. `human` and `reopen` are honoured from operators only: an agent cannot reset its
 * own budget. An agent's comment wakes nobody.
 */
export function askedBy(event: IssueMachineEvent): Asked | null {
  const operator = event.by.kind === 'operator';
  switch (event.type) {
    case 'WAKE':
      return {
        reason: event.reason,
        source: event.source ?? 'on_demand',
        human: operator && event.human === true,
        reopen: operator && event.reopen === true,
        ...(event.payload === undefined ? {} : { payload: event.payload as Wake['payload'] }),
      };
    case 'COMMENT':
      if (!operator) return null;
      return {
        reason: 'comment',
        source: 'comment',
        human: true,
        reopen: event.reopen === true,
        payload: { commentId: event.stamp.ids[0] ?? null },
      };
    case 'RETRY.NOW':
      return { reason: 'retry_now', source: 'on_demand', human: true, reopen: false };
    default:
      return null;
  }
}

/** How a run begun for this wake came about; a comment is somebody asking. */
export function invocationOf(source: WakeSource): Run['src'] {
  return source === 'comment' ? 'on_demand' : source;
}

/** Takes a wake in; it waits. A human one resets the budget. `joins`: it goes to the run that has not started yet. */
export function acceptWake(d: Draft, asked: Asked, joins: boolean): void {
  if (asked.human) {
    d.attempt = 0;
    if (d.fell === 'retry_exhausted') d.fell = null;
  }
  const room = MAX_WAITING - (d.run?.wake === undefined ? 0 : 1);
  if (d.wakes.length >= room && mergeWake(d, asked)) return;
  d.w += 1;
  const wake: Wake = {
    n: d.w,
    reason: asked.reason,
    src: asked.source,
    at: d.at,
    ...(asked.human ? { human: true as const } : {}),
    ...(asked.payload === undefined ? {} : { payload: asked.payload }),
  };
  effect(d, 'wake.accepted', wakeData(d.id, wake));
  d.wakes = [...d.wakes, wake];
  if (joins && d.run) effect(d, 'wake.coalesced', { runId: runId(d.id, d.run.n), ...wakeData(d.id, wake) });
  makeRoom(d, room);
}

/** Into a waiting wake of the same reason, which then carries the newer payload; false when there is none. */
function mergeWake(d: Draft, asked: Asked): boolean {
  const i = d.wakes.findIndex((w) => w.reason === asked.reason && (w.human === true) === asked.human);
  const into = d.wakes[i];
  if (!into) return false;
  const merged: Wake = {
    ...into,
    at: d.at,
    merged: (into.merged ?? 0) + 1,
    ...(asked.payload === undefined ? {} : { payload: asked.payload }),
  };
  d.wakes = d.wakes.with(i, merged);
  effect(d, 'wake.coalesced', { merged: merged.merged, ...wakeData(d.id, merged) });
  return true;
}

/** Drops the oldest machine wakes – people's only when there is no other – until `room` are left. */
export function makeRoom(d: Draft, room: number): void {
  while (d.wakes.length > room) {
    const machine = d.wakes.findIndex((w) => w.human !== true);
    dropWake(d, d.wakes[Math.max(machine, 0)] as Wake, 'overflow');
  }
}

/** Hands all that waits to the run being started. */
export function deliverWakes(d: Draft, run: Run): Wake[] {
  const wakes = waitingWakes(d);
  for (const wake of wakes) {
    effect(d, 'wake.delivered', { runId: runId(d.id, run.n), ...wakeData(d.id, wake) });
  }
  d.wakes = [];
  return wakes;
}

function dropWake(d: Draft, wake: Wake, reason: string): void {
  d.wakes = d.wakes.filter((w) => w !== wake);
  effect(d, 'wake.dropped', { cause: reason, ...wakeData(d.id, wake) });
}

/** The issue closes: machine wakes end here, people's wait for REOPEN. */
export function dropMachineWakes(d: Draft): void {
  for (const wake of d.wakes) if (wake.human !== true) dropWake(d, wake, 'issue_closed');
}

/** A retry's own wake ends with its run, and with the same cause; no successor gets it. */
export function dropRetryWake(d: Draft, run: Run, cause: string): void {
  const wake = retryWake(d.id, run);
  if (wake) effect(d, 'wake.dropped', { cause, runId: runId(d.id, run.n), ...wakeData(d.id, wake) });
}

/** A wake sent to an issue that is closed and is not to be reopened. */
export function refuseWake(d: Draft, asked: Asked): void {
  d.w += 1;
  const wake: Wake = { n: d.w, reason: asked.reason, src: asked.source, at: d.at };
  effect(d, 'wake.dropped', { ...wakeData(d.id, wake), human: asked.human, cause: 'issue_closed' });
}

/** The wake made with a retry. */
export function acceptRetryWake(d: Draft, run: Run): void {
  const wake = retryWake(d.id, run);
  if (wake) effect(d, 'wake.accepted', { runId: runId(d.id, run.n), ...wakeData(d.id, wake) });
}

export function humanWaits(c: { readonly wakes: readonly Wake[] }): boolean {
  return c.wakes.some((w) => w.human === true);
}

function wakeData(issueId: string, wake: Wake) {
  return {
    wakeId: wakeId(issueId, wake.n),
    reason: wake.reason,
    source: wake.src,
    human: wake.human === true,
  };
}
