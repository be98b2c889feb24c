/**
 * What an issue may know of an agent: the facts that the agent's kind offers and the runtime puts in an event's stamp
 * (architecture A11). The policy in them is the one that applies – the agent's own override over the server's – so
 * that a replayed journal decides as the live turn did, whatever the server's settings are by then.
 */
import type { Stamp } from './kind.ts';

/** How failures are retried and how long a silent or stopping worker is waited for. */
export interface Policy {
  /** Base delays of attempts 1..n, ms; n is the attempt budget. */
  readonly delaysMs: readonly number[];
  /** Jitter ratio, 0..1. */
  readonly jitter: number;
  /** A run whose worker is silent for this long is lost, ms. */
  readonly leaseMs: number;
  /** A worker told to stop is given up after this long, ms. */
  readonly stopGraceMs: number;
}

/** domain.md section 3, and the defaults of protocol.md section 1. */
export const DEFAULT_POLICY: Policy = {
  delaysMs: [120_000, 600_000, 1_800_000, 7_200_000],
  jitter: 0.25,
  leaseMs: 30_000,
  stopGraceMs: 10_000,
};

export type AgentStatus = 'active' | 'paused' | 'terminated';

export interface AgentFacts extends Policy {
  readonly status: AgentStatus;
  readonly wakeOnDemand: boolean;
  readonly adapterType: string;
  readonly maxConcurrentRuns: number;
}

/** The agent's facts in this stamp; null when it was not asked for or does not exist in the company. */
export function factsOf(stamp: Stamp, agentId: string | null): AgentFacts | null {
  // Its own only: the id may be any text an event named, `constructor` too.
  if (agentId === null || !Object.hasOwn(stamp.facts, agentId)) return null;
  return stamp.facts[agentId] as unknown as AgentFacts;
}

/** The policy in force for an agent. Facts are absent only for an agent that retention has deleted: the defaults then. */
export function policyOf(stamp: Stamp, agentId: string | null): Policy {
  return factsOf(stamp, agentId) ?? DEFAULT_POLICY;
}

/** True when a run may be queued for the agent: a paused one's waits for the resume. */
export function canTakeRuns(facts: AgentFacts | null): facts is AgentFacts {
  return facts !== null && facts.status !== 'terminated';
}
