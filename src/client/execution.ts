/**
 * One granted run in a worker's hands, from the grant to its report.
 *
 *     working ──function settles──► reporting ──answered──► over
 *        └─ stop frame, FENCED heartbeat ─► stopping ──function settles──► reporting (RUN.STOPPED)
 *
 * Invariants: 1 a run is reported once, and as RUN.STOPPED if its authority was gone when the function settled; 2 the
 * slot is kept until the function settles, however long the server has stopped waiting; 3 the report is repeated with
 * one key until it is answered or refused for good.
 */
import type { IssueEvent } from '../machines/events.ts';
import type { GrantView } from '../machines/view.ts';
import type { Client } from './client.ts';
import type { Chance, ClientClock } from './clock.ts';
import { isRetryable, RemoteError } from './remote-error.ts';
import { RunLog, type SendLines } from './run-log.ts';
import {
  failureEvent,
  type RunOutcome,
  type RunResult,
  successEvent,
  TransientError,
} from './run-outcome.ts';
import { storable } from './storable.ts';

/** Heartbeats in a lease: two may be lost before the run is. */
const BEATS_PER_LEASE = 3;
/** A report is tried this long per attempt, and attempts follow each other until the client is closed. */
const REPORT_ATTEMPT_MS = 60_000;
/** Progress and notes are gathered for so long before they are sent. */
const GATHER_MS = 500;

/** Why `signal` was aborted: `signal.reason`. */
export class RunStopped extends Error {
  /** Of the stop frame (`issue_reassigned`, `issue_cancelled`, …), `fenced`, or `worker_closed`. */
  readonly stopCause: string;
  /** How long the server waits for the worker, ms from then. */
  readonly graceMs: number;
  constructor(stopCause: string, graceMs: number) {
    super(`The run must end: ${stopCause}.`);
    this.name = 'RunStopped';
    this.stopCause = stopCause;
    this.graceMs = graceMs;
  }
}

/** What `run` gets beside its grant. */
export interface RunTools {
  /** Aborted when the run must end; its reason is a RunStopped. */
  signal: AbortSignal;
  /** 0..1, shown with the issue. */
  progress(done: number): void;
  /** One line about what is being done, shown with the issue, ≤ 500 characters. */
  note(text: string): void;
  /** Appends a line to the run's log. Resolves when there is room for more: whoever prints a lot waits for it. */
  log(text: string, stream?: string): Promise<void>;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a worker's function may return nothing at all
type Returned = RunResult | undefined | void;

export type RunFunction = (grant: GrantView, tools: RunTools) => Returned | Promise<Returned>;

export class Execution {
  readonly runId: string;
  readonly fence: number;
  readonly #grant: GrantView;
  readonly #client: Client;
  readonly #clock: ClientClock;
  readonly #abort = new AbortController();
  readonly #log: RunLog;
  #cancelBeat = () => {};
  #progress: number | null = null;
  #note: string | null = null;

  constructor(grant: GrantView, client: Client, clock: ClientClock, chance: Chance) {
    this.#grant = grant;
    this.runId = grant.run.id;
    this.fence = grant.fence;
    this.#client = client;
    this.#clock = clock;
    const send: SendLines = (lines, key) => client.http.appendLog(this.runId, this.fence, lines, key);
    this.#log = new RunLog(send, clock, chance);
  }

  /** Runs `f` to its end and reports it. Never rejects. */
  async carryOut(f: RunFunction): Promise<RunOutcome> {
    this.#beatIn(this.#beatMs);
    const settled = await this.#call(f);
    // Before the report, which ends the run's right to log; the heart beats on meanwhile.
    await this.#log.end();
    this.#cancelBeat();
    const reason = this.#abort.signal.reason;
    const isStopped = reason instanceof RunStopped && reason.stopCause !== WORKER_CLOSED;
    if (isStopped) return this.#reportStop(reason.stopCause);
    return 'error' in settled ? this.#reportFailure(settled.error) : this.#reportSuccess(settled.value);
  }

  /** The run has lost its authority (or the worker is closing): tells the function, once. */
  stop(cause: string, graceMs: number): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(new RunStopped(cause, graceMs));
  }

  async #call(f: RunFunction): Promise<{ value: RunResult | undefined } | { error: unknown }> {
    try {
      return { value: (await f(this.#grant, this.#tools())) ?? undefined };
    } catch (error) {
      const closing = error instanceof RunStopped && error.stopCause === WORKER_CLOSED;
      return { error: closing ? new TransientError(error.message, { errorCode: WORKER_CLOSED }) : error };
    }
  }

  #tools(): RunTools {
    return {
      signal: this.#abort.signal,
      progress: (done) => {
        this.#progress = Math.min(1, Math.max(0, done));
        this.#beatIn(GATHER_MS);
      },
      note: (text) => {
        this.#note = storable(text, 500);
        this.#beatIn(GATHER_MS);
      },
      log: (text, stream = 'stdout') => this.#log.add(text, stream),
    };
  }

  get #beatMs(): number {
    return this.#grant.leaseMs / BEATS_PER_LEASE;
  }

  #beatIn(ms: number): void {
    this.#cancelBeat();
    this.#cancelBeat = this.#clock.after(Math.min(ms, this.#beatMs), () => void this.#beat());
  }

  async #beat(): Promise<void> {
    this.#beatIn(this.#beatMs);
    const said = {
      ...(this.#progress === null ? {} : { progress: this.#progress }),
      ...(this.#note === null ? {} : { note: this.#note }),
    };
    try {
      const beat = { type: 'RUN.HEARTBEAT', runId: this.runId, fence: this.fence, ...said } as const;
      await this.#client.event(this.#grant.issue.id, beat, { key: null, timeoutMs: this.#beatMs });
    } catch (error) {
      // Anything retryable is answered by the next beat; a run that is over elsewhere must stop here too.
      const isOver = error instanceof RemoteError && (error.code === 'FENCED' || error.code === 'NOT_FOUND');
      if (isOver) {
        this.#cancelBeat();
        this.stop('fenced', 0);
      }
    }
  }

  async #reportStop(cause: string): Promise<RunOutcome> {
    const sent = await this.#report({ type: 'RUN.STOPPED', runId: this.runId, fence: this.fence });
    // Refused (FENCED) means that nobody waits for it any more: it is over either way.
    return { is: 'stopped', cause, answer: sent.is === 'answered' ? sent.answer : null };
  }

  async #reportSuccess(value: RunResult | undefined): Promise<RunOutcome> {
    const sent = await this.#report(successEvent(this, value));
    if (sent.is === 'refused' && (sent.error.code === 'VALIDATION' || sent.error.code === 'TOO_LARGE')) {
      return this.#reportFailure(
        Object.assign(new Error(`The result was not accepted: ${sent.error.message}`), {
          code: 'result_refused',
        }),
      );
    }
    return sent.is === 'answered' ? { is: 'succeeded', answer: sent.answer } : sent;
  }

  async #reportFailure(error: unknown): Promise<RunOutcome> {
    const sent = await this.#report(failureEvent(this, error));
    return sent.is === 'answered' ? { is: 'failed', answer: sent.answer } : sent;
  }

  async #report(event: IssueEvent) {
    // One key for all repeats of this report, another for a different report of the same run.
    const key = `${event.type}:${this.runId}:${this.fence}`;
    for (;;) {
      try {
        const options = { key, timeoutMs: REPORT_ATTEMPT_MS };
        const answer = await this.#client.event(this.#grant.issue.id, event, options);
        return { is: 'answered', answer } as const;
      } catch (error) {
        const failed = error as RemoteError;
        if (!isRetryable(failed) || failed.detail.over === true)
          return { is: 'refused', error: failed } as const;
      }
    }
  }
}

/** The cause a closing worker gives its runs when their time is up: they fail transiently, so they are retried. */
export const WORKER_CLOSED = 'worker_closed';
