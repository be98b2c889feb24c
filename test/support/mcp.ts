/** Official MCP clients of both generations, connected, with one short word for calling a tool. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientOf2025 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportOf2025 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export interface ToolResult {
  readonly isError?: boolean;
  readonly content: { readonly type: string; readonly text: string }[];
  // biome-ignore lint/suspicious/noExplicitAny: results of all tools; the assertions say which
  readonly structuredContent: any;
}

export interface McpClient {
  /** Calls a tool; the client checks the answer against the tool's output schema. */
  call(name: string, args?: Record<string, unknown>, signal?: AbortSignal): Promise<ToolResult>;
  tools(): Promise<
    {
      name: string;
      description?: string | undefined;
      inputSchema: Record<string, unknown>;
      outputSchema?: Record<string, unknown> | undefined;
    }[]
  >;
  instructions(): string | undefined;
  close(): Promise<void>;
}

const ME = { name: 'baton-test', version: '0.0.0' };
const headers = (token: string | null): RequestInit =>
  token === null ? {} : { headers: { authorization: `Bearer ${token}` } };

/** The SDK that coding agents embed today: sessions, `initialize`, `notifications/cancelled`. */
async function of2025(url: string, token: string | null): Promise<McpClient> {
  const client = new ClientOf2025(ME);
  const transport = new TransportOf2025(new URL(`${url}/mcp`), { requestInit: headers(token) });
  await client.connect(transport as never);
  // It checks outputs only of tools it has listed.
  await client.listTools();
  return {
    call: (name, args = {}, signal) =>
      client.callTool({ name, arguments: args }, undefined, {
        ...(signal === undefined ? {} : { signal }),
      }) as unknown as Promise<ToolResult>,
    tools: async () => (await client.listTools()).tools,
    instructions: () => client.getInstructions(),
    close: () => client.close(),
  };
}

/** The SDK of today, speaking the protocol of 2025 or of 2026. */
async function of2026(url: string, token: string | null, mode: 'legacy' | 'auto'): Promise<McpClient> {
  const client = new Client(ME, { versionNegotiation: { mode } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: headers(token) }),
  );
  return {
    call: (name, args = {}, signal) =>
      client.callTool({ name, arguments: args }, signal === undefined ? {} : { signal }) as Promise<never>,
    tools: async () => (await client.listTools()).tools,
    instructions: () => client.getInstructions(),
    close: () => client.close(),
  };
}

/** By the name a test's title shows. */
export const CLIENTS: readonly [string, (url: string, token: string | null) => Promise<McpClient>][] = [
  ['the SDK of 2025', of2025],
  ['the SDK of 2026, protocol 2025-11-25', (url, token) => of2026(url, token, 'legacy')],
  ['the SDK of 2026, protocol 2026-07-28', (url, token) => of2026(url, token, 'auto')],
];
