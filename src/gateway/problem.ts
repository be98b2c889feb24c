/**
 * Errors on the wire. One registry (errors.ts) serves both shapes: RFC 9457 problem details over HTTP and `error`
 * frames over WebSocket (protocol sections 3, 6 and 7). Nothing of a stack, SQL or a path leaves the server: whatever
 * is not a `BatonError` becomes INTERNAL with the id under which the log has the cause.
 */
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { BatonError, ERRORS, type ErrorCode } from '../errors.ts';
import { fieldWords } from '../machines/field-words.ts';
import type { Refusal } from '../supervisor/router.ts';

/** One field that is wrong; `path` is dotted, empty for the whole document. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface Problem extends Record<string, unknown> {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryable: boolean;
  readonly hint: string;
}

/** How long to wait before the next try where nothing more exact is known, ms. */
const RETRY_AFTER_MS = 1000;

/** A fault as problem details. `status` differs from the registry's for HTTP's own refusals (405, 415, 421, 426). */
export function problemOf(error: BatonError, status?: number): Problem {
  const kind = ERRORS[error.code];
  const { hint, ...own } = withRetry(error);
  return {
    ...own,
    type: `urn:baton:error:${error.code.toLowerCase()}`,
    title: kind.title,
    status: status ?? kind.status,
    code: error.code,
    detail: error.message,
    retryable: kind.retryable,
    hint: typeof hint === 'string' ? hint : kind.hint,
  };
}

/** A fault as an `error` frame's text. */
export function errorFrame(id: string, error: BatonError): string {
  const kind = ERRORS[error.code];
  const { hint, ...own } = withRetry(error);
  return JSON.stringify({
    ...own,
    t: 'error',
    id,
    code: error.code,
    message: error.message,
    retryable: kind.retryable,
    hint: typeof hint === 'string' ? hint : kind.hint,
  });
}

function withRetry(error: BatonError): Record<string, unknown> {
  if (error.code !== 'RATE_LIMITED' && error.code !== 'UNAVAILABLE') return error.detail;
  return { retryAfterMs: RETRY_AFTER_MS, ...error.detail };
}

/** A router's refusal as an error. */
export function refused(refusal: Refusal): BatonError {
  return refusal.is === 'refused'
    ? new BatonError(refusal.code, refusal.message, refusal.detail)
    : new BatonError(refusal.code, refusal.message, { ...refusal.detail, retryAfterMs: refusal.afterMs });
}

/** What zod found, as VALIDATION with the fields. */
export function invalid(error: z.core.$ZodError, within = ''): BatonError {
  const errors: FieldError[] = error.issues.slice(0, 50).map((issue) => {
    const path = [...(within === '' ? [] : [within]), ...issue.path.map(String)].join('.');
    return { path, message: fieldWords(issue.message) };
  });
  return badFields(errors);
}

/** A body that is in no form anybody here reads: VALIDATION, over HTTP with 415. */
export class UnreadableBody extends BatonError {
  constructor(message: string, hint: string) {
    super('VALIDATION', message, { hint });
  }
}

/** VALIDATION naming the fields. */
export function badFields(errors: readonly FieldError[]): BatonError {
  const first = errors[0] as FieldError;
  const message = first.path === '' ? first.message : `${first.path}: ${first.message}`;
  return new BatonError('VALIDATION', message, { errors });
}

/** The one answer for what is missing, malformed or another company's: it must not tell them apart (P15). */
export function notFound(noun: string): BatonError {
  return new BatonError('NOT_FOUND', `There is no ${noun} with this id.`);
}

/**
 * NOT_FOUND of an address, not of a thing: no id and no credential would help.
 * @param meant the route that was probably meant, as it is registered.
 */
export function nothingHere(meant?: string): BatonError {
  const listed = 'All addresses are listed at /docs; requests to issues, agents and runs begin with /v1.';
  const hint = meant === undefined ? listed : `Did you mean ${meant}? ${listed}`;
  return new BatonError('NOT_FOUND', 'There is nothing at this address.', { hint });
}

/**
 * Any thrown thing as an expected error and its HTTP status; null: unexpected, to be logged and answered as INTERNAL.
 */
export function expected(thrown: unknown): { error: BatonError; status?: number } | null {
  if (thrown instanceof UnreadableBody) return { status: 415, error: thrown };
  if (thrown instanceof BatonError) return { error: thrown };
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const errors = thrown.validation.map((v) => ({
      path: v.instancePath.slice(1).replaceAll('/', '.'),
      message: fieldWords(v.message ?? 'invalid'),
    }));
    return { error: badFields(errors) };
  }
  const { code, statusCode } = (thrown ?? {}) as { code?: unknown; statusCode?: unknown };
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { error: new BatonError('TOO_LARGE', 'The body is larger than this route takes.') };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return {
        status: 415,
        error: new UnreadableBody('The body must be JSON.', 'Send it with "Content-Type: application/json".'),
      };
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return { error: new BatonError('VALIDATION', 'Content-Length does not match the body.') };
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { error: nothingHere() };
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return { error: new BatonError('VALIDATION', 'The request is malformed.') };
  }
  return null;
}

/** INTERNAL, with the id under which the log has the cause. */
export function internal(requestId: string): BatonError {
  return new BatonError('INTERNAL', 'Something went wrong here.', { requestId });
}

/** Seconds for the Retry-After header, or null where none belongs. */
export function retryAfterSeconds(problem: Problem): number | null {
  const { retryAfterMs } = problem;
  if (typeof retryAfterMs !== 'number') return problem.code === 'DRAINING' ? 1 : null;
  return Math.max(1, Math.ceil(retryAfterMs / 1000));
}
