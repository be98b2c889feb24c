/** Names for the agents that issues mention, read once a company, and put into sentences that name them by id. */
import type { HttpApi } from '../client/http.ts';
import type { IssueView } from '../machines/view.ts';

export async function agentNames(http: HttpApi, issues: readonly IssueView[]): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const companyId of new Set(issues.map((i) => i.companyId))) {
    for await (const agent of http.agents(companyId)) names.set(agent.id, agent.name);
  }
  return names;
}

/** A sentence of the server's, with each agent's name for its id. */
export function withNames(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(/\b([Aa]gent) (a[0-9a-f]{6,})\b/g, (whole, agent: string, id: string) => {
    const name = names.get(id);
    return name === undefined ? whole : `${agent} ${name}`;
  });
}
