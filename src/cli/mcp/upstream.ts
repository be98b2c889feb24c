/** The server's `/mcp` seen from the bridge, through the official client; what it refuses comes back as ours. */
import {
  type CallToolResult,
  Client,
  ProtocolError,
  SdkHttpError,
  StreamableHTTPClientTransport,
  type Tool,
} from '@modelcontextprotocol/client';
import { type RemoteError, remoteError, unanswered } from '../../client/remote-error.ts';
import { VERSION } from '../../version.ts';

export interface Upstream {
  readonly tools: Tool[];
  /** What the server tells every client about itself. */
  readonly instructions: string;
  /** Calls a tool. @throws ProtocolError as the server's own, RemoteError when it did not get through. */
  call(name: string, args: Record<string, unknown>, signal?: AbortSignal): Promise<CallToolResult>;
  close(): Promise<void>;
}

/** A claim may wait 50 s; whoever asked through us has a patience of its own. */
const TIMEOUT_MS = 70_000;

/**
 * Connects to the server at `url` (http or https, without a path).
 * @throws RemoteError UNAVAILABLE when nobody listens, UNAUTHENTICATED when the token is not valid.
 */
export async function upstreamOf(url: string, token: string | null): Promise<Upstream> {
  const client = new Client(
    { name: 'baton-mcp', version: VERSION },
    // Of this revision each request is complete in itself: the bridge goes on after a restart of the server.
    { versionNegotiation: { mode: 'auto' } },
  );
  const requestInit = token === null ? {} : { headers: { authorization: `Bearer ${token}` } };
  const address = new URL('/mcp', url);
  const { tools } = await client
    .connect(new StreamableHTTPClientTransport(address, { requestInit }))
    .then(() => client.listTools())
    .catch(async (error: unknown) => {
      await client.close().catch(() => {});
      throw faultOf(error, url);
    });
  return {
    tools,
    instructions: client.getInstructions() ?? '',
    async call(name, args, signal) {
      try {
        const options = { timeout: TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) };
        return await client.callTool({ name, arguments: args }, options);
      } catch (error) {
        throw error instanceof ProtocolError ? error : faultOf(error, url);
      }
    },
    close: () => client.close(),
  };
}

/** What the transport says, as an error with a code and what to do. */
function faultOf(error: unknown, url: string): RemoteError {
  if (error instanceof SdkHttpError) {
    const body = bodyOf(error.data.text);
    if (body !== null) return remoteError(body);
    return unanswered(
      `${url} answered ${error.status}, which no Baton server says.`,
      'Check --url: it must be the address of a Baton server, without a path.',
    );
  }
  return unanswered(
    `No Baton server answers at ${url}.`,
    'Start it with `baton start`, or name another with --url or BATON_URL.',
  );
}

function bodyOf(text: unknown): Record<string, unknown> | null {
  try {
    const body: unknown = JSON.parse(typeof text === 'string' ? text : '');
    return typeof body === 'object' && body !== null && 'code' in body ? { ...body } : null;
  } catch {
    return null;
  }
}
