/**
 * MCP as the official SDK speaks it, over our table of tools. A server is made for each request and forgotten with it:
 * everything there is to remember is in the database, so a restart or another node changes nothing for a client
 * (decision 0009).
 *
 * - MC1 A refusal is a result with `isError`, its code and hint in `structuredContent` and, as the same JSON, in the
 *   text: models read the one, programs the other.
 * - MC2 A tool that throws what nobody expected answers INTERNAL with the id under which the log has the cause.
 */
import {
  type CallToolResult,
  createMcpHandler,
  type McpHttpHandler,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server';
import { BatonError } from '../../errors.ts';
import type { Principal } from '../auth.ts';
import type { Doors } from '../doors.ts';
import { expected, internal, invalid, problemOf } from '../problem.ts';
import type { ToolCall } from './tool.ts';
import { listedTools, TOOLS } from './tools.ts';

/** Who made a request, handed through the SDK. */
export interface Caller {
  readonly principal: Principal;
  readonly requestId: string;
}

/** How long clients may keep the list of tools, ms: it changes with the version only. */
const TOOLS_TTL_MS = 3_600_000;

const INSTRUCTIONS =
  'Baton gives work to agents. claim_issue asks for work; while you work on it, call heartbeat with its run.id and ' +
  'fence; end it with complete_issue or fail_issue. FENCED means the work is no longer yours: stop at once. ' +
  'why_stuck says why an issue waits and what happens next. Every refusal has a code and a hint that says what to do.';

/** The handler of `/mcp`, as the SDK makes it. */
export function mcpHandler(doors: Doors): McpHttpHandler {
  const tools = listedTools();
  return createMcpHandler(
    ({ authInfo }) => {
      const caller = authInfo?.extra?.caller as Caller;
      const mcp = new McpServer(
        { name: 'baton', title: 'Baton', version: doors.version },
        {
          capabilities: { tools: {} },
          instructions: `${INSTRUCTIONS} ${whoami(caller.principal)}`,
          cacheHints: { 'tools/list': { ttlMs: TOOLS_TTL_MS, cacheScope: 'public' } },
        },
      );
      mcp.server.setRequestHandler('tools/list', () => ({ tools }));
      mcp.server.setRequestHandler('tools/call', ({ params }, { mcpReq }) => {
        const call = { principal: caller.principal, doors, signal: mcpReq.signal };
        return answer(params.name, params.arguments ?? {}, call, caller.requestId);
      });
      return mcp;
    },
    { onerror: (error) => doors.log.debug({ err: error.message }, 'an MCP request was refused') },
  );
}

/** Calls a tool: MC1, MC2. @throws ProtocolError only where there is no such tool */
async function answer(
  name: string,
  args: unknown,
  call: ToolCall,
  requestId: string,
): Promise<CallToolResult> {
  const tool = TOOLS.find((each) => each.name === name);
  if (tool === undefined) throw noSuchTool(name);
  try {
    const parsed = tool.input.safeParse(args);
    if (!parsed.success) throw invalid(parsed.error);
    return result(await tool.run(parsed.data, call));
  } catch (thrown) {
    return { ...result(refusal(faultOf(thrown, call.doors, requestId))), isError: true };
  }
}

/** What was thrown as an error one may show. */
function faultOf(thrown: unknown, { log, router }: Doors, requestId: string): BatonError {
  const known = expected(thrown);
  if (known !== null) return known.error;
  log.error({ err: thrown, requestId }, 'an MCP call failed');
  const { ready, reason } = router.readiness();
  return ready ? internal(requestId) : new BatonError('UNAVAILABLE', reason ?? 'The server is not ready.');
}

/** The fields of an `error` frame, without its `t` and `id`. */
function refusal(error: BatonError): Record<string, unknown> {
  const {
    type: _type,
    title: _title,
    status: _status,
    detail,
    code,
    retryable,
    hint,
    ...own
  } = problemOf(error);
  return { ...own, code, message: detail, retryable, hint };
}

function result(structuredContent: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

/** MCP's own error for it: the client asked for what `tools/list` does not list. */
function noSuchTool(name: string): ProtocolError {
  const error = new BatonError('NOT_FOUND', `There is no tool ${JSON.stringify(name)}.`, {
    hint: `The tools are ${TOOLS.map((tool) => tool.name).join(', ')}.`,
  });
  return new ProtocolError(ProtocolErrorCode.InvalidParams, error.message, refusal(error));
}

function whoami({ role, agentId, companyId }: Principal): string {
  if (agentId !== null) return `You act as the agent ${agentId} of the company ${companyId}.`;
  return companyId === null
    ? `Your credential is ${role} of every company: name the company where a tool asks for one.`
    : `Your credential is ${role} of the company ${companyId}.`;
}
