/**
 * Events from outside, whichever door they come by (HTTP, WebSocket, MCP): who may send what, and the envelope.
 * Here stands only what the credential decides. What the *state* decides – whether this agent executes this issue,
 * whether its fence is in force – is the machine's `judge`, which sees the same `by`.
 */
import { BatonError } from '../errors.ts';
import type { Answer, Envelope, Refusal } from '../supervisor/router.ts';
import { actorOf, type Principal } from './auth.ts';

/** Events an agent's key may send (protocol section 4); all others are an operator's. */
const AGENT_EVENTS: ReadonlySet<string> = new Set([
  'WAKE',
  'COMMENT',
  'ASSIGN',
  'COMPLETE',
  'RUN.HEARTBEAT',
  'RUN.SUCCEEDED',
  'RUN.FAILED',
  'RUN.STOPPED',
]);

/** Whether this principal may send events of this type to any issue. */
export function mayEventType({ role }: Principal, type: string): boolean {
  return role === 'operator' || (role === 'agent' && AGENT_EVENTS.has(type));
}

/** @throws BatonError FORBIDDEN when this principal may not send events of this type to any issue. */
export function mayEvent(principal: Principal, type: string): void {
  if (mayEventType(principal, type)) return;
  const who = principal.role === 'viewer' ? 'A viewer only reads' : `An agent may not send ${type}`;
  throw new BatonError('FORBIDDEN', `${who}.`, { role: principal.role });
}

/** The envelope of a parsed event. `key`: the idempotency key. */
export function envelope(
  principal: Principal,
  actorId: string,
  event: { readonly type: string; readonly expectedVersion?: number | undefined },
  key: string | undefined,
): Envelope {
  return {
    actorId,
    event,
    by: actorOf(principal),
    ...(key === undefined ? {} : { key }),
    ...(event.expectedVersion === undefined ? {} : { expectedVersion: event.expectedVersion }),
  };
}

export type Accepted = Exclude<Answer, Refusal>;

/** The fields every accepted event is answered with, without braces; `view` is JSON already. */
export function acceptedFields(answer: Accepted): string {
  return `"version":${answer.version},"issue":${answer.view},"duplicate":${answer.is === 'duplicate'},"unchanged":${answer.is === 'unchanged'}`;
}
