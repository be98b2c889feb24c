/**
 * Another company's data (P15; docs/guarantees.md, Security, "tenants"): every verb of every transport, aimed at every sort
 * of thing of another company, is answered as for an id that does not exist – status, headers, body, and what is read for it.
 * Routes come from the OpenAPI document, events and frames from their schemas, tools from the server: none can be forgotten.
 */
import WebSocket from 'ws';
import { claimFrame, eventFrame } from '../../src/gateway/protocol.ts';
import { document, variantsOf } from '../fuzz/spoilers.ts';
import type { Bench, Reply } from '../gateway/support/bench.ts';
import { Chance } from '../simulation/world/chance.ts';

type Things = Readonly<Record<'company' | 'agent' | 'issue' | 'run' | 'key', string>>;

export async function tenant(bench: Bench, prefix: string) {
  const company = await bench.company(prefix);
  const agent = await bench.agent(company);
  const issue = await bench.issue(company, { assigneeAgentId: agent, title: `secret of ${prefix}` });
  const grant = await bench.grant(company, agent);
  const key = await bench.key(company, 'viewer');
  const things: Things = { company, agent, issue, run: grant.run.id, key: key.id };
  const tokens = {
    operator: (await bench.key(company, 'operator')).token,
    agent: (await bench.key(company, 'agent', agent)).token,
    viewer: key.token,
  };
  return { things, tokens };
}

/** The same sort of ids, of nothing. */
export const missing = (things: Things): Things =>
  Object.fromEntries(
    Object.entries(things).map(([name, id]) => [
      name,
      id.replace(/^(.{4})[0-9a-f]+/, `$1${'0'.repeat(17)}1`),
    ]),
  ) as Things;

/** What an answer says, its own name and the hour left out. */
function told({ status, headers, text }: Reply) {
  const { date: _d, 'x-request-id': _r, ...rest } = headers;
  return { status, headers: rest, text: text.replaceAll(/"requestId":"[^"]*"/g, '') };
}

/** There are more than these; fewer were found means that we look in the wrong place. */
const LEAST_VERBS = 50;
const ROLES = ['operator', 'agent', 'viewer'] as const;

interface Verb {
  readonly name: string;
  /** Its answer when it is aimed at these things. */
  ask(at: Things, token: string): Promise<unknown>;
}

/** Every route with an id in its path. */
async function httpVerbs(bench: Bench): Promise<Verb[]> {
  const { paths } = (await bench.get('/openapi.json')).body as {
    paths: Record<string, Record<string, unknown>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) => {
    if (!path.includes('{')) return [];
    return Object.keys(methods)
      .filter((method) => !(path.startsWith('/v1/machines') || method === 'parameters'))
      .map((method) => ({
        name: `${method.toUpperCase()} ${path}`,
        ask: async (at: Things, token: string) => {
          const url = path.replace(/\{(\w+?)Id\}/g, (_, of: keyof Things) => at[of]).replace(/\{\w+\}/g, 'x');
          const body = method === 'get' || method === 'delete' ? {} : { body: {} };
          return told(await bench.ask(method.toUpperCase(), url, { token, ...body }));
        },
      }));
  });
}

/** Every topic, every event, and a claim. */
async function socketVerbs(bench: Bench): Promise<Verb[]> {
  const over = async (token: string, frame: object) => {
    const client = await bench.connect(token);
    const answer = await client.ask({ ...frame, id: 'q' });
    client.close();
    return answer;
  };
  const topics = {
    company: 'company',
    stats: 'company',
    issue: 'issue',
    journal: 'issue',
    agent: 'agent',
  } as const;
  const events = variantsOf('event', eventFrame).map(({ name, node }) => ({
    name: `frame ${name}`,
    ask: (at: Things, token: string) => {
      const values = { issueId: [at.issue], runId: [at.run], agentId: [at.agent], fence: [1] };
      return over(token, document(node, values, new Chance(name)));
    },
  }));
  const [claim] = variantsOf('claim', claimFrame);
  if (claim?.name !== 'claim claim') throw new Error(`the claim is ${claim?.name}`);
  return [
    ...Object.entries(topics).map(([topic, of]) => ({
      name: `frame sub ${topic}`,
      ask: (at: Things, token: string) => over(token, { t: 'sub', topic: `${topic}:${at[of]}` }),
    })),
    ...events,
    {
      name: 'frame claim',
      ask: (at: Things, token: string) => over(token, { t: 'claim', agentId: at.agent, waitMs: 0 }),
    },
  ];
}

/** What the inspector says of a thing, up to its close. */
function inspectorVerbs(bench: Bench): Verb[] {
  return (['issue', 'company'] as const).map((of) => ({
    name: `inspect ${of}`,
    ask: (at: Things, token: string) =>
      new Promise((resolve) => {
        const url = `ws://127.0.0.1:${bench.gateway.port}/inspect/ws?${of}=${at[of]}`;
        const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
        let told = '';
        socket.on('message', (data) => {
          told += String(data);
          // It was let in: what comes first is enough.
          socket.terminate();
        });
        socket.on('error', (error) => {
          told += error.message;
        });
        socket.on('close', (code, reason) =>
          resolve([told, code === 4404 ? 'NOT_FOUND' : code === 4403 ? 'FORBIDDEN' : code, String(reason)]),
        );
      }),
  }));
}

/** Every tool that is about something. */
async function mcpVerbs(bench: Bench): Promise<Verb[]> {
  const rpc = (method: string, params: object, token?: string) =>
    bench.post(
      '/mcp',
      { jsonrpc: '2.0', id: 1, method, params },
      {
        ...(token === undefined ? {} : { token }),
        headers: { accept: 'application/json, text/event-stream' },
      },
    );
  const listed = (await rpc('tools/list', {})).text;
  const { tools } = JSON.parse(/\{.*\}/s.exec(listed)![0]).result as {
    tools: { name: string; inputSchema: { properties: Record<string, unknown> } }[];
  };
  return tools
    .filter(({ inputSchema: { properties } }) =>
      ['issueId', 'runId', 'agentId', 'company'].some((k) => k in properties),
    )
    .map(({ name, inputSchema }) => ({
      name: `tool ${name}`,
      ask: async (at: Things, token: string) => {
        const given = {
          ...{ issueId: at.issue, runId: at.run, agentId: at.agent, company: at.company, fence: 1 },
          ...{ body: 'x', error: 'x' },
        };
        const args = Object.fromEntries(
          Object.entries(given).filter(([key]) => key in inputSchema.properties),
        );
        return told(await rpc('tools/call', { name, arguments: args }, token));
      },
    }));
}

/** Differences between what a foreign and a missing thing are answered, and answers that are no refusal. */
export async function foreignThings(bench: Bench): Promise<string[]> {
  const mine = await tenant(bench, 'ACME');
  const theirs = await tenant(bench, 'OTH');
  const verbs = [
    ...(await httpVerbs(bench)),
    ...(await socketVerbs(bench)),
    ...inspectorVerbs(bench),
    ...(await mcpVerbs(bench)),
  ];
  if (verbs.length <= LEAST_VERBS) throw new Error(`only ${verbs.length} verbs were found`);
  for (const verb of inspectorVerbs(bench)) {
    const own = JSON.stringify(await verb.ask(mine.things, mine.tokens.operator));
    if (!own.includes('@xstate.actor')) throw new Error(`${verb.name} of one's own: ${own}`);
  }
  const found: string[] = [];
  for (const verb of verbs) {
    for (const role of ROLES) {
      const token = mine.tokens[role];
      const foreign = JSON.stringify(await verb.ask(theirs.things, token));
      const none = JSON.stringify(await verb.ask(missing(theirs.things), token));
      if (foreign !== none)
        found.push(`${verb.name} as ${role}: ${foreign} for a foreign one, ${none} for none`);
      if (!/NOT_FOUND|FORBIDDEN/.test(foreign)) found.push(`${verb.name} as ${role}: ${foreign}`);
      if (foreign.includes('secret of OTH')) found.push(`${verb.name} as ${role} tells the title`);
    }
  }
  return found;
}
