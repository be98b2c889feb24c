/** `baton keys`: credentials of a company. A token is shown once, when it is made; the server keeps its hash. */
import type { HttpApi } from '../client/http.ts';
import { BatonError } from '../errors.ts';
import { agentNamed } from './agent-named.ts';
import { type Call, type Command, SERVER_FLAGS, textFlag, wordFlag } from './command.ts';
import { COMPANY_FLAG, companiesOf, companyOf } from './companies.ts';
import { timeOf } from './issue-text.ts';
import { unexpected } from './parse.ts';
import { httpOf } from './server.ts';
import { table } from './table.ts';
import { emit, plain, say } from './terminal.ts';

export const keysCommand: Command = {
  name: 'keys',
  summary: 'list keys, make one, or revoke some',
  usage: '[create | revoke ID…]',
  takes: [0, 100],
  about:
    'create prints the token, which cannot be shown again. revoke closes what is open with the key within seconds.\n' +
    'Roles: operator (everything in its company), agent (one agent; --agent), viewer (reads).',
  flags: [
    {
      name: 'role',
      value: 'ROLE',
      meaning: 'create: operator, agent or viewer (default: agent with --agent)',
    },
    { name: 'agent', value: 'NAME', meaning: 'create: the agent, by name or id' },
    { name: 'name', value: 'TEXT', meaning: 'create: what it is for' },
    { name: 'all', meaning: 'list: those revoked, too' },
    COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: [
    'baton keys --company ACME',
    'baton keys create --agent codex-1 --name "build machine"',
    'baton keys create --role viewer --company ACME --json | jq -r .token',
  ],
  async run(call) {
    const http = httpOf(call);
    const [verb, ...ids] = call.args;
    if (verb === undefined) return await list(call, http);
    if (verb === 'create') {
      const [extra] = ids;
      if (extra !== undefined) throw unexpected(extra, 'For instance: --name "build machine".');
      return await create(call, http);
    }
    if (verb === 'revoke' && ids.length > 0) {
      for (const id of ids) {
        await http.revokeKey(id);
        emit(call.terminal, { id, revoked: true });
        say(call.terminal, `Key ${plain(id)} is revoked.`);
      }
      return 0;
    }
    throw new BatonError(
      'VALIDATION',
      'Keys are listed (no argument), made (create) or revoked (revoke ID…).',
    );
  },
};

async function create(call: Call, http: HttpApi): Promise<number> {
  const { terminal } = call;
  const name = textFlag(call, 'agent');
  const agent = name === undefined ? null : await agentNamed(http, call, name);
  const role = wordFlag(call, 'role', ['operator', 'agent', 'viewer'] as const) ?? (agent && 'agent');
  if (role === null || (role === 'agent') !== (agent !== null)) {
    throw new BatonError(
      'VALIDATION',
      'A key of an agent needs --agent NAME; any other needs --role alone.',
      {
        hint: 'For instance: baton keys create --role viewer.',
      },
    );
  }
  const companyId = agent === null ? (await companyOf(http, call)).id : agent.companyId;
  const what = textFlag(call, 'name');
  const key = await http.createKey(companyId, {
    role,
    ...(agent === null ? {} : { agentId: agent.id }),
    ...(what === undefined ? {} : { name: what }),
  });
  emit(terminal, key);
  say(terminal, `Key ${key.id} (${role}). Its token, shown only now:`);
  // Also with --quiet: it is the result.
  if (!terminal.json) terminal.out.write(`${key.token}\n`);
  return 0;
}

async function list(call: Call, http: HttpApi): Promise<number> {
  const { terminal } = call;
  const rows: string[][] = [];
  for (const company of await companiesOf(http, call)) {
    const names = new Map<string, string>();
    for await (const agent of http.agents(company.id)) names.set(agent.id, agent.name);
    for await (const key of http.keys(company.id)) {
      if (key.revokedAt !== null && call.flags.all !== true) continue;
      emit(terminal, key);
      const whose = key.agentId === null ? '–' : (names.get(key.agentId) ?? key.agentId);
      const state = key.revokedAt === null ? 'valid' : `revoked ${timeOf(key.revokedAt)}`;
      rows.push([company.prefix, key.id, key.role, whose, key.name ?? '–', timeOf(key.createdAt), state]);
    }
  }
  if (terminal.json) return 0;
  if (rows.length === 0) say(terminal, 'There is none: baton keys create makes one.');
  else {
    const columns = [
      { head: 'COMPANY' },
      { head: 'KEY' },
      { head: 'ROLE' },
      { head: 'AGENT', flexible: true },
      { head: 'FOR', flexible: true },
      { head: 'SINCE' },
      { head: 'STATE' },
    ];
    terminal.out.write(table(terminal, columns, rows));
  }
  return 0;
}
