/** What a worker's function says about its run, as the event that reports it (protocol section 4). */
import type { IssueEvent } from '../machines/events.ts';
import type { EventAnswer } from './client.ts';
import type { RemoteError } from './remote-error.ts';
import { storable } from './storable.ts';

/** What `run` may return. Nothing at all means `{ resolution: 'done' }`. */
export interface RunResult {
  /** `done` (default) closes the issue, `open` leaves it idle for whoever wakes it next. */
  resolution?: 'done' | 'open';
  /** Kept with the run, ≤ 48 KiB of JSON. */
  result?: unknown;
}

/** How a run ended, as `ended` of the worker is told. */
export type RunOutcome =
  | { is: 'succeeded' | 'failed'; answer: EventAnswer }
  /**
   * Its authority was taken, and why (`issue_reassigned`, `fenced` …); the worker has answered. `answer` is null where
   * nobody waited for that any more.
   */
  | { is: 'stopped'; cause: string; answer: EventAnswer | null }
  /** The server did not accept the report: the run counts for nothing. */
  | { is: 'refused'; error: RemoteError };

/**
 * Throw this for a failure that may pass by itself (429, 503, overloaded): the issue is retried with backoff. Any other
 * thrown error is permanent and leaves the issue idle.
 */
export class TransientError extends Error {
  /** Not retried before then: Date, epoch ms or ISO text. */
  readonly retryNotBefore: Date | number | string | null;
  readonly errorCode: string | null;

  constructor(
    message: string,
    options: { retryNotBefore?: Date | number | string; errorCode?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TransientError';
    this.retryNotBefore = options.retryNotBefore ?? null;
    this.errorCode = options.errorCode ?? null;
  }
}

interface OfRun {
  runId: string;
  fence: number;
}

export function successEvent({ runId, fence }: OfRun, value: RunResult | undefined): IssueEvent {
  return {
    type: 'RUN.SUCCEEDED',
    runId,
    fence,
    resolution: value?.resolution ?? 'done',
    ...(value?.result === undefined ? {} : { result: value.result as never }),
  };
}

/** Longest `error` text the server takes. */
const ERROR_CHARS = 4096;

export function failureEvent({ runId, fence }: OfRun, error: unknown): IssueEvent {
  const message = error instanceof Error ? error.message : String(error);
  const base = {
    type: 'RUN.FAILED',
    runId,
    fence,
    error: storable(message, ERROR_CHARS) || 'It failed without saying why.',
  } as const;
  if (!(error instanceof TransientError)) {
    const code = (error as { code?: unknown } | null)?.code;
    return { ...base, ...(typeof code === 'string' && code !== '' ? { errorCode: code.slice(0, 200) } : {}) };
  }
  const { retryNotBefore, errorCode } = error;
  return {
    ...base,
    errorFamily: 'transient_upstream',
    ...(errorCode === null ? {} : { errorCode }),
    ...(retryNotBefore === null ? {} : { resultJson: { retryNotBefore: plainTime(retryNotBefore) } }),
  };
}

function plainTime(time: Date | number | string): number | string {
  return time instanceof Date ? time.toISOString() : time;
}
