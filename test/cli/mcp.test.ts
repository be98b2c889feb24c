/** `baton mcp`: the built command as a coding agent starts it, before a real server. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as ClientOf2025 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as TransportOf2025 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/built.ts';
import type { ToolResult } from '../support/mcp.ts';
import { call, office, startServer, type TestServer, until } from '../support/server.ts';
import { ROOT } from '../support/source.ts';
import { baton } from './world.ts';

const LEASE_MS = 2500;

let server: TestServer;
beforeAll(async () => {
  await ensureBuilt();
  // A port of its own, so that it is the same after a restart.
  server = await startServer({ port: String(await freePort()), 'lease-ms': String(LEASE_MS) });
}, 120_000);
afterAll(() => server?.stop());

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

interface Bridge {
  call(name: string, args?: Record<string, unknown>, signal?: AbortSignal): Promise<ToolResult>;
  tools(): Promise<string[]>;
  instructions(): string | undefined;
  close(): Promise<void>;
}

const command = (args: string[]) => ({
  command: process.execPath,
  args: [join(ROOT, 'dist/cli/main.js'), 'mcp', '--url', server.url, ...args],
  cwd: ROOT,
  stderr: 'ignore' as const,
});
const ME = { name: 'test', version: '0' };

/** Starts the bridge by today's client. */
async function start(...args: string[]): Promise<Bridge> {
  const client = new Client(ME);
  await client.connect(new StdioClientTransport(command(args)));
  return {
    call: (name, given = {}, signal) =>
      client.callTool({ name, arguments: given }, signal === undefined ? {} : { signal }) as Promise<never>,
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    instructions: () => client.getInstructions(),
    close: () => client.close(),
  };
}

/** The same by the client that coding agents embed. */
async function startOf2025(...args: string[]): Promise<Bridge> {
  const client = new ClientOf2025(ME);
  await client.connect(new TransportOf2025(command(args)));
  return {
    call: (name, given = {}) => client.callTool({ name, arguments: given }) as Promise<never>,
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    instructions: () => client.getInstructions(),
    close: () => client.close(),
  };
}

it('an agent works through it as itself, by a key that ends with it, also with the SDK of 2025', async () => {
  const desk = await office(server, 'claude-1');
  const [agent = ''] = desk.agents;
  const issue = await desk.issue(agent);
  const bridge = await startOf2025('--agent', 'claude-1', '--company', desk.prefix);
  expect(await bridge.tools()).toContain('claim_issue');
  expect(bridge.instructions()).toContain(agent);
  const { grants } = (await bridge.call('claim_issue')).structuredContent;
  expect(grants[0].issue.id).toBe(issue.id);
  const done = await bridge.call('complete_issue', { runId: grants[0].run.id, fence: grants[0].fence });
  expect(done.structuredContent.issue.state).toBe('done');
  const other = await bridge.call('get_issue', { issueId: `${issue.id.slice(0, -1)}x` });
  expect(other).toMatchObject({ isError: true, structuredContent: { code: 'NOT_FOUND' } });

  type Keys = { items: { role: string; revokedAt: number | null }[] };
  const keys = () => call<Keys>(server, 'GET', `/companies/${desk.companyId}/keys`);
  expect((await keys()).body.items).toMatchObject([{ role: 'agent', revokedAt: null }]);
  await bridge.close();
  const { body } = await until(keys, (seen) => seen.body.items[0]?.revokedAt !== null);
  expect(body.items).toMatchObject([{ role: 'agent', revokedAt: expect.any(Number) }]);
});

describe('one bridge, as long as a coding agent runs', () => {
  let desk: Awaited<ReturnType<typeof office>>;
  let bridge: Bridge;
  beforeAll(async () => {
    desk = await office(server, { name: 'codex-1', maxConcurrentRuns: 5 }, 'other');
    bridge = await start('--agent', desk.agents[0]!);
  });
  afterAll(() => bridge?.close());

  async function claimed() {
    const issue = await desk.issue(desk.agents[0]);
    const { grants } = (await bridge.call('claim_issue', { waitMs: 5000 })).structuredContent;
    expect(grants[0].issue.id).toBe(issue.id);
    return { issue, of: { runId: grants[0].run.id as string, fence: grants[0].fence as number } };
  }

  it('is told when a run was taken away', async () => {
    const { issue, of } = await claimed();
    await desk.send(issue.id, { type: 'ASSIGN', agentId: desk.agents[1] });
    const late = await bridge.call('fail_issue', { ...of, error: 'x' });
    expect(late).toMatchObject({ isError: true, structuredContent: { code: 'FENCED' } });
  });

  it('withdraws a claim that its client cancelled', async () => {
    const waitingClaims = async () => {
      const headers = { authorization: `Bearer ${server.runtime.token}` };
      const text = await (await fetch(`${server.url}/metrics`, { headers })).text();
      return Number(/^baton_claims (\d+)$/m.exec(text)?.[1]);
    };
    const cancel = new AbortController();
    const waiting = bridge.call('claim_issue', { waitMs: 50_000 }, cancel.signal);
    expect(await until(waitingClaims, (n) => n === 1)).toBe(1);
    cancel.abort();
    await expect(waiting).rejects.toThrow();
    expect(await until(waitingClaims, (n) => n === 0)).toBe(0);
  });

  it('outlives a server that is restarted', async () => {
    await server.runtime.stop();
    const meanwhile = await bridge.call('list_issues');
    expect(meanwhile).toMatchObject({
      isError: true,
      structuredContent: { code: 'UNAVAILABLE', retryable: true },
    });
    expect(meanwhile.structuredContent.hint).toMatch(/baton start/);
    await server.restart();
    await claimed();
  });

  it('keeps a run alive far beyond its lease, and its end is the end of the run', async () => {
    const { issue } = await claimed();
    await new Promise((resolve) => setTimeout(resolve, 2 * LEASE_MS));
    expect(await desk.get(issue.id)).toMatchObject({ substate: 'executing', attempt: 0 });
    await bridge.close();
    const lost = await until(
      () => desk.get(issue.id),
      (seen) => seen.substate !== 'executing',
      20_000,
    );
    expect(lost).toMatchObject({ state: 'scheduled-retry', retry: { reason: 'process_lost' } });
  });
});

describe('a start that cannot be', () => {
  const at = async (...args: string[]) => {
    const { code, err, out } = await baton(['mcp', ...args], { env: {} });
    expect(out).toBe('');
    return { code, err };
  };

  it('without a server ends with 4 and says what to do', async () => {
    const { code, err } = await at('--url', `http://127.0.0.1:${await freePort()}`);
    expect(code).toBe(4);
    expect(err).toMatch(/No Baton server answers.*\n.*baton start/);
  });

  it('with a wrong token ends with 1, before the client could think that it works', async () => {
    const { code, err } = await at('--url', server.url, '--token', 'wrong');
    expect(code).toBe(1);
    expect(err).toMatch(/credential/);
  });
});
