/** The shapes that issues, agents, runs and grants have on the wire (protocol section 5). Binding: rename none. */

export const ISSUE_STATES = ['idle', 'running', 'scheduled-retry', 'cancelled', 'done'] as const;
export type IssueState = (typeof ISSUE_STATES)[number];
/** What lists may be filtered by beside a state: where within it. */
export const ISSUE_SUBSTATES = ['running.queued', 'running.executing', 'running.stopping'] as const;
export type Substate = 'queued' | 'executing' | 'stopping';
export type PriorityName = 'critical' | 'high' | 'medium' | 'low';
/** Index = the number that states and columns carry. */
export const PRIORITIES: readonly PriorityName[] = ['critical', 'high', 'medium', 'low'];

export type RunStatus =
  | 'queued'
  | 'running'
  | 'scheduled_retry'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'timed_out';

export type Cause =
  | 'operator'
  | 'issue_reassigned'
  | 'issue_cancelled'
  | 'issue_done'
  | 'agent_paused'
  | 'agent_terminated'
  | 'superseded'
  | 'infrastructure';

export type FallbackMode =
  | 'same_session'
  | 'safer_invocation'
  | 'fresh_session'
  | 'fresh_session_safer_invocation';

export type WhyCode =
  | 'unassigned'
  | 'waiting_for_slot'
  | 'agent_paused'
  | 'agent_offline'
  | 'agent_terminated'
  | 'executing'
  | 'stopping'
  | 'backoff'
  | 'retry_exhausted'
  | 'failed'
  | 'parked'
  | 'no_work'
  | 'done'
  | 'cancelled'
  | 'quarantined';

export interface Lock {
  runId: string;
  agentId: string;
  mode: 'reserved' | 'executing';
  fence: number;
  lockedAt: number;
}

export interface WakeView {
  id: string;
  reason: string;
  source: string;
  human: boolean;
  payload: unknown;
  at: number;
  /** Later wakes of the same reason that were merged into it when 32 were waiting; absent: none. */
  merged?: number;
}

export interface LastError {
  error: string;
  errorCode: string | null;
  errorFamily: string | null;
  at: number;
}

export interface IssueView {
  id: string;
  companyId: string;
  identifier: string;
  title: string;
  priority: PriorityName;
  state: IssueState;
  substate: Substate | null;
  assigneeAgentId: string | null;
  version: number;
  fence: number;
  attempt: number;
  maxAttempts: number;
  lock: Lock | null;
  detached: { runId: string; agentId: string; fence: number; cause: Cause; until: number | null } | null;
  run: {
    id: string;
    agentId: string;
    status: RunStatus;
    attempt: number;
    retryOfRunId: string | null;
    startedAt: number | null;
    leaseUntil: number | null;
    progress: number | null;
    note: string | null;
  } | null;
  retry: {
    attempt: number;
    maxAttempts: number;
    reason: 'transient_failure' | 'process_lost';
    dueAt: number;
    retryNotBefore: number | null;
    codexTransientFallbackMode: FallbackMode | null;
    ofRunId: string;
  } | null;
  wakes: WakeView[];
  why: { code: WhyCode; text: string };
  nextEvent: string | null;
  nextAt: number | null;
  lastError: LastError | null;
  context: unknown;
  createdAt: number;
  updatedAt: number;
}

export interface RunView {
  id: string;
  issueId: string;
  agentId: string;
  status: RunStatus;
  attempt: number;
  retryOfRunId: string | null;
  invocationSource: 'assignment' | 'automation' | 'on_demand';
  fence: number | null;
  error: string | null;
  errorCode: string | null;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  contextSnapshot: Record<string, unknown>;
  resultJson: unknown;
}

export interface GrantView {
  issue: IssueView;
  run: RunView;
  fence: number;
  leaseMs: number;
  wakes: WakeView[];
  contextSnapshot: Record<string, unknown>;
}

export interface RetryPolicy {
  /** Base delays of attempts 1..n, ms. */
  delaysMs: readonly number[];
  /** 0..1. */
  jitter: number;
}

export interface AgentView {
  id: string;
  companyId: string;
  identifier: string;
  name: string;
  adapterType: string;
  status: 'active' | 'paused' | 'terminated';
  /** True while pausing with `drain`: live runs go on, nothing new is granted. */
  draining: boolean;
  maxConcurrentRuns: number;
  wakeOnDemand: boolean;
  /** What applies: the agent's own override, else the server's. */
  retry: RetryPolicy & { leaseMs: number; stopGraceMs: number };
  slots: { held: number; wanting: number; max: number; online: boolean };
  version: number;
  createdAt: number;
  updatedAt: number;
}
