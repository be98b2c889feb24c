/** `baton agents`: who may work, how busy they are; and the verbs that change them. */
import type { HttpApi } from '../client/http.ts';
import { BatonError } from '../errors.ts';
import type { AgentView } from '../machines/view.ts';
import { agentNamed } from './agent-named.ts';
import { type Call, type Command, SERVER_FLAGS, textFlag, wholeFlag } from './command.ts';
import { COMPANY_FLAG, companiesOf, companyOf } from './companies.ts';
import { duration } from './issue-text.ts';
import { httpOf } from './server.ts';
import { table } from './table.ts';
import { emit, plain, say, type Terminal } from './terminal.ts';

const VERBS = {
  async create(http: HttpApi, call: Call, name: string): Promise<AgentView> {
    const settings = settingsOf(call);
    const company = await companyOf(http, call);
    return await http.createAgent(company.id, { name, ...settings });
  },
  async update(http: HttpApi, call: Call, name: string): Promise<AgentView> {
    const called = textFlag(call, 'name');
    const changes = { ...settingsOf(call), ...(called === undefined ? {} : { name: called }) };
    if (Object.keys(changes).length === 0) {
      throw new BatonError('VALIDATION', 'Nothing is to be changed: give --slots, --adapter or --name.');
    }
    const { id } = await agentNamed(http, call, name);
    return await http.updateAgent(id, changes);
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

/** What `create` and `update` may be given. */
function settingsOf(call: Call): { adapterType?: string; maxConcurrentRuns?: number } {
  const adapterType = textFlag(call, 'adapter');
  const slots = wholeFlag(call, 'slots', { least: 1, most: 50 });
  return {
    ...(adapterType === undefined ? {} : { adapterType }),
    ...(slots === undefined ? {} : { maxConcurrentRuns: slots }),
  };
}

export const agentsCommand: Command = {
  name: 'agents',
  summary: 'list agents, or make, change, pause, resume or terminate one',
  usage: '[create|update|pause|resume|terminate NAME]',
  takes: [0, 2],
  about:
    'NAME is the name or the id; several may have one name, and are then named by their ids. pause stops the runs in hand\n' +
    'and gives them back; with --drain they may finish. terminate is for good: the issues of a terminated agent wait for\n' +
    'somebody else.',
  flags: [
    { name: 'slots', value: 'N', meaning: 'create, update: runs at once, 1 to 50' },
    {
      name: 'adapter',
      value: 'TYPE',
      meaning: 'create, update: what it is, for instance codex_local, claude_local',
    },
    { name: 'name', value: 'NAME', meaning: 'update: what it is called from now on' },
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
    if (!terminal.json && !terminal.quiet) await tellNamesakes(terminal, http, agent);
    return 0;
  },
};

/** Several may have one name, and then only their ids tell them apart: said when it comes about. */
async function tellNamesakes(terminal: Terminal, http: HttpApi, { id, name, companyId }: AgentView) {
  const others: string[] = [];
  for await (const other of http.agents(companyId)) {
    if (other.name === name && other.id !== id && other.status !== 'terminated') others.push(other.id);
  }
  if (others.length === 0) return;
  say(terminal, `Also called ${plain(name)}: ${others.join(', ')}. Name each by its id.`);
}

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
