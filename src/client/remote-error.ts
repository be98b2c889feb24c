/** Refusals and failures as the client throws them: the server's code, or UNAVAILABLE when there is no server. */
import { BatonError, ERRORS, type ErrorCode } from '../errors.ts';

/**
 * What every call of the client rejects with. `code` is one of protocol.md section 7, `detail` holds its fields
 * (`holder`, `allowed`, `version`, …), `hint` says what to do next.
 */
export class RemoteError extends BatonError {
  /** The same request may succeed later. */
  readonly retryable: boolean;
  readonly hint: string;
  /** How long the server asked to wait, null when it did not say. */
  readonly retryAfterMs: number | null;

  constructor(code: ErrorCode, message: string, detail: Readonly<Record<string, unknown>> = {}) {
    super(code, message, detail);
    this.name = 'RemoteError';
    const { retryable, hint, retryAfterMs } = detail;
    this.retryable = typeof retryable === 'boolean' ? retryable : ERRORS[code].retryable;
    this.hint = typeof hint === 'string' ? hint : ERRORS[code].hint;
    this.retryAfterMs = typeof retryAfterMs === 'number' ? retryAfterMs : null;
  }
}

/** From an `error` frame or a problem+json body. A code this client does not know is kept in `detail.code`. */
export function remoteError(body: Readonly<Record<string, unknown>>): RemoteError {
  const { code, message, detail, title } = body;
  const known = typeof code === 'string' && code in ERRORS ? (code as ErrorCode) : 'INTERNAL';
  const said = [message, detail, title].find((text) => typeof text === 'string' && text !== '');
  return new RemoteError(known, typeof said === 'string' ? said : ERRORS[known].title, body);
}

/** No answer came: whether the request was accepted is not known. */
export function unanswered(what: string, hint: string, detail: Record<string, unknown> = {}): RemoteError {
  return new RemoteError('UNAVAILABLE', what, { ...detail, hint });
}

/** The server's own end of a connection; null where it invites to connect again (protocol section 6). */
export function fatalClose(code: number, reason: string): RemoteError | null {
  const said = reason === '' ? '' : `: ${reason}`;
  switch (code) {
    case 4401:
      return new RemoteError('UNAUTHENTICATED', `The server does not accept the token${said}.`, {
        close: code,
      });
    case 4403:
      return new RemoteError('FORBIDDEN', `The server does not allow this connection${said}.`, {
        close: code,
      });
    case 4406:
      return new RemoteError('VALIDATION', 'The server does not speak baton.v1.', {
        close: code,
        hint: 'Use a client of the same major version as the server.',
      });
    default:
      return code >= 4400 && code <= 4406
        ? new RemoteError('VALIDATION', `The server refused a frame${said}.`, { close: code })
        : null;
  }
}

export function isRetryable(error: unknown): error is RemoteError {
  return error instanceof RemoteError && error.retryable;
}
