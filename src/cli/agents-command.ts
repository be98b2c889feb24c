/** `baton agents`: who may work, how busy they are; and the verbs that change them. */
import type { HttpApi } from '../client/http.ts';
import { BatonError } from '../errors.ts';
import type { AgentView } from '../machines/view.ts';
import { type Call, type Command, SERVER_FLAGS, textFlag, wholeFlag } from './command.ts';
import { COMPANY_FLAG, companiesOf, companyOf } from './companies.ts';
import { duration } from './issue-text.ts';
import { agentNamed } from './job/identity.ts';
import { httpOf } from './server.ts';
import { table } from './table.ts';
import { emit, plain, say } from './terminal.ts';

const VERBS = {
  async create(http: HttpApi, call: Call, name: string): Promise<AgentView> {
    const company = await companyOf(http, call);
    const adapterType = textFlag(call, 'adapter');
    const slots = wholeFlag(call, 'slots', { least: 1, most: 50 });
    return await http.createAgent(company.id, {
      name,
      ...(adapterType === undefined ? {} : { adapterType }),
      ...(slots === undefined ? {} : { maxConcurrentRuns: slots }),
    });
  },
  async update(http: HttpApi, call: Call, name: string): Promise<AgentView> {
    const adapterType = textFlag(call, 'adapter');
    const slots = wholeFlag(call, 'slots', { least: 1, most: 50 });
    if (adapterType === undefined && slots === undefined) {
      throw new BatonError('VALIDATION', 'Nothing is to be changed: give --slots or --adapter.');
    }
    const { id } = await agentNamed(http, call, name);
    return await http.updateAgent(id, {
      ...(adapterType === undefined ? {} : { adapterType }),
      ...(slots === undefined ? {} : { maxConcurrentRuns: slots }),
    });
  },
  async pause(http: HttpApi, call: Call, name: string): Promise<AgentView> {
    const { id } = await agentNamed(http, call, name);
    return await http.pauseAgent(id, call.flags.drain === true ? { drain: true } : {});
  },
  async resume(http: HttpApi, call: Call, name: string): Promise<AgentView> {
    return await http.resumeAgent((await agentNamed(http, call, name)).id);
  },
  async terminate(http: HttpApi, call: Call, name: string): Promise<AgentView> {
    return await http.terminateAgent((await agentNamed(http, call, name)).id);
  },
} as const;

export const agentsCommand: Command = {
  name: 'agents',
  summary: 'list agents, or make, change, pause, resume or terminate one',
  usage: '[create|update|pause|resume|terminate NAME]',
  takes: [0, 2],
  about:
    'NAME is the name or the id. pause stops the runs in hand and gives them back; with --drain they may finish.\n' +
    'terminate is for good: the issues of a terminated agent wait for somebody else.',
  flags: [
    { name: 'slots', value: 'N', meaning: 'create, update: runs at once, 1 to 50' },
    {
      name: 'adapter',
      value: 'TYPE',
      meaning: 'create, update: what it is, for instance codex_local, claude_local',
    },
    { name: 'drain', meaning: 'pause: let the runs in hand finish' },
    COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: [
    'baton agents',
    'baton agents create codex-1 --slots 2 --adapter codex_local --company ACME',
    'baton agents pause codex-1 --drain',
  ],
  async run(call) {
    const { terminal } = call;
    const http = httpOf(call);
    const [verb, name] = call.args;
    if (verb === undefined) return await list(call, http);
    const act = Object.hasOwn(VERBS, verb) ? VERBS[verb as keyof typeof VERBS] : undefined;
    if (act === undefined || name === undefined) {
      throw new BatonError(
        'VALIDATION',
        `What is to be done is one of ${Object.keys(VERBS).join(', ')}, with a NAME.`,
        {
          hint: 'For instance: baton agents create codex-1.',
        },
      );
    }
    const agent = await act(http, call, name);
    emit(terminal, agent);
    say(terminal, `Agent ${plain(agent.name)} (${agent.id}) is ${statusOf(agent)}, ${slotsOf(agent)}.`);
    return 0;
  },
};

async function list(call: Call, http: HttpApi): Promise<number> {
  const { terminal } = call;
  const rows: string[][] = [];
  for (const company of await companiesOf(http, call)) {
    for await (const agent of http.agents(company.id)) {
      emit(terminal, agent);
      rows.push([
        company.prefix,
        agent.name,
        statusOf(agent),
        agent.slots.online ? 'yes' : 'no',
        `${agent.slots.held}/${agent.slots.max}`,
        String(agent.slots.wanting),
        agent.adapterType,
        agent.retry.delaysMs.map((ms) => duration(ms)).join(', '),
        agent.id,
      ]);
    }
  }
  if (terminal.json) return 0;
  if (rows.length === 0) {
    say(terminal, 'There is none yet: baton agents create NAME.');
    return 0;
  }
  const columns = [
    { head: 'COMPANY' },
    { head: 'AGENT', flexible: true },
    { head: 'STATUS' },
    { head: 'ASKS FOR WORK' },
    { head: 'SLOTS', align: 'right' as const },
    { head: 'WAITING', align: 'right' as const },
    { head: 'TYPE', flexible: true },
    { head: 'RETRIES AFTER', flexible: true },
    { head: 'ID' },
  ];
  terminal.out.write(table(terminal, columns, rows));
  return 0;
}

function statusOf({ status, draining }: AgentView): string {
  return draining ? `${status}, draining` : status;
}

function slotsOf({ slots }: AgentView): string {
  return `${slots.held} of ${slots.max} slots held, ${slots.wanting} waiting`;
}
