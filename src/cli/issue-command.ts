/** `baton issue ID` shows one issue and its history; `baton why ID` says in a sentence why it is not moving. */
import type { Change } from '../client/frames.ts';
import { isUnreadable } from '../client/put-aside.ts';
import { agentNames, readable } from './agent-names.ts';
import { type Command, SERVER_FLAGS } from './command.ts';
import { CREATE_FLAGS, createIssue } from './issue-create.ts';
import { ISSUE_COMPANY_FLAG, issueOf } from './issue-ref.ts';
import {
  CHANGE_COLUMNS,
  changeCells,
  duration,
  lockOf,
  nextOf,
  nextSentence,
  relative,
  stateOf,
  timeOf,
} from './issue-text.ts';
import { unexpected } from './parse.ts';
import { httpOf } from './server.ts';
import { table } from './table.ts';
import { emit, paint, plain, say } from './terminal.ts';

export const issueCommand: Command = {
  name: 'issue',
  summary: 'show an issue and its history, or make one',
  usage: 'ID | create TITLE',
  takes: [1, 2],
  flags: [...CREATE_FLAGS, ISSUE_COMPANY_FLAG, ...SERVER_FLAGS],
  examples: [
    'baton issue ACME-7',
    'baton issue ACME-7 --json | jq .journal',
    'baton issue create "Fix login" --assignee codex-1 --priority high',
  ],
  async run(call) {
    const { terminal } = call;
    const http = httpOf(call);
    const [first, title] = call.args;
    if (first === 'create') return await createIssue(call, http, title ?? '');
    if (title !== undefined) {
      throw unexpected(title, 'baton issue ID shows one; baton issue create "TITLE" makes one.');
    }
    const issue = await issueOf(http, call, call.args[0] ?? '');
    const journal: Change[] = [];
    for await (const change of http.journal(issue.id)) journal.push(change);
    if (terminal.json) {
      emit(terminal, { ...issue, journal });
      return 0;
    }
    const now = call.clock.now();
    const names = await agentNames(http, [issue]);
    const nameOf = (id: string | null) => (id === null ? '–' : (names.get(id) ?? id));
    const known: [string, string | null][] = [
      ['state', stateOf(issue)],
      ['why', readable(issue.why.text, names, call.clock.now())],
    ];
    const rest: [string, string | null][] = [
      ['next', nextOf(issue, now)],
      ['priority', issue.priority],
      ['assignee', nameOf(issue.assigneeAgentId)],
      ['attempt', `${issue.attempt} of ${issue.maxAttempts}`],
      ['lock', lockOf(issue, nameOf)],
      ['lease', issue.run?.leaseUntil ? `${duration(issue.run.leaseUntil - now)} left` : null],
      ['stopping', issue.detached && `${issue.detached.runId} (${issue.detached.cause})`],
      ['error', issue.lastError && `${issue.lastError.error} (${relative(issue.lastError.at, now)})`],
      ['wakes', issue.wakes.length > 0 ? issue.wakes.map((w) => w.reason).join(', ') : null],
      ['created', timeOf(issue.createdAt)],
    ];
    say(
      terminal,
      `${paint(terminal, 'bold', issue.identifier)}  ${plain(issue.title)}  ${paint(terminal, 'dim', issue.id)}`,
    );
    const facts = isUnreadable(issue) ? known : [...known, ...rest];
    for (const [name, value] of facts) if (value) say(terminal, `  ${name.padEnd(9)} ${plain(value)}`);
    say(terminal);
    terminal.out.write(
      table(
        terminal,
        CHANGE_COLUMNS,
        journal.map((change) => changeCells(change, names)),
      ),
    );
    return 0;
  },
};

/** The journal has just told that the lock was released – that of the run that failed. */
const RESERVED =
  'Its lock is reserved for that retry: it keeps nobody out, and is released when the issue is reassigned or cancelled.';

export const whyCommand: Command = {
  name: 'why',
  summary: 'say why an issue is where it is, and what comes next',
  usage: 'ID',
  takes: [1, 1],
  flags: [ISSUE_COMPANY_FLAG, ...SERVER_FLAGS],
  examples: ['baton why ACME-7', 'baton why 7 --company ACME'],
  async run(call) {
    const { terminal } = call;
    const http = httpOf(call);
    const issue = await issueOf(http, call, call.args[0] ?? '');
    const { id, identifier, state, substate, why, nextEvent, nextAt, lock } = issue;
    emit(terminal, { id, identifier, state, substate, why, nextEvent, nextAt, lock });
    if (terminal.json) return 0;
    const names = await agentNames(http, [issue]);
    const told = [
      `${identifier} is ${stateOf(issue)}: ${readable(why.text, names, call.clock.now())}`,
      nextSentence(issue, call.clock.now()),
      state === 'scheduled-retry' ? RESERVED : '',
    ];
    terminal.out.write(`${plain(told.filter((text) => text !== '').join(' '))}\n`);
    return 0;
  },
};
