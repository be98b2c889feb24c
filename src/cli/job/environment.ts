/** What a command run by `baton work` finds in its environment and on its standard input. */
import type { AgentView, GrantView } from '../../machines/view.ts';

/** Linux takes no longer variable than 128 KiB; the whole issue is on standard input in any case. */
const LONGEST_VARIABLE = 100_000;

/** Every variable with its meaning, as help and docs/cli.md list them. */
export const VARIABLES = {
  BATON_ISSUE: "the issue's identifier, ACME-7",
  BATON_ISSUE_ID: 'its id',
  BATON_ISSUE_TITLE: 'its title',
  BATON_ISSUE_PRIORITY: 'critical, high, medium or low',
  BATON_ISSUE_JSON: 'the whole issue, as on standard input; absent above 100,000 bytes',
  BATON_WAKES_JSON: 'why it runs: the wakes delivered with the run, comments among them',
  BATON_CONTEXT_JSON: 'the context snapshot of the run',
  BATON_COMPANY_ID: 'the company',
  BATON_AGENT: 'name of the agent',
  BATON_AGENT_ID: 'its id',
  BATON_RUN_ID: 'the run',
  BATON_FENCE: "the run's fence: an effect elsewhere may carry it",
  BATON_ATTEMPT: 'automatic retries spent so far',
  BATON_URL: 'the server',
  BATON_TOKEN: "the agent's key, so that `baton` and curl inside the command are the agent",
} as const;

type Name = keyof typeof VARIABLES;

export function environmentOf(
  grant: GrantView,
  agent: AgentView,
  at: { url: string; token: string },
): Partial<Record<Name, string>> {
  const { issue, run } = grant;
  const all: Record<Name, string> = {
    BATON_ISSUE: issue.identifier,
    BATON_ISSUE_ID: issue.id,
    BATON_ISSUE_TITLE: issue.title,
    BATON_ISSUE_PRIORITY: issue.priority,
    BATON_ISSUE_JSON: JSON.stringify(issue),
    BATON_WAKES_JSON: JSON.stringify(grant.wakes),
    BATON_CONTEXT_JSON: JSON.stringify(grant.contextSnapshot),
    BATON_COMPANY_ID: issue.companyId,
    BATON_AGENT: agent.name,
    BATON_AGENT_ID: agent.id,
    BATON_RUN_ID: run.id,
    BATON_FENCE: String(grant.fence),
    BATON_ATTEMPT: String(run.attempt),
    BATON_URL: at.url,
    BATON_TOKEN: at.token,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => Buffer.byteLength(value) <= LONGEST_VARIABLE),
  );
}
