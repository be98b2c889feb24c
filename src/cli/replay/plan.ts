/**
 * What an incident's rows mean in Baton's terms: a list of steps, and the state they must end in. Pure: the player does
 * them, the check compares.
 *
 * Agents of a replay do not wake on demand, so nothing but a step of the plan begins work:
 * - a row in New is an issue at rest (idle);
 * - in Active with an assignee it is being executed by that agent; without one it rests;
 * - in Awaiting it is a transient failure that may not be retried for a long time (scheduled-retry), pulled by the next
 *   activity; without an assignee it rests;
 * - in Resolved or Closed it is done; any other row after that reopens it;
 * - a row that changes none of this is still written down, as an EDIT of the context.
 */
import type { IssueState, PriorityName } from '../../machines/view.ts';
import type { Incident } from './incident-log.ts';
import type { LogRow, Phase } from './log-row.ts';

export type Step = { readonly line: number } & (
  | { readonly do: 'assign'; readonly to: string | null; readonly from: 'retry' | 'run' | 'rest' }
  /** An operator's wake: a run is queued. */
  | { readonly do: 'wake' }
  /** A waiting retry is taken up again: a human wake (new budget), then RETRY.NOW. */
  | { readonly do: 'pull' }
  /** Until the assignee's worker has been granted the run. */
  | { readonly do: 'work' }
  | { readonly do: 'fail' }
  | { readonly do: 'succeed'; readonly resolution: 'done' | 'open' }
  | { readonly do: 'complete' }
  | { readonly do: 'reopen' }
  | { readonly do: 'cancel-retry' }
  | { readonly do: 'priority'; readonly to: PriorityName }
  | { readonly do: 'note'; readonly context: Context }
);

/** What of a row is kept in the issue's context. */
export interface Context {
  readonly group: string | null;
  readonly state: string;
  readonly modCount: number;
  readonly updatedAt: number;
}

export interface Plan {
  readonly number: string;
  readonly birth: {
    readonly assignee: string | null;
    readonly priority: PriorityName;
    readonly context: Context;
  };
  readonly steps: readonly Step[];
  /**
   * Index of the first step of the work that the log leaves unfinished; `steps.length` where it leaves none. Played
   * after everybody else's steps and without waiting for grants: work that never ends would keep its slot from others.
   */
  readonly rest: number;
  readonly final: {
    readonly state: IssueState;
    readonly assignee: string | null;
    readonly priority: PriorityName;
  };
}

type At = 'idle' | 'queued' | 'executing' | 'scheduled-retry' | 'done';

export function plan(incident: Incident): Plan {
  const [first] = incident.rows as readonly [LogRow, ...LogRow[]];
  const planner = new Planner(first.assignee, first.priority);
  let phase: Phase = 'new';
  for (const [i, row] of incident.rows.entries()) {
    phase = row.phase === 'same' ? phase : row.phase;
    planner.row(row, phase, i === 0);
  }
  const { at, assignee, priority, steps } = planner;
  const state = at === 'queued' || at === 'executing' ? 'running' : at;
  return {
    number: incident.number,
    birth: { assignee: first.assignee, priority: first.priority, context: contextOf(first) },
    steps,
    rest: state === 'running' ? planner.atRest : steps.length,
    final: { state, assignee, priority },
  };
}

/** Follows an issue through its rows; knows of the machine only what the plan needs. */
class Planner {
  readonly steps: Step[] = [];
  at: At = 'idle';
  assignee: string | null;
  priority: PriorityName;
  /** How many steps there were when the issue was last without a run. */
  atRest = 0;
  #line = 0;

  constructor(assignee: string | null, priority: PriorityName) {
    this.assignee = assignee;
    this.priority = priority;
  }

  row(row: LogRow, phase: Phase, isFirst: boolean): void {
    this.#line = row.line;
    const before = this.steps.length;
    if (this.at === 'done' && phase !== 'closed') this.#go({ do: 'reopen' }, 'idle');
    if (row.priority !== this.priority) this.#prioritise(row.priority);
    if (row.assignee !== this.assignee) this.#assign(row.assignee);
    if (phase === 'closed') this.#close();
    else if (phase === 'new' || this.assignee === null) this.#settle();
    else if (phase === 'active') this.#work();
    else if (this.at !== 'scheduled-retry') {
      this.#work();
      this.#go({ do: 'fail' }, 'scheduled-retry');
    }
    if (this.steps.length === before && !isFirst) this.#go({ do: 'note', context: contextOf(row) }, this.at);
  }

  /** A closed issue takes no PRIORITY: it is opened for it and closed again. */
  #prioritise(to: PriorityName): void {
    const isClosed = this.at === 'done';
    if (isClosed) this.#go({ do: 'reopen' }, 'idle');
    this.priority = to;
    this.#go({ do: 'priority', to }, this.at);
    if (isClosed) this.#close();
  }

  #assign(to: string | null): void {
    const { at } = this;
    const from = at === 'scheduled-retry' ? 'retry' : at === 'idle' || at === 'done' ? 'rest' : 'run';
    this.assignee = to;
    // Whoever takes over a run or a waiting retry gets a run at once; nobody taking over ends it.
    this.#go({ do: 'assign', to, from }, from === 'rest' ? at : to === null ? 'idle' : 'queued');
  }

  #work(): void {
    if (this.at === 'idle') this.#go({ do: 'wake' }, 'queued');
    if (this.at === 'scheduled-retry') this.#go({ do: 'pull' }, 'queued');
    if (this.at === 'queued') this.#go({ do: 'work' }, 'executing');
  }

  #close(): void {
    if (this.at === 'queued') this.#go({ do: 'work' }, 'executing');
    if (this.at === 'executing') this.#go({ do: 'succeed', resolution: 'done' }, 'done');
    else if (this.at !== 'done') this.#go({ do: 'complete' }, 'done');
  }

  #settle(): void {
    if (this.at === 'queued') this.#go({ do: 'work' }, 'executing');
    if (this.at === 'executing') this.#go({ do: 'succeed', resolution: 'open' }, 'idle');
    if (this.at === 'scheduled-retry') this.#go({ do: 'cancel-retry' }, 'idle');
  }

  #go(step: DistributiveOmit<Step, 'line'>, to: At): void {
    const wasRunning = this.at === 'queued' || this.at === 'executing';
    if (!wasRunning) this.atRest = this.steps.length;
    this.steps.push({ ...step, line: this.#line } as Step);
    this.at = to;
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function contextOf({ group, state, modCount, at }: LogRow): Context {
  return { group, state, modCount, updatedAt: at };
}

/** Totals that the report shows, counted from the plans alone. */
export function totalsOf(plans: readonly Plan[]): { reassignments: number; outOfRetry: number } {
  let reassignments = 0;
  let outOfRetry = 0;
  for (const { steps } of plans) {
    for (const step of steps) {
      if (step.do !== 'assign') continue;
      reassignments++;
      if (step.from === 'retry') outOfRetry++;
    }
  }
  return { reassignments, outOfRetry };
}
