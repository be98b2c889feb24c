/** `baton assign`, `baton retry`, `baton cancel`: the events people send most, to one issue or many. */
import type { HttpApi } from '../client/http.ts';
import { BatonError, ERRORS } from '../errors.ts';
import type { IssueEvent } from '../machines/events.ts';
import type { AgentView, IssueView } from '../machines/view.ts';
import { agentNamed } from './agent-named.ts';
import { whyOf } from './agent-names.ts';
import { type Call, type Command, type Flag, SERVER_FLAGS, textFlag } from './command.ts';
import { fail } from './failure.ts';
import { ISSUE_COMPANY_FLAG, issueOf } from './issue-ref.ts';
import { stateOf } from './issue-text.ts';
import { progressing } from './progress.ts';
import { httpOf } from './server.ts';
import { emit, say } from './terminal.ts';

const REASON: Flag = { name: 'reason', value: 'TEXT', meaning: 'why; kept in the journal' };
const MANY =
  'Several issues are taken one after the other; one that refuses does not keep the others from it. The exit code is that\n' +
  'of the first refusal.';

export const assignCommand: Command = {
  name: 'assign',
  summary: 'give issues to an agent, or to nobody',
  usage: 'ID… AGENT',
  takes: [1, 1000],
  about: `Allowed in every state: a retry that waits is cancelled, a run in hand is stopped, the new agent's is queued.\n${MANY}`,
  flags: [
    { name: 'nobody', meaning: 'take them from whoever has them (then no AGENT)' },
    REASON,
    ISSUE_COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: ['baton assign ACME-7 claude-1', 'baton assign ACME-7 ACME-9 --nobody --reason "on holiday"'],
  async run(call) {
    const http = httpOf(call);
    const toNobody = call.flags.nobody === true;
    const refs = toNobody ? call.args : call.args.slice(0, -1);
    const name = call.args.at(-1) ?? '';
    if (refs.length === 0) {
      throw new BatonError('VALIDATION', 'To whom? baton assign ID AGENT, or --nobody instead of the agent.');
    }
    // An agent of the issue's own company.
    const agents = new Map<string, AgentView>();
    const agentOf = async ({ companyId }: IssueView): Promise<string | null> => {
      if (toNobody) return null;
      let agent = agents.get(companyId);
      if (agent === undefined) {
        agent = await agentNamed(http, { ...call, flags: { ...call.flags, company: companyId } }, name);
        agents.set(companyId, agent);
      }
      return agent.id;
    };
    return await sendAll(call, http, refs, async (issue) => ({
      type: 'ASSIGN',
      agentId: await agentOf(issue),
    }));
  },
};

export const retryCommand: Command = {
  name: 'retry',
  summary: 'run issues again now, instead of when their retry is due',
  usage: 'ID…',
  takes: [1, 1000],
  about: `An issue whose retries are spent or that failed for good is run again, too.\n${MANY}`,
  flags: [REASON, ISSUE_COMPANY_FLAG, ...SERVER_FLAGS],
  examples: [
    'baton retry ACME-7',
    'baton issues --state scheduled-retry --json | jq -r .id | xargs baton retry',
  ],
  run: (call) => sendAll(call, httpOf(call), call.args, async () => ({ type: 'RETRY.NOW' })),
};

export const cancelCommand: Command = {
  name: 'cancel',
  summary: 'cancel issues: whatever waits or runs for them ends',
  usage: 'ID…',
  takes: [1, 1000],
  about: MANY,
  flags: [REASON, ISSUE_COMPANY_FLAG, ...SERVER_FLAGS],
  examples: ['baton cancel ACME-7', 'baton cancel ACME-7 ACME-8 --reason "no longer needed"'],
  run: (call) => sendAll(call, httpOf(call), call.args, async () => ({ type: 'CANCEL' })),
};

async function sendAll(
  call: Call,
  http: HttpApi,
  refs: readonly string[],
  eventFor: (issue: IssueView) => Promise<IssueEvent>,
): Promise<number> {
  const { terminal } = call;
  const reason = textFlag(call, 'reason');
  return progressing(call, 'sending', refs.length, async (bar) => {
    let code = 0;
    for (const [n, ref] of refs.entries()) {
      call.signal.throwIfAborted();
      let name = ref;
      try {
        const issue = await issueOf(http, call, ref);
        name = issue.identifier;
        const event = {
          ...(await eventFor(issue)),
          ...(reason === undefined ? {} : { reason }),
        } as IssueEvent;
        const answer = await http.sendEvent(issue.id, event);
        const why = await whyOf(call, http, answer.issue);
        bar.end();
        emit(terminal, answer);
        const done = answer.unchanged ? 'nothing changes' : stateOf(answer.issue);
        say(terminal, `${issue.identifier}: ${done}. ${why}`);
      } catch (error) {
        bar.end();
        // Nobody there: that is of no issue, and will not be better with the next.
        if (error instanceof BatonError && ERRORS[error.code].exit === 4) throw error;
        // One alone fails as any command does.
        if (refs.length === 1) throw named(name, error);
        const failed = fail(terminal, named(name, error), terminal.json);
        code = code === 0 ? failed : code;
      }
      bar.at(n + 1);
    }
    return code;
  });
}

/** The same error, of that issue; some name it already. */
function named(name: string, error: unknown): unknown {
  if (!(error instanceof BatonError) || error.message.includes(name)) return error;
  return new BatonError(error.code, `${name}: ${error.message}`, error.detail);
}
