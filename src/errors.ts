/**
 * The registry of error codes: one list for HTTP, WebSocket, MCP and the CLI (protocol section 7). The first split is
 * what the receiver should do: `retryable` says whether the same request may succeed later. `test/errors.test.ts`
 * compares this list with docs/protocol.md.
 */

interface ErrorKind {
  status: number;
  retryable: boolean;
  title: string;
  /** What to do next, said to whoever gets the error when nothing more exact is known. */
  hint: string;
  /** Exit code of the CLI: 1 failure, 2 usage, 3 refused by state, 4 cannot connect. */
  exit: 1 | 2 | 3 | 4;
}

export const ERRORS = {
  VALIDATION: {
    status: 400,
    retryable: false,
    title: 'The request is malformed',
    hint: 'Correct the fields named in detail and send it again.',
    exit: 2,
  },
  UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    title: 'No valid credential',
    hint: 'Send "Authorization: Bearer <token>" (or token in hello) with a key that has not been revoked.',
    exit: 1,
  },
  FORBIDDEN: {
    status: 403,
    retryable: false,
    title: 'The credential does not allow this',
    hint: 'Use a key of a role that may do this; the table of roles is in docs/protocol.md, section 4.',
    exit: 3,
  },
  NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'There is no such thing here',
    hint: 'Check the id and the company the credential belongs to.',
    exit: 1,
  },
  NOT_ALLOWED: {
    status: 409,
    retryable: false,
    title: 'The state does not allow this event',
    hint: 'Read it again; "allowed" names the events its state accepts now.',
    exit: 3,
  },
  FENCED: {
    status: 409,
    retryable: false,
    title: 'The run or its fence is not the one in force',
    hint: 'Another grant or a loss of authority came after yours, or the fence was never given: stop this run and claim again.',
    exit: 3,
  },
  CONFLICT: {
    status: 409,
    retryable: false,
    title: 'It has changed meanwhile, or the name is taken',
    hint: 'Read it again, decide anew, and send the version you decided on.',
    exit: 3,
  },
  TOO_LARGE: {
    status: 413,
    retryable: false,
    title: 'The request is too large',
    hint: 'Send less at once; the limits are in the welcome frame and in docs/protocol.md.',
    exit: 2,
  },
  RATE_LIMITED: {
    status: 429,
    retryable: true,
    title: 'Too many requests',
    hint: 'Wait retryAfterMs and send it again.',
    exit: 1,
  },
  DRAINING: {
    status: 503,
    retryable: true,
    title: 'The server is stopping',
    hint: 'Connect again; another node, or this one after its restart, goes on.',
    exit: 4,
  },
  UNAVAILABLE: {
    status: 503,
    retryable: true,
    title: 'Not possible at the moment',
    hint: 'Send it again after retryAfterMs with the same idempotency key.',
    exit: 4,
  },
  INTERNAL: {
    status: 500,
    retryable: false,
    title: 'A defect in the server',
    hint: 'Nothing was changed. Report it with the time and the request id; the server log has the cause.',
    exit: 1,
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * An expected refusal on its way to whoever asked. `detail` holds the code's own fields (protocol section 7). It has no
 * stack: nobody looks for its cause in the code, and collecting one cost more than all else that a hostile frame costs.
 */
export class BatonError extends Error {
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, detail: Readonly<Record<string, unknown>> = {}) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'BatonError';
    this.code = code;
    this.detail = detail;
  }
}
