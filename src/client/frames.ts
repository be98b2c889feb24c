/** The frames a server sends (protocol section 6), as far as this client reads them. Unknown fields are ignored. */
import type { AgentView, GrantView, IssueView } from '../machines/view.ts';

export interface Principal {
  role: 'operator' | 'agent' | 'viewer';
  agentId: string | null;
  companyId: string | null;
}

export interface Welcome {
  t: 'welcome';
  node: string;
  now: number;
  principal: Principal;
  pingMs: number;
  limits: { frameBytes: number; subscriptions: number; eventsPerSecond: number | null };
}

/** One accepted event (protocol section 5). */
export interface Change {
  seq: number;
  companyId: string;
  issueId: string;
  version: number;
  type: string;
  from: string | null;
  to: string;
  actor: { kind: 'operator' | 'agent' | 'system'; id: string };
  at: number;
  data: Record<string, unknown>;
  effects: { type: string; data: Record<string, unknown> }[];
  /** The view as of this version; absent on journal topics. */
  issue?: IssueView;
  /** Instead of `issue`, on agent topics, for the agent's own changes. */
  agent?: AgentView;
}

/** A change of the `stats:` topic. */
export interface StatsChange {
  seq: number;
  stats: { byState: Record<string, number>; dueInNextHour?: number; eventsPerSecond?: number };
}

export interface StopFrame {
  t: 'stop';
  runId: string;
  fence: number;
  cause: string;
  graceMs: number;
}

export interface OkFrame {
  t: 'ok';
  id: string;
  version?: number;
  issue?: IssueView;
  duplicate?: boolean;
  unchanged?: boolean;
  grants?: GrantView[];
  recovered?: boolean;
  seq?: number;
}

export type ServerFrame =
  | Welcome
  | OkFrame
  | ({ t: 'error'; id?: string; code: string } & Record<string, unknown>)
  | { t: 'snapshot'; sub: string; seq: number; items: (IssueView | AgentView)[]; more: boolean }
  | { t: 'change'; sub: string; prev: number; change: Change | StatsChange }
  | StopFrame
  | { t: 'ping'; now: number }
  | { t: 'reset'; sub: string; reason: string }
  | { t: 'bye'; reason: string; reconnectMs: number };
