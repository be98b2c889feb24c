/** `baton issues`: what there is, one line each. */
import { whole } from '../client/put-aside.ts';
import { BatonError } from '../errors.ts';
import { ISSUE_STATES, ISSUE_SUBSTATES, type IssueView, PRIORITIES } from '../machines/view.ts';
import { agentNamed } from './agent-named.ts';
import { agentNames, readable } from './agent-names.ts';
import { type Call, type Command, SERVER_FLAGS, textFlag, wholeFlag, wordsFlag } from './command.ts';
import { COMPANY_FLAG, companiesOf } from './companies.ts';
import { stateOf } from './issue-text.ts';
import { type Filter, type Listed, merged, newestFirst } from './newest-first.ts';
import { progressing } from './progress.ts';
import { httpOf } from './server.ts';
import { table } from './table.ts';
import { emit, say } from './terminal.ts';

const DEFAULT_LIMIT = 50;
/** What the server takes of a text to look for. */
const LONGEST_TEXT = 200;

export const issuesCommand: Command = {
  name: 'issues',
  summary: 'list issues, the newest first',
  usage: '[TEXT]',
  takes: [0, 1],
  about: 'TEXT is part of a title or of an identifier, case ignored. Options are joined by AND.',
  flags: [
    {
      name: 'state',
      value: 'STATE,…',
      meaning: 'idle, running (or running.queued, .executing, .stopping), scheduled-retry, cancelled, done',
    },
    { name: 'priority', value: 'PRIORITY,…', meaning: 'critical, high, medium, low' },
    { name: 'assignee', value: 'AGENT', meaning: 'whose they are, by name or id' },
    { name: 'limit', value: 'N', meaning: `at most so many (default ${DEFAULT_LIMIT}, 0: all)` },
    COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: ['baton issues --state running,scheduled-retry', 'baton issues login --json | jq .identifier'],
  async run(call) {
    const limit = wholeFlag(call, 'limit', { least: 0 }) ?? DEFAULT_LIMIT;
    const http = httpOf(call);
    const most = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    const filter = filterOf(call);
    const named = textFlag(call, 'assignee');
    const assignee = named === undefined ? null : await agentNamed(http, call, named);
    if (assignee !== null) filter.assignee = assignee.id;
    const lists: Listed[] = [];
    for (const company of await companiesOf(http, call)) {
      call.signal.throwIfAborted();
      if (assignee === null || company.id === assignee.companyId)
        lists.push(await newestFirst(http, company, filter, most));
    }
    const found: IssueView[] = [];
    const total = lists.reduce((sum, { count }) => sum + count, 0);
    await progressing(call, 'reading', Math.min(most, total), async (bar) => {
      for await (const { issue, identifier } of merged(lists.map(({ issues }) => issues))) {
        call.signal.throwIfAborted();
        found.push(whole(issue, () => identifier));
        bar.at(found.length);
        emit(call.terminal, issue);
        if (found.length === most) break;
      }
    });
    if (call.terminal.json) return 0;
    if (found.length === 0) {
      const isFiltered = Object.keys(filter).length > 0;
      say(
        call.terminal,
        isFiltered ? 'No issue matches.' : 'There is none yet: baton issue create "Fix login" makes one.',
      );
      return 0;
    }
    const names = await agentNames(http, found);
    const rows = found.map((issue) => [
      issue.identifier,
      issue.title,
      stateOf(issue),
      issue.priority,
      issue.assigneeAgentId === null ? '–' : (names.get(issue.assigneeAgentId) ?? issue.assigneeAgentId),
      briefly(readable(issue.why.text, names, call.clock.now())),
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
    const isNewestFirst = lists.every((list) => list.isNewestFirst);
    if (!isNewestFirst)
      say(call.terminal, 'There are so many that the oldest come first: filters leave fewer.');
    if (found.length === most) {
      say(call.terminal, `The ${isNewestFirst ? 'newest' : 'oldest'} ${limit}; --limit 0 shows all.`);
    }
    return 0;
  },
};

/** A reason in the row of its issue, which need not name its run. */
function briefly(why: string): string {
  const brief = why.replace(/^Run i[0-9a-f]+\.\d+ /, '').replace(/ run i[0-9a-f]+\.\d+(?=,|\.$)/, '');
  return brief.charAt(0).toUpperCase() + brief.slice(1);
}

/** @throws BatonError VALIDATION naming the option, or the text, that no issue could match */
function filterOf(call: Call): Filter {
  const filter: Filter = {};
  const [text] = call.args;
  if (text !== undefined) {
    if (text === '' || text.length > LONGEST_TEXT) {
      throw new BatonError(
        'VALIDATION',
        `TEXT: must be 1 to ${LONGEST_TEXT} characters of a title or identifier, not ${text.length}.`,
      );
    }
    filter.q = text;
  }
  const states = wordsFlag(call, 'state', [...ISSUE_STATES, ...ISSUE_SUBSTATES]);
  if (states !== undefined) filter.state = states;
  const priorities = wordsFlag(call, 'priority', PRIORITIES);
  if (priorities !== undefined) filter.priority = priorities;
  return filter;
}
