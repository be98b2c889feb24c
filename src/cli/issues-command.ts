/** `baton issues`: what there is, one line each. */
import type { Company, HttpApi, IssueQuery } from '../client/http.ts';
import type { IssueView } from '../machines/view.ts';
import { agentNames, withNames } from './agent-names.ts';
import { type Command, SERVER_FLAGS, textFlag, wholeFlag } from './command.ts';
import { COMPANY_FLAG, companiesOf } from './companies.ts';
import { stateOf } from './issue-text.ts';
import { progressing } from './progress.ts';
import { httpOf } from './server.ts';
import { table } from './table.ts';
import { emit, say } from './terminal.ts';

const DEFAULT_LIMIT = 50;

export const issuesCommand: Command = {
  name: 'issues',
  summary: 'list issues',
  usage: '[TEXT]',
  takes: [0, 1],
  flags: [
    { name: 'state', value: 'STATE,…', meaning: 'idle, running, scheduled-retry, cancelled, done' },
    { name: 'priority', value: 'PRIORITY,…', meaning: 'critical, high, medium, low' },
    { name: 'assignee', value: 'AGENT', meaning: 'id of an agent' },
    { name: 'limit', value: 'N', meaning: `at most so many (default ${DEFAULT_LIMIT}, 0: all)` },
    COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: ['baton issues --state running,scheduled-retry', 'baton issues login --json | jq .identifier'],
  async run(call) {
    const limit = wholeFlag(call, 'limit', { least: 0 }) ?? DEFAULT_LIMIT;
    const http = httpOf(call);
    const most = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    const query: IssueQuery = { limit: Math.min(most, 500) };
    const [text] = call.args;
    if (text !== undefined) query.q = text;
    for (const name of ['state', 'priority', 'assignee'] as const) {
      const value = textFlag(call, name);
      if (value !== undefined) query[name] = value;
    }
    const found: IssueView[] = [];
    const companies = await companiesOf(http, call);
    // One page comes at once; of many it is worth a request to know how many there may be.
    const total = most > 500 ? await countOf(http, companies) : most;
    await progressing(call, 'reading', Math.min(most, total), async (bar) => {
      for (const company of companies) {
        for await (const issue of http.issues(company.id, query)) {
          call.signal.throwIfAborted();
          if (found.length === most) break;
          found.push(issue);
          bar.at(found.length);
          emit(call.terminal, issue);
        }
      }
    });
    if (call.terminal.json) return 0;
    if (found.length === 0) {
      say(call.terminal, 'No issue matches.');
      return 0;
    }
    const names = await agentNames(http, found);
    const rows = found.map((issue) => [
      issue.identifier,
      issue.title,
      stateOf(issue),
      issue.priority,
      issue.assigneeAgentId === null ? '–' : (names.get(issue.assigneeAgentId) ?? issue.assigneeAgentId),
      briefly(withNames(issue.why.text, names)),
    ]);
    call.terminal.out.write(
      table(
        call.terminal,
        [
          { head: 'ISSUE' },
          { head: 'TITLE', flexible: true },
          { head: 'STATE' },
          { head: 'PRIORITY', optional: true },
          { head: 'AGENT', flexible: true },
          { head: 'WHY', flexible: true },
        ],
        rows,
      ),
    );
    if (found.length === most) say(call.terminal, `The first ${limit}; --limit 0 shows all.`);
    return 0;
  },
};

/** A reason in the row of its issue, which need not name its run. */
function briefly(why: string): string {
  const brief = why.replace(/^Run i[0-9a-f]+\.\d+ /, '').replace(/ run i[0-9a-f]+\.\d+(?=,|\.$)/, '');
  return brief.charAt(0).toUpperCase() + brief.slice(1);
}

/** How many issues there are, whatever is asked of them: the most that may come. */
async function countOf(http: HttpApi, companies: readonly Company[]): Promise<number> {
  let total = 0;
  for (const { id } of companies) {
    const { byState } = await http.stats(id);
    for (const n of Object.values(byState)) total += n;
  }
  return total;
}
