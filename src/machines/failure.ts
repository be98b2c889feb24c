/** Which failures are worth another attempt (domain.md section 3, "which failures"). */
import type { RetryReason } from './backoff.ts';

const TRANSIENT_FAMILY = 'transient_upstream';
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'codex_transient_upstream',
  'claude_transient_upstream',
]);
const LOST_CODES: ReadonlySet<string> = new Set(['lease_expired', 'process_lost']);

/** The reason to retry, or null: the failure is permanent. A transient family wins over a code that says otherwise. */
export function retryReasonOf(failure: {
  errorFamily?: string | undefined;
  errorCode?: string | undefined;
}): RetryReason | null {
  const { errorFamily, errorCode } = failure;
  if (errorFamily === TRANSIENT_FAMILY) return 'transient_failure';
  if (errorCode === undefined) return null;
  if (TRANSIENT_CODES.has(errorCode)) return 'transient_failure';
  return LOST_CODES.has(errorCode) ? 'process_lost' : null;
}
