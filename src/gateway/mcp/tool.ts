/** What a tool is: a name, two schemas, and a call of the router. `tools.ts` lists them; `server.ts` serves them. */
import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../../errors.ts';
import { type IssueEvent, issueEvents } from '../../machines/events.ts';
import type { Principal } from '../auth.ts';
import type { Doors } from '../doors.ts';
import { envelope, mayEvent } from '../event-door.ts';
import { invalid } from '../problem.ts';
import { orThrow } from '../reply.ts';

/** One call: who makes it, and until when anybody listens. */
export interface ToolCall {
  readonly principal: Principal;
  readonly doors: Doors;
  /** Aborted when the call was cancelled or its client is gone. */
  readonly signal: AbortSignal;
}

export interface Tool<I extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** For the model that chooses it: what it does, when to use it, what to do next. */
  readonly description: string;
  /** Strict: a field it does not know is refused. */
  readonly input: I;
  readonly output: z.ZodObject;
  /** It changes nothing. */
  readonly readOnly: boolean;
  /** It may take something away from somebody: a run, a lock. */
  readonly destructive: boolean;
  /** Repeating it with the same arguments changes nothing more. */
  readonly idempotent: boolean;
  /** Answers what `output` describes. @throws BatonError */
  run(args: z.output<I>, call: ToolCall): Promise<Record<string, unknown>>;
}

/** Types `run` by its own schema. */
export function tool<I extends z.ZodObject>(asked: Tool<I>): Tool {
  return asked as unknown as Tool;
}

/** What a tool answers when it did not do what was asked: the fields of an `error` frame (protocol section 7). */
export const refusalShape = z.looseObject({
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  retryable: z.boolean(),
  hint: z.string(),
});

/** The idempotency key of writes. */
export const key = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .describe(
    'Idempotency key: a call under a key that was used before, a different one too, changes nothing and answers the first one.',
  );

/** The event of these fields. @throws BatonError VALIDATION */
export function eventOf(fields: Readonly<Record<string, unknown>>): IssueEvent {
  const parsed = issueEvents.safeParse(fields);
  if (!parsed.success) throw invalid(parsed.error);
  return parsed.data;
}

/** Sends an event and answers `{ issue, version, duplicate, unchanged }`. The issue is the caller's already. */
export async function sendEvent(
  { principal, doors }: ToolCall,
  issueId: string,
  event: IssueEvent,
  idempotencyKey: string | undefined,
): Promise<Record<string, unknown>> {
  mayEvent(principal, event.type);
  const answer = orThrow(await doors.router.send(envelope(principal, issueId, event, idempotencyKey)));
  return {
    issue: JSON.parse(answer.view),
    version: answer.version,
    duplicate: answer.is === 'duplicate',
    unchanged: answer.is === 'unchanged',
  };
}
