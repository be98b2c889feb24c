/** What an agent remembers: settings and status. Its queue and slots are an index over issues, never stored here. */
import { z } from 'zod';
import { retryOverride } from './events.ts';
import type { Policy } from './facts.ts';
import type { Out } from './kind.ts';

export const agentContextSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  adapterType: z.string(),
  maxConcurrentRuns: z.int().min(1).max(50),
  wakeOnDemand: z.boolean(),
  /** The agent's own policy; what is not in it is the server's. */
  retry: retryOverride.nullable(),
  /** Paused, but live runs go on. */
  draining: z.boolean(),
  at: z.int(),
});
export type AgentState = z.infer<typeof agentContextSchema>;
/** The context inside the machine: `out` is what the transition announces. */
export type AgentContext = AgentState & { out?: Out[] };

export const agentHead = z.strictObject({ identifier: z.string(), createdAt: z.int() });
export type AgentHead = z.infer<typeof agentHead>;

export const UNBORN: AgentContext = {
  id: '',
  name: '',
  adapterType: 'process',
  maxConcurrentRuns: 1,
  wakeOnDemand: true,
  retry: null,
  draining: false,
  at: 0,
};

/** What applies: the agent's override over the server's policy. */
export function policyFor(c: AgentState, server: Policy): Policy {
  const own = c.retry ?? {};
  return {
    delaysMs: own.delaysMs ?? server.delaysMs,
    jitter: own.jitter ?? server.jitter,
    leaseMs: own.leaseMs ?? server.leaseMs,
    stopGraceMs: own.stopGraceMs ?? server.stopGraceMs,
  };
}
