/** Refusals that the runtime itself makes, whatever the event was. */
import { BatonError } from '../errors.ts';
import type { Refusal } from './router.ts';

/** Wait suggested with a refusal, ms; also how long a timer waits for a database that does not answer. */
export const AFTER_MS = 500;

export function unavailable(message: string, detail?: Record<string, unknown>): Refusal {
  return { is: 'retry', code: 'UNAVAILABLE', message, afterMs: AFTER_MS, ...(detail ? { detail } : {}) };
}
/** The answer was being prepared while the partition was lost: whoever owns it now is to be asked. */
export function moved(): Refusal {
  return unavailable('the partition moved to another node');
}
export function draining(): Refusal {
  return { is: 'retry', code: 'DRAINING', message: 'the server is stopping', afterMs: AFTER_MS };
}
export function internal(): Refusal {
  return {
    is: 'refused',
    code: 'INTERNAL',
    message: 'this event made its machine fail; the actor is quarantined and its last state kept',
    detail: {},
  };
}

/** True for a refusal, whatever else an answer may be. */
export function isRefusal(x: object): x is Refusal {
  return 'is' in x && (x.is === 'refused' || x.is === 'retry');
}

export function refuse(code: Extract<Refusal, { is: 'refused' }>['code'], message: string): Refusal {
  return { is: 'refused', code, message, detail: {} };
}

/** For calls that answer a value: the refusal as an error the gateway knows how to say. */
export function refusalError(refusal: Refusal): BatonError {
  const detail =
    refusal.is === 'retry' ? { ...refusal.detail, retryAfterMs: refusal.afterMs } : refusal.detail;
  return new BatonError(refusal.code, refusal.message, detail);
}
