/**
 * The reference's examples on a command line: a block to paste first, then one example an operation. They run as they
 * stand (test/examples.test.ts). The first block makes what they name, in a company of its own: trying an operation
 * touches nothing else. `B` is the server's address, as in every document.
 */

/** Bodies by operation; `$name` stands for a variable of the first block. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /v1/companies': { name: 'Globex', prefix: 'GLOBEX' },
  'POST /v1/companies/{companyId}/keys': { role: 'agent', agentId: '$agentId' },
  'POST /v1/companies/{companyId}/agents': { name: 'claude-1', adapterType: 'claude_local' },
  'PATCH /v1/agents/{agentId}': { maxConcurrentRuns: 2, retry: { leaseMs: 900_000 } },
  'POST /v1/agents/{agentId}/pause': { drain: true },
  'POST /v1/agents/{agentId}/resume': { reason: 'back from holiday' },
  'POST /v1/agents/{agentId}/terminate': { reason: 'replaced' },
  'POST /v1/agents/{agentId}/claim': { waitMs: 1000 },
  'POST /v1/companies/{companyId}/issues': {
    title: 'Fix login',
    priority: 'high',
    assigneeAgentId: '$agentId',
  },
  'POST /v1/companies/{companyId}/issues/bulk': {
    issues: [{ title: 'Fix login' }, { title: 'Fix logout', priority: 'low' }],
  },
  'POST /v1/issues/{issueId}/events': { type: 'ASSIGN', agentId: null, reason: 'on holiday' },
  'PATCH /v1/issues/{issueId}': { title: 'Fix the login page', priority: 'critical' },
  'POST /v1/issues/{issueId}/comments': { body: 'Please look at the log.' },
  'POST /v1/runs/{runId}/heartbeat': { fence: 1, progress: 0.4, note: 'half of it' },
  'POST /v1/runs/{runId}/succeed': { fence: 1, result: { filesChanged: 3 } },
  'POST /v1/runs/{runId}/fail': { fence: 1, error: '429', errorFamily: 'transient_upstream' },
  'POST /v1/runs/{runId}/stopped': { fence: 1 },
  'POST /v1/runs/{runId}/log': {
    fence: 1,
    lines: [{ at: 1_764_000_000_000, stream: 'stdout', text: 'working on it' }],
  },
};

/** The operation that has to come before, where a fresh run or agent would refuse the example. */
const BEFORE: Readonly<Record<string, readonly [path: string, body: object]>> = {
  'POST /v1/agents/{agentId}/resume': ['/v1/agents/{agentId}/pause', { reason: 'on holiday' }],
  // A worker answers a stop; this one is told to.
  'POST /v1/runs/{runId}/stopped': ['/v1/issues/{issueId}/events', { type: 'CANCEL' }],
};

export interface CurlOptions {
  /** False: the server wants a token of everybody. */
  readonly isLocal: boolean;
}

/** What is pasted first. @param origin the server's address, such as `http://127.0.0.1:4300`. */
export function firstBlock(origin: string, { isLocal }: CurlOptions): string {
  const token = isLocal ? '' : 'T=$BATON_TOKEN\n';
  return `B=${origin}
${token}post() { ${curl('POST', '"$B/v1$1"', isLocal)} -H 'content-type: application/json' -d "$2"; }
of()   { node -pe "JSON.parse(require('fs').readFileSync(0)).$1"; }
companyId=$(post /companies '{"name":"Try","prefix":"TRY'$RANDOM'"}' | of id)
agentId=$(post /companies/$companyId/agents '{"name":"try-1","retry":{"leaseMs":3600000}}' | of id)
keyId=$(post /companies/$companyId/keys '{"role":"viewer"}' | of id)
issueId=$(post /companies/$companyId/issues '{"title":"Fix login","assigneeAgentId":"'$agentId'"}' | of id)
runId=$(post /agents/$agentId/claim '{}' | of 'grants[0].run.id')
identifier=$(${curl('GET', '$B/v1/issues/$issueId', isLocal)} | of identifier)
version=1`;
}

/**
 * One operation, after `firstBlock`.
 * @param path with its parameters in braces
 * @param hasBody the operation takes JSON
 */
export function example(method: string, path: string, hasBody: boolean, { isLocal }: CurlOptions): string {
  const operation = `${method} ${path}`;
  const before = BEFORE[operation];
  return [
    ...(before === undefined ? [] : [request('POST', before[0], before[1], isLocal)]),
    request(method, path, hasBody ? (BODIES[operation] ?? {}) : null, isLocal),
  ].join('\n');
}

function request(method: string, path: string, body: object | null, isLocal: boolean): string {
  const address = `"$B${path.replaceAll(/\{(\w+)\}/g, '$$$1')}"`;
  const line = curl(method, address, isLocal);
  if (body === null) return line;
  const text = JSON.stringify(body).replaceAll(/\$(\w+)/g, "'$$$1'");
  return `${line} \\\n  -H 'content-type: application/json' -d '${text}'`;
}

function curl(method: string, address: string, isLocal: boolean): string {
  const verb = method === 'GET' ? '' : ` -X ${method}`;
  const token = isLocal ? '' : ` -H "Authorization: Bearer $T"`;
  return `curl -sS${verb}${token} ${address}`;
}
