/**
 * Companies with agents and idle issues, made over HTTP: what a load works on. Companies lie on both lanes of the server
 * evenly, whatever partitions chance gives them.
 */
import { partitionOf } from '../../src/ids.ts';
import { LANES } from '../../src/supervisor/node.ts';
import type { Api } from './api.ts';

export interface Agent {
  readonly id: string;
  /** Its key. */
  readonly token: string;
  /** Issues assigned to it. */
  readonly issues: readonly string[];
}

export interface Company {
  readonly id: string;
  readonly prefix: string;
  readonly agents: readonly Agent[];
}

export interface TownPlan {
  readonly companies: number;
  readonly agents: number;
  readonly issuesPerAgent: number;
  /** Whether an issue queues a run at its birth. */
  readonly wake?: boolean;
}

const SLOTS = 50;
/** Most issues in one request. */
const BULK = 1000;

/** Companies made so far: a prefix is unique on a server. */
let companies = 0;

export async function buildTown(api: Api, plan: TownPlan): Promise<Company[]> {
  const perLane = Array.from({ length: LANES }, () => plan.companies / LANES);
  const town: Company[] = [];
  while (town.length < plan.companies) {
    const prefix = `B${(++companies).toString(36)}`.toUpperCase();
    const { id } = await api.call<{ id: string }>('POST', '/companies', { name: 'Bench', prefix });
    const lane = partitionOf(id) % LANES;
    if (perLane[lane]! <= 0) continue;
    perLane[lane]! -= 1;
    const agents: Agent[] = [];
    for (let a = 0; a < plan.agents; a++) agents.push(await buildAgent(api, id, a, plan));
    town.push({ id, prefix, agents });
  }
  return town;
}

async function buildAgent(api: Api, companyId: string, n: number, plan: TownPlan): Promise<Agent> {
  const asked = { name: `Agent ${n}`, maxConcurrentRuns: SLOTS };
  const { id } = await api.call<{ id: string }>('POST', `/companies/${companyId}/agents`, asked);
  const key = { role: 'agent', agentId: id };
  const { token } = await api.call<{ token: string }>('POST', `/companies/${companyId}/keys`, key);
  const issues: string[] = [];
  while (issues.length < plan.issuesPerAgent) {
    const count = Math.min(BULK, plan.issuesPerAgent - issues.length);
    const body = {
      issues: Array.from({ length: count }, (_, i) => ({
        title: `Renew the certificate of host ${n}-${issues.length + i} before it expires`,
        assigneeAgentId: id,
        wake: plan.wake ?? false,
        context: { repository: 'infra/certificates', branch: `renew-${i}`, ticket: 4000 + i },
      })),
    };
    const path = `/companies/${companyId}/issues/bulk`;
    const { items } = await api.call<{ items: { id: string }[] }>('POST', path, body);
    issues.push(...items.map((item) => item.id));
  }
  return { id, token, issues };
}
