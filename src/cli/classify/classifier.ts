/**
 * Why a command failed, told from what it printed: an error that will pass – the issue is retried, not before the time
 * the message names – or anything else. Pure; what each tool says is in codex.ts and claude.ts.
 */
import { passagesOf } from './error-text.ts';
import { type Now, resetTime } from './reset-time.ts';

/** What one tool says. A passage that matches `never` is looked at no further, whatever else it says. */
export interface Wording {
  readonly errorCode: string;
  readonly transient: readonly RegExp[];
  /** Errors that look alike and do not pass by waiting: no money, no access. */
  readonly never: readonly RegExp[];
}

export interface Transient {
  /** The message that was recognised, shortened. */
  readonly error: string;
  readonly errorFamily: 'transient_upstream';
  readonly errorCode: string;
  /** Epoch ms; null: the message names no time. */
  readonly retryNotBefore: number | null;
}

const LONGEST_ERROR = 500;

/** Null: nothing that is known to pass. The last such message counts. */
export function classify(output: string, wording: Wording, at: Now): Transient | null {
  for (const passage of passagesOf(output)) {
    if (wording.never.some((pattern) => pattern.test(passage))) return null;
    if (!wording.transient.some((pattern) => pattern.test(passage))) continue;
    return {
      error: passage.slice(0, LONGEST_ERROR),
      errorFamily: 'transient_upstream',
      errorCode: wording.errorCode,
      retryNotBefore: resetTime(passage, at),
    };
  }
  return null;
}

/** How HTTP says it, whoever prints it. A bare number is not enough: "429 tests passed". */
export const HTTP_TRANSIENT: readonly RegExp[] = [
  /\b(?:429 too many requests|50[234] (?:bad gateway|service (?:temporarily )?unavailable|gateway time-?out)|529 (?:site is )?overloaded)\b/i,
  /\b(?:status(?:[ _]?code)?|http(?:\/[\d.]+)?|error)\b["']?[\s:=(]{1,4}["']?(?:429|50[234]|529)\b/i,
  /\b(?:rate_limit_(?:error|exceeded)|overloaded_error|server_is_overloaded|slow_down|temporarily overloaded)\b/i,
];
