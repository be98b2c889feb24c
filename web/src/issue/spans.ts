/**
 * Runs and backoffs over time, read from an issue's journal: what the effects of its rows say began and ended when.
 * Pure, so that it is tested without a page.
 */
import type { Change } from '../../../src/client/index.ts';

export type SpanKind = 'backoff' | 'queued' | 'executing' | 'stopping';
export type Outcome = 'succeeded' | 'failed' | 'cancelled' | 'lost';

export interface Span {
  readonly is: SpanKind;
  readonly from: number;
  /** Null: it lasts. */
  readonly to: number | null;
}
export interface TimelineRun {
  readonly id: string;
  /** Its number among the runs. */
  readonly n: number;
  readonly agentId: string | null;
  readonly attempt: number;
  readonly spans: readonly Span[];
  /** When a backoff is over, where it waits. */
  readonly dueAt: number | null;
  readonly end: { readonly is: Outcome; readonly at: number; readonly why: string | null } | null;
}

interface Building {
  id: string;
  n: number;
  agentId: string | null;
  attempt: number;
  spans: { is: SpanKind; from: number; to: number | null }[];
  dueAt: number | null;
  end: TimelineRun['end'];
}

const ENDS: Readonly<Record<string, Outcome>> = {
  'run.succeeded': 'succeeded',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
  'run.lost': 'lost',
};

/** Oldest run first. Runs that began before the journal's first row are there from then on only. */
export function timelineOf(journal: readonly Change[]): TimelineRun[] {
  const runs = new Map<string, Building>();
  const runOf = (data: Readonly<Record<string, unknown>>): Building | null => {
    const { runId, agentId, attempt } = data;
    if (typeof runId !== 'string') return null;
    let run = runs.get(runId);
    if (run === undefined) {
      const n = Number(runId.slice(runId.lastIndexOf('.') + 1));
      run = { id: runId, n, agentId: null, attempt: 0, spans: [], dueAt: null, end: null };
      runs.set(runId, run);
    }
    if (typeof agentId === 'string') run.agentId = agentId;
    if (typeof attempt === 'number') run.attempt = attempt;
    return run;
  };
  const close = (run: Building, at: number) => {
    const last = run.spans.at(-1);
    if (last?.to === null) last.to = at;
  };
  const begin = (run: Building, is: SpanKind, at: number) => {
    close(run, at);
    run.spans.push({ is, from: at, to: null });
  };
  for (const { at, effects } of journal) {
    for (const { type, data } of effects) {
      const run = runOf(data);
      if (run === null) continue;
      const end = ENDS[type];
      if (end !== undefined) {
        close(run, at);
        run.dueAt = null;
        run.end = { is: end, at, why: reason(data) };
      } else if (type === 'retry.scheduled') {
        begin(run, 'backoff', at);
        run.dueAt = numberOf(data.dueAt);
      } else if (type === 'retry.moved') {
        run.dueAt = numberOf(data.to);
      } else if (type === 'run.queued') {
        begin(run, 'queued', at);
        run.dueAt = null;
      } else if (type === 'run.started') begin(run, 'executing', at);
      else if (type === 'stop.sent' && numberOf(data.graceMs) !== 0) begin(run, 'stopping', at);
      else if (type === 'run.stopped') close(run, at);
    }
  }
  return [...runs.values()].sort((a, b) => a.n - b.n);
}

function reason(data: Readonly<Record<string, unknown>>): string | null {
  for (const key of ['errorCode', 'error']) if (typeof data[key] === 'string') return data[key];
  return null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400].map(
  (seconds) => seconds * 1000,
);

/** Round points in time between two others, at most `most` of them. */
export function ticksOf(from: number, to: number, most: number): number[] {
  const length = to - from;
  const step =
    STEPS.find((one) => length / one <= most) ?? Math.ceil(length / most / 86_400_000) * 86_400_000;
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  return ticks;
}
