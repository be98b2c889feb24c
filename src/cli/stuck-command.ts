/** `baton stuck`: what waits longer than it should, grouped by the reason, with what to do about it. */
import { isUnreadable, whole } from '../client/put-aside.ts';
import { PATIENCE_MS, WAITING_STATES } from '../client/stuck.ts';
import type { IssueView } from '../machines/view.ts';
import { agentNames } from './agent-names.ts';
import { type Command, SERVER_FLAGS, wholeFlag } from './command.ts';
import { COMPANY_FLAG, companiesOf } from './companies.ts';
import { duration } from './issue-text.ts';
import { progressing } from './progress.ts';
import { httpOf } from './server.ts';
import { stuckOf } from './stuck.ts';
import { table } from './table.ts';
import { emit, paint, plain, say } from './terminal.ts';

const SHOWN = 10;

export const stuckCommand: Command = {
  name: 'stuck',
  summary: 'list what waits longer than it should, grouped by the reason',
  usage: '[options]',
  takes: [0, 0],
  about:
    'Waits that end by themselves (a retry before its due time, a run in hand) are not listed. Waiting for a slot or for an\n' +
    'old run to stop is, after --after-ms.',
  flags: [
    {
      name: 'after-ms',
      value: 'MS',
      meaning: `patience with usual waits (default ${PATIENCE_MS}: ten minutes)`,
    },
    COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: ['baton stuck', 'baton stuck --after-ms 60000 --json | jq -r .code | sort | uniq -c'],
  async run(call) {
    const { terminal, clock } = call;
    const patience = wholeFlag(call, 'after-ms', { least: 0 }) ?? PATIENCE_MS;
    const http = httpOf(call);
    const waiting: IssueView[] = [];
    const companies = await companiesOf(http, call);
    let total = 0;
    for (const { id } of companies) {
      const { byState } = await http.stats(id);
      for (const state of WAITING_STATES) total += byState[state] ?? 0;
    }
    await progressing(call, 'reading', total, async (bar) => {
      for (const { id } of companies) {
        for await (const issue of http.issues(id, { state: WAITING_STATES, limit: 500 })) {
          call.signal.throwIfAborted();
          waiting.push(whole(issue, () => issue.id));
          bar.at(waiting.length);
        }
      }
    });
    const now = clock.now();
    const groups = stuckOf(waiting, now, patience);
    for (const { code, what, todo, issues } of groups) {
      for (const issue of issues) {
        const { id, identifier, title, why, updatedAt } = issue;
        emit(terminal, {
          code,
          what,
          todo,
          id,
          identifier,
          title,
          text: why.text,
          waitedMs: isUnreadable(issue) ? null : now - updatedAt,
        });
      }
    }
    if (terminal.json) return 0;
    if (groups.length === 0) say(terminal, `Nothing is stuck; ${waiting.length} wait as they should.`);
    const names = await agentNames(
      http,
      groups.flatMap(({ issues }) => issues.slice(0, SHOWN)),
    );
    for (const { what, todo, issues } of groups) {
      say(
        terminal,
        `${paint(terminal, 'bold', `${issues.length} · ${what}`)}   ${paint(terminal, 'dim', todo)}`,
      );
      const rows = issues
        .slice(0, SHOWN)
        .map((issue) => [
          issue.identifier,
          issue.title,
          issue.assigneeAgentId === null ? '–' : (names.get(issue.assigneeAgentId) ?? issue.assigneeAgentId),
          isUnreadable(issue) ? '?' : duration(now - issue.updatedAt),
          issue.lastError?.error ?? '',
        ]);
      const columns = [
        { head: 'ISSUE' },
        { head: 'TITLE', flexible: true },
        { head: 'AGENT' },
        { head: 'FOR' },
        { head: 'LAST ERROR', flexible: true },
      ];
      terminal.out.write(table(terminal, columns, rows));
      if (issues.length > SHOWN)
        say(terminal, `and ${issues.length - SHOWN} more (${plain('--json')} lists all)`);
      say(terminal);
    }
    return 0;
  },
};
