/**
 * Another company's data (P15; docs/guarantees.md, Security, "tenants"): every verb of every transport, aimed at every sort
 * of thing of another company, is answered as for an id that does not exist – status, headers, body, and what is read for it.
 * Routes come from the OpenAPI document, events and frames from their schemas, tools from the server: none can be forgotten.
 */
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { Homes } from '../../src/gateway/homes.ts';
import { claimFrame, eventFrame } from '../../src/gateway/protocol.ts';
import { document, variantsOf } from '../fuzz/spoilers.ts';
import { type Bench, type Reply, start } from '../gateway/support/gateway.ts';
import { replaced } from '../simulation/mutants/mutant.ts';
import { Chance } from '../simulation/world/chance.ts';

type Things = Readonly<Record<'company' | 'agent' | 'issue' | 'run' | 'key', string>>;

async function tenant(bench: Bench, prefix: string) {
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
const missing = (things: Things): Things =>
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
  expect(claim?.name).toBe('claim claim');
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
async function leaks(bench: Bench): Promise<string[]> {
  const mine = await tenant(bench, 'ACME');
  const theirs = await tenant(bench, 'OTH');
  const verbs = [
    ...(await httpVerbs(bench)),
    ...(await socketVerbs(bench)),
    ...inspectorVerbs(bench),
    ...(await mcpVerbs(bench)),
  ];
  for (const verb of inspectorVerbs(bench)) {
    expect(JSON.stringify(await verb.ask(mine.things, mine.tokens.operator))).toContain('@xstate.actor');
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
  expect(verbs.length).toBeGreaterThan(50);
  return found;
}

let undo = () => {};
afterEach(() => undo());

describe('another company', () => {
  it('is answered as what does not exist by every verb of HTTP, WebSocket and MCP, to every role', async () => {
    expect(await leaks(await start())).toEqual([]);
  }, 60_000);

  it('is found to be reachable where the filter of companies is gone', async () => {
    const bench = await start();
    undo = replaced(
      Homes.prototype,
      'companyOf',
      (real) =>
        function (this: Homes, id, letter) {
          return real.call(this, id, letter, null);
        },
    );
    expect((await leaks(bench)).length).toBeGreaterThan(10);
  }, 60_000);

  it('costs the same reads as what does not exist, also when it is known and in memory', async () => {
    const bench = await start();
    const mine = await tenant(bench, 'ACME');
    const theirs = await tenant(bench, 'OTH');
    const reads: string[] = [];
    undo = replaced(
      bench.router,
      'get',
      (real) =>
        function (this: typeof bench.router, id) {
          reads.push(id);
          return real.call(this, id);
        },
    );
    const costOf = async (id: string) => {
      reads.length = 0;
      expect((await bench.get(`/v1/issues/${id}`, { token: mine.tokens.operator })).status).toBe(404);
      const known = new Set([theirs.things.issue]);
      // What is not there is looked for in the database; what is there may be in memory.
      return reads.filter((read) => !known.has(read)).length > 0;
    };
    expect(await costOf(missing(theirs.things).issue)).toBe(true);
    expect(await costOf(theirs.things.issue)).toBe(true);
    await bench.get(`/v1/issues/${theirs.things.issue}`);
    expect(await costOf(theirs.things.issue), 'once it is known').toBe(true);
  });
});
