/** `baton issue create TITLE`: a new issue, given to an agent at once where one is named. */
import type { HttpApi } from '../client/http.ts';
import { BatonError } from '../errors.ts';
import { PRIORITIES } from '../machines/view.ts';
import { agentNamed } from './agent-named.ts';
import { whyOf } from './agent-names.ts';
import { type Call, type Flag, textFlag, wordFlag } from './command.ts';
import { companyOf } from './companies.ts';
import { stateOf } from './issue-text.ts';
import { emit, say } from './terminal.ts';

export const CREATE_FLAGS: readonly Flag[] = [
  { name: 'assignee', value: 'AGENT', meaning: 'create: whose it is, by name or id' },
  { name: 'priority', value: 'PRIORITY', meaning: 'create: critical, high, medium (default), low' },
  { name: 'context', value: 'JSON', meaning: 'create: what the agent is told with it, at most 16 KiB' },
];

export async function createIssue(call: Call, http: HttpApi, title: string): Promise<number> {
  // The wire's rule and no other: of spaces, or longer than it may be, is the server's to judge.
  if (title === '') {
    throw new BatonError('VALIDATION', 'The title is empty: say in a few words what is to be done.', {
      hint: 'For instance: baton issue create "Fix login".',
    });
  }
  const priority = wordFlag(call, 'priority', PRIORITIES);
  const context = contextOf(call);
  const assignee = textFlag(call, 'assignee');
  const agent = assignee === undefined ? null : await agentNamed(http, call, assignee);
  const companyId = agent?.companyId ?? (await companyOf(http, call)).id;
  const issue = await http.createIssue(companyId, {
    title,
    ...(priority === undefined ? {} : { priority }),
    ...(agent === null ? {} : { assigneeAgentId: agent.id }),
    ...(context === undefined ? {} : { context: context as never }),
  });
  emit(call.terminal, issue);
  say(call.terminal, `${issue.identifier} is ${stateOf(issue)}: ${await whyOf(call, http, issue)}`);
  return 0;
}

function contextOf(call: Call): unknown {
  const text = textFlag(call, 'context');
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BatonError('VALIDATION', `--context: is not JSON (${(error as Error).message}).`);
  }
}
