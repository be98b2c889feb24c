/**
 * The bridge: an MCP server on standard input and output, for clients that start theirs as a process, over a running
 * Baton server's `/mcp`. The tools are the server's; the bridge adds nothing but heartbeats (kept-runs.ts).
 *
 * It outlives a server that is restarted: a call that does not get through is a refusal (`UNAVAILABLE`), and the next one
 * is tried anew.
 */
import type { Readable, Writable } from 'node:stream';
import { type CallToolResult, McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { RemoteError } from '../../client/remote-error.ts';
import type { Clock, Random } from '../../clock.ts';
import { VERSION } from '../../version.ts';
import { KeptRuns } from './kept-runs.ts';
import type { Upstream } from './upstream.ts';

export interface BridgeOptions {
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly random: Random;
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Ends the bridge. */
  readonly signal: AbortSignal;
}

const KEEPS =
  'Runs claimed here are kept alive by this connection: heartbeat is needed only to tell of progress. End each with ' +
  'complete_issue or fail_issue.';
/** Tools that end a run. */
const ENDS = new Set(['complete_issue', 'fail_issue']);

/** Serves until the client closes standard input or `signal` is aborted. */
export async function bridge({
  upstream,
  clock,
  random,
  stdin,
  stdout,
  signal,
}: BridgeOptions): Promise<void> {
  const runs = new KeptRuns({
    clock,
    beat: async (run) => {
      const { isError, structuredContent } = await upstream.call('heartbeat', run);
      return isError !== true || (structuredContent as { retryable?: unknown })?.retryable === true;
    },
  });

  /** Ids of claims that went unanswered: the next one repeats them, and so gets what they were granted. */
  const unanswered: string[] = [];

  async function call(
    name: string,
    args: Record<string, unknown>,
    gone: AbortSignal,
  ): Promise<CallToolResult> {
    const claimId =
      name === 'claim_issue' && args.claimId === undefined ? (unanswered.pop() ?? random.secret(16)) : null;
    let result: CallToolResult;
    try {
      result = await upstream.call(name, claimId === null ? args : { ...args, claimId }, gone);
    } catch (error) {
      if (claimId !== null) unanswered.push(claimId);
      if (!(error instanceof RemoteError)) throw error;
      return refusal(error);
    }
    if (result.isError === true) return result;
    if (name === 'claim_issue') for (const grant of grantsOf(result)) runs.keep(...grant);
    if (ENDS.has(name) && typeof args.runId === 'string') runs.forget(args.runId);
    return result;
  }

  const over = new Promise<void>((resolve) => {
    stdin.once('end', resolve).once('close', resolve).once('error', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  const serving = serveStdio(
    () => {
      const mcp = new McpServer(
        { name: 'baton', title: 'Baton', version: VERSION },
        { capabilities: { tools: {} }, instructions: `${upstream.instructions} ${KEEPS}`.trim() },
      );
      mcp.server.setRequestHandler('tools/list', () => ({ tools: upstream.tools }));
      mcp.server.setRequestHandler('tools/call', ({ params }, { mcpReq }) =>
        call(params.name, params.arguments ?? {}, mcpReq.signal),
      );
      return mcp;
    },
    { transport: new StdioServerTransport(stdin, stdout) },
  );
  await over;
  runs.close();
  await serving.close();
  await upstream.close();
}

/** As the server itself refuses (docs/mcp.md). */
function refusal({ code, message, retryable, hint }: RemoteError): CallToolResult {
  const structuredContent = { code, message, retryable, hint };
  return {
    isError: true,
    content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
    structuredContent,
  };
}

function grantsOf({ structuredContent }: CallToolResult): [string, number, number][] {
  const { grants } = structuredContent as {
    grants: { run: { id: string }; fence: number; leaseMs: number }[];
  };
  return grants.map(({ run, fence, leaseMs }) => [run.id, fence, leaseMs]);
}
