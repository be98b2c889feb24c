/** How a failed command ends: one sentence, what to do, and its exit code. */
import { BatonError, ERRORS } from '../errors.ts';
import { jsonLine, paint, plain, type Terminal } from './terminal.ts';

export const INTERRUPTED = 130;

/** Prints `error` on stderr (as JSON where `--json` was given) and answers the exit code. */
export function fail(terminal: Terminal, error: unknown, asJson: boolean): number {
  const code = error instanceof BatonError ? error.code : 'INTERNAL';
  const detail = error instanceof BatonError ? error.detail : {};
  const hint = typeof detail.hint === 'string' ? detail.hint : hintOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (asJson) {
    terminal.err.write(`${jsonLine({ error: { ...detail, code, message, hint } })}\n`);
  } else {
    const lines = message.split('\n').map(plain);
    terminal.err.write(`${paint(terminal, 'red', 'baton:')} ${lines.join('\n       ')}\n`);
    if (Array.isArray(detail.allowed)) {
      terminal.err.write(`       Allowed now: ${plain(detail.allowed.join(', '))}.\n`);
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
