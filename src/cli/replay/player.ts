/**
 * Plays one incident's plan through the public protocol, a step at a time, each after the answer to the one before. What
 * an operator does goes over an operator's socket, what a worker says over that worker's. Keeps what was acknowledged,
 * so that the check can look for it in the journal.
 */
import type { Client, EventAnswer } from '../../client/client.ts';
import type { Clock } from '../../clock.ts';
import type { IssueEvent } from '../../machines/events.ts';
import type { IssueState } from '../../machines/view.ts';
import type { Crew, Hand } from './crew.ts';
import type { Plan, Step } from './plan.ts';

/** An acknowledged event: the version it was promised and its type. `line`: the row it came from. */
export interface Ack {
  readonly version: number;
  readonly type: string;
  readonly line: number;
  readonly outOfRetry: boolean;
}

/** One incident being played. */
export interface Play {
  readonly plan: Plan;
  readonly issueId: string;
  readonly acks: Ack[];
  /** Why it could not be played to its end, null while it can. */
  problem: string | null;
}

/** The run of `work` must be granted within this; queues of a replay are short. */
const GRANT_MS = 120_000;

export class Player {
  readonly #operators: readonly Client[];
  readonly #crew: Crew;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Milliseconds from sending to acknowledgement, each one. */
  readonly latencies: number[] = [];
  steps = 0;
  #next = 0;

  constructor(operators: readonly Client[], crew: Crew, clock: Clock, signal: AbortSignal) {
    this.#operators = operators;
    this.#crew = crew;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Plays steps `from` to `to`; a problem is kept in `play`, and ends it. Throws only when interrupted. */
  async play(play: Play, from: number, to: number, waits: boolean): Promise<void> {
    const operator = this.#operators[this.#next++ % this.#operators.length] as Client;
    const turn = new Turn(play, operator, this.#crew, this.#clock, this.latencies);
    for (const step of play.plan.steps.slice(from, to)) {
      this.#signal.throwIfAborted();
      if (play.problem !== null) return;
      try {
        if (waits || step.do !== 'work') await turn.step(step);
      } catch (error) {
        play.problem = `line ${step.line}, ${step.do}: ${(error as Error).message}`;
      }
      this.steps++;
    }
  }
}

class Turn {
  readonly #play: Play;
  readonly #operator: Client;
  readonly #crew: Crew;
  readonly #clock: Clock;
  readonly #latencies: number[];
  #runId: string | null = null;
  #hand: Hand | null = null;
  #state: IssueState = 'idle';

  constructor(play: Play, operator: Client, crew: Crew, clock: Clock, latencies: number[]) {
    this.#play = play;
    this.#operator = operator;
    this.#crew = crew;
    this.#clock = clock;
    this.#latencies = latencies;
  }

  async step(step: Step): Promise<void> {
    const reason = `line ${step.line} of the log`;
    switch (step.do) {
      case 'assign': {
        const agentId = step.to === null ? null : (this.#crew.agents.get(step.to) as string);
        await this.#send(step, { type: 'ASSIGN', agentId, reason }, stateAfterAssign(step, this.#state));
        break;
      }
      case 'wake':
        await this.#send(step, { type: 'WAKE', reason, source: 'on_demand', human: true }, 'running');
        break;
      case 'pull':
        // The wake resets the budget of retries, but it must not overtake retryNotBefore; RETRY.NOW may.
        await this.#send(step, { type: 'WAKE', reason, source: 'on_demand', human: true }, 'scheduled-retry');
        await this.#send(step, { type: 'RETRY.NOW', reason }, 'running');
        break;
      case 'work':
        this.#hand = await this.#grant();
        break;
      case 'fail':
        await this.#report(step, 'RUN.FAILED', (hand) => hand.fail(), 'scheduled-retry');
        break;
      case 'succeed': {
        const { resolution } = step;
        const next = resolution === 'done' ? 'done' : 'idle';
        await this.#report(step, 'RUN.SUCCEEDED', (hand) => hand.succeed(resolution), next);
        break;
      }
      case 'complete':
        await this.#send(step, { type: 'COMPLETE', reason }, 'done');
        break;
      case 'reopen':
        await this.#send(step, { type: 'REOPEN', reason }, 'idle');
        break;
      case 'cancel-retry':
        await this.#send(step, { type: 'RETRY.CANCEL', reason }, 'idle');
        break;
      case 'priority':
        await this.#send(step, { type: 'PRIORITY', priority: step.to }, this.#state);
        break;
      case 'note':
        await this.#send(step, { type: 'EDIT', context: { ...step.context } }, this.#state);
        break;
    }
  }

  async #send(step: Step, event: IssueEvent, expected: IssueState): Promise<void> {
    const answer = this.#operator.event(this.#play.issueId, event);
    this.#accept(step, event.type, await this.#timed(answer), expected);
  }

  async #report(
    step: Step,
    type: string,
    end: (hand: Hand) => Promise<EventAnswer>,
    expected: IssueState,
  ): Promise<void> {
    const hand = this.#hand;
    if (hand === null) throw new Error('nobody holds the run');
    this.#hand = null;
    this.#accept(step, type, await this.#timed(end(hand)), expected);
  }

  async #timed(answer: Promise<EventAnswer>): Promise<EventAnswer> {
    const since = this.#clock.monotonic();
    const got = await answer;
    this.#latencies.push(this.#clock.monotonic() - since);
    return got;
  }

  #accept(step: Step, type: string, answer: EventAnswer, expected: IssueState): void {
    const { issue, version, unchanged } = answer;
    if (unchanged) throw new Error(`${type} changed nothing`);
    this.#play.acks.push({
      version,
      type,
      line: step.line,
      outOfRetry: step.do === 'assign' && step.from === 'retry',
    });
    if (issue.state !== expected) throw new Error(`the state is ${issue.state}, not ${expected}`);
    this.#state = expected;
    this.#runId = issue.run?.id ?? issue.lock?.runId ?? null;
  }

  async #grant(): Promise<Hand> {
    if (this.#runId === null) throw new Error('there is no run');
    const late = new AbortController();
    const cancel = this.#clock.after(GRANT_MS, () =>
      late.abort(new Error(`no grant within ${GRANT_MS / 1000} s`)),
    );
    try {
      return await this.#crew.granted(this.#runId, late.signal);
    } finally {
      cancel();
    }
  }
}

function stateAfterAssign(step: Step & { do: 'assign' }, state: IssueState): IssueState {
  if (step.from === 'rest') return state;
  return step.to === null ? 'idle' : 'running';
}
