/** The events that reach an issue's machine: those from outside (events.ts), and those only the runtime sends. */
import type { IssueEvent } from './events.ts';
import type { Stamped } from './kind.ts';
import type { Cause, PriorityName } from './view.ts';

/** XState's name of the end of a backoff. */
export const RETRY_DUE = 'xstate.after.retryDelay.issue.scheduled-retry';

/** How a detached run ended: by its worker's word, by a word that counts for nothing, or by silence. */
export type StoppedHow = 'stopped' | 'succeeded' | 'failed' | 'refused' | 'lease' | 'grace';

export interface Stopped {
  type: 'STOPPED';
  runId: string;
  how: StoppedHow;
  error?: string | undefined;
  errorCode?: string | undefined;
  errorFamily?: string | undefined;
  resultJson?: unknown;
}

export type IssueInternal =
  | {
      type: 'CREATED';
      id: string;
      identifier: string;
      title: string;
      priority: PriorityName;
      assigneeAgentId: string | null;
      context: unknown;
      wake: boolean;
    }
  | { type: 'GRANT'; claim: string }
  | { type: typeof RETRY_DUE }
  | { type: 'RETRY.DUE' }
  | { type: 'LEASE.EXPIRED'; runId: string }
  | Stopped
  | { type: 'AGENT.PAUSED'; agentId: string }
  | { type: 'AGENT.TERMINATED'; agentId: string };

export type AnyIssueEvent = IssueEvent | IssueInternal;
export type IssueMachineEvent = Stamped<AnyIssueEvent>;
/** The event of one type, as the machine sees it. */
export type EventOf<T extends AnyIssueEvent['type']> = Stamped<Extract<AnyIssueEvent, { type: T }>>;

/** Event types only the runtime sends. `RETRY.DUE` is the journal's name of what XState calls `RETRY_DUE`. */
export const ISSUE_INTERNAL = [
  'CREATED',
  'GRANT',
  'RETRY.DUE',
  RETRY_DUE,
  'LEASE.EXPIRED',
  'STOPPED',
  'AGENT.PAUSED',
  'AGENT.TERMINATED',
] as const;

/** Why a run that this event ends was cancelled: a cancel always carries a cause. */
export function causeOf(type: AnyIssueEvent['type']): Cause {
  switch (type) {
    case 'ASSIGN':
      return 'issue_reassigned';
    case 'CANCEL':
      return 'issue_cancelled';
    case 'COMPLETE':
      return 'issue_done';
    case 'AGENT.PAUSED':
      return 'agent_paused';
    case 'AGENT.TERMINATED':
      return 'agent_terminated';
    default:
      return 'operator';
  }
}
