/** Names for the agents that issues mention, read once a company. */
import type { HttpApi } from '../client/http.ts';
import type { IssueView } from '../machines/view.ts';

export async function agentNames(http: HttpApi, issues: readonly IssueView[]): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const companyId of new Set(issues.map((i) => i.companyId))) {
    for await (const agent of http.agents(companyId)) names.set(agent.id, agent.name);
  }
  return names;
}
