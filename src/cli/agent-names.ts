/** Names for the agents that issues mention, read once a company, and sentences of the server's made readable with them. */
import type { HttpApi } from '../client/http.ts';
import type { IssueView } from '../machines/view.ts';
import type { Call } from './command.ts';
import { withLocalTimes } from './issue-text.ts';
import { plain } from './terminal.ts';

export async function agentNames(http: HttpApi, issues: readonly IssueView[]): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const companyId of new Set(issues.map((i) => i.companyId))) {
    for await (const agent of http.agents(companyId)) names.set(agent.id, agent.name);
  }
  return names;
}

/**
 * A sentence of the server's as a person reads it: each agent's name for its id, times of this machine's zone. Of a state
 * that cannot be read every fault is told, a line each: the first is enough here, and `--json` has them all.
 */
export function readable(text: string, names: ReadonlyMap<string, string>, now: number): string {
  const [first = '', ...others] = text.split('\n');
  const line = others.length > 0 ? `${first} …` : first;
  return withLocalTimes(line, now).replace(
    /\b([Aa]gent) (a[0-9a-f]{6,})\b/g,
    (whole, agent: string, id: string) => {
      const name = names.get(id);
      return name === undefined ? whole : `${agent} ${name}`;
    },
  );
}

/** Why an issue is where it is, for the terminal; where nobody reads it, no name is asked for. */
export async function whyOf({ terminal, clock }: Call, http: HttpApi, issue: IssueView): Promise<string> {
  if (terminal.json) return issue.why.text;
  return plain(readable(issue.why.text, await agentNames(http, [issue]), clock.now()));
}
