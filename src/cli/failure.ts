/** How a failed command ends: one sentence, what to do, and its exit code. */
import { BatonError, ERRORS, type ErrorCode } from '../errors.ts';
import { jsonLine, paint, plain, type Terminal } from './terminal.ts';

export const INTERRUPTED = 130;

/** Of a state that cannot be read every fault is told, a line each. */
const MOST_LINES = 4;

/** The usual hints speak of requests and headers: what the same is on a command line. */
const HERE: Readonly<Partial<Record<ErrorCode, string>>> = {
  VALIDATION: 'Correct it and try again; baton help COMMAND says what it takes.',
  UNAUTHENTICATED: 'Give a key that has not been revoked: --token or BATON_TOKEN.',
  FORBIDDEN:
    'Give a key of a role that may do this: --token or BATON_TOKEN; `baton keys` lists keys and roles.',
  NOT_FOUND: 'See that it is written right, and that the credential is of its company.',
  CONFLICT: 'Look at it again, and decide anew.',
  RATE_LIMITED: 'Wait a moment and try again.',
  DRAINING: 'Try again in a moment: another node, or this one after its restart, goes on.',
  UNAVAILABLE: 'Try again in a moment; `baton doctor` says what is missing.',
};

/** Prints `error` on stderr (as JSON where `--json` was given) and answers the exit code. */
export function fail(terminal: Terminal, error: unknown, asJson: boolean): number {
  const code = error instanceof BatonError ? error.code : 'INTERNAL';
  const detail = error instanceof BatonError ? error.detail : {};
  const said = typeof detail.hint === 'string' ? detail.hint : hintOf(error);
  // Programs get the server's word as it is.
  const hint = asJson || said !== ERRORS[code].hint ? said : (HERE[code] ?? said);
  const message = error instanceof Error ? error.message : String(error);
  if (asJson) {
    terminal.err.write(`${jsonLine({ error: { ...detail, code, message, hint } })}\n`);
  } else {
    const all = message.split('\n').map(plain);
    const lines = all.length > MOST_LINES ? [...all.slice(0, MOST_LINES - 1), '… (all of it: --json)'] : all;
    terminal.err.write(`${paint(terminal, 'red', 'baton:')} ${lines.join('\n       ')}\n`);
    if (Array.isArray(detail.allowed)) {
      terminal.err.write(`       Allowed now: ${plain(detail.allowed.join(', ')) || 'nothing'}.\n`);
    } else if (hint !== null) terminal.err.write(`       ${plain(hint)}\n`);
  }
  return ERRORS[code].exit;
}

/** A message of our own says what to do itself; a server's may not. */
function hintOf(error: unknown): string | null {
  if (!(error instanceof BatonError))
    return 'This is a defect in baton; set BATON_DEBUG=1 to see where it happened.';
  return error.name === 'RemoteError' ? ERRORS[error.code].hint : null;
}
