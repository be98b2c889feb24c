/**
 * The shapes on the wire as zod, for the OpenAPI document (protocol section 5). Requests are validated by the schemas
 * beside their routes and in machines/events.ts; answers are the router's own texts, so these describe and do not check.
 * Loose: fields may be added, clients ignore what they do not know.
 */
import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { textFault } from './json.ts';

const id = z.string();
const at = z.int().meta({ description: 'Milliseconds since the epoch.' });
const json = z.unknown();

export const companyShape = z
  .looseObject({ id, name: z.string(), prefix: z.string(), createdAt: at })
  .meta({ id: 'Company' });

export const keyShape = z
  .looseObject({
    id,
    companyId: id,
    role: z.enum(['operator', 'agent', 'viewer']),
    agentId: id.nullable(),
    name: z.string().nullable(),
    createdAt: at,
    createdBy: z.string(),
    revokedAt: at.nullable(),
    revokedBy: z.string().nullable(),
  })
  .meta({ id: 'Key' });

export const madeKeyShape = z
  .looseObject({
    ...keyShape.shape,
    token: z.string().nullable().meta({ description: 'Shown once; null when the key was made earlier.' }),
  })
  .meta({ id: 'MadeKey' });

export const agentShape = z
  .looseObject({
    id,
    companyId: id,
    identifier: z.string(),
    name: z.string(),
    adapterType: z.string(),
    status: z.enum(['active', 'paused', 'terminated']),
    draining: z.boolean(),
    maxConcurrentRuns: z.int(),
    wakeOnDemand: z.boolean(),
    retry: z.looseObject({
      delaysMs: z.array(z.int()),
      jitter: z.number(),
      leaseMs: z.int(),
      stopGraceMs: z.int(),
    }),
    slots: z.looseObject({ held: z.int(), wanting: z.int(), max: z.int(), online: z.boolean() }),
    version: z.int(),
    createdAt: at,
    updatedAt: at,
  })
  .meta({ id: 'Agent' });

const lock = z.looseObject({
  runId: id,
  agentId: id,
  mode: z.enum(['reserved', 'executing']),
  fence: z.int(),
  lockedAt: at,
});
const wake = z.looseObject({
  id,
  reason: z.string(),
  source: z.string(),
  human: z.boolean(),
  payload: json,
  at,
});
const runStatus = z.enum([
  'queued',
  'running',
  'scheduled_retry',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
]);

export const issueShape = z
  .looseObject({
    id,
    companyId: id,
    identifier: z.string(),
    title: z.string(),
    priority: z.enum(['critical', 'high', 'medium', 'low']),
    state: z.enum(['idle', 'running', 'scheduled-retry', 'cancelled', 'done']),
    substate: z.enum(['queued', 'executing', 'stopping']).nullable(),
    assigneeAgentId: id.nullable(),
    version: z.int(),
    fence: z.int(),
    attempt: z.int(),
    maxAttempts: z.int(),
    lock: lock.nullable(),
    detached: z
      .looseObject({ runId: id, agentId: id, fence: z.int(), cause: z.string(), until: at.nullable() })
      .nullable(),
    run: z
      .looseObject({
        id,
        agentId: id,
        status: runStatus,
        attempt: z.int(),
        retryOfRunId: id.nullable(),
        startedAt: at.nullable(),
        leaseUntil: at.nullable(),
        progress: z.number().nullable(),
        note: z.string().nullable(),
      })
      .nullable(),
    retry: z
      .looseObject({
        attempt: z.int(),
        maxAttempts: z.int(),
        reason: z.string(),
        dueAt: at,
        retryNotBefore: at.nullable(),
        codexTransientFallbackMode: z.string().nullable(),
        ofRunId: id,
      })
      .nullable(),
    wakes: z.array(wake),
    why: z.looseObject({ code: z.string(), text: z.string() }),
    nextEvent: z.string().nullable(),
    nextAt: at.nullable(),
    lastError: z
      .looseObject({
        error: z.string(),
        errorCode: z.string().nullable(),
        errorFamily: z.string().nullable(),
        at,
      })
      .nullable(),
    context: json,
    createdAt: at,
    updatedAt: at,
  })
  .meta({ id: 'Issue' });

export const issueIndexShape = z
  .looseObject({
    seq: z.int(),
    numbers: z.array(z.int()),
    ids: z.array(id),
    dues: z.array(at.nullable()),
    more: z.boolean(),
  })
  .meta({ id: 'IssueIndex' });

export const runShape = z
  .looseObject({
    id,
    issueId: id,
    agentId: id,
    status: runStatus,
    attempt: z.int(),
    retryOfRunId: id.nullable(),
    invocationSource: z.enum(['assignment', 'automation', 'on_demand']),
    fence: z.int().nullable(),
    error: z.string().nullable(),
    errorCode: z.string().nullable(),
    createdAt: at,
    startedAt: at.nullable(),
    finishedAt: at.nullable(),
    contextSnapshot: json,
    resultJson: json,
  })
  .meta({ id: 'Run' });

export const grantShape = z
  .looseObject({
    issue: issueShape,
    run: runShape,
    fence: z.int(),
    leaseMs: z.int(),
    wakes: z.array(wake),
    contextSnapshot: json,
  })
  .meta({ id: 'Grant' });

export const changeShape = z
  .looseObject({
    seq: z.int(),
    companyId: id,
    issueId: id,
    version: z.int(),
    type: z.string(),
    from: z.string().nullable(),
    to: z.string(),
    actor: z.looseObject({ kind: z.string(), id: z.string() }),
    at,
    data: json,
    effects: z.array(z.looseObject({ type: z.string(), data: json })),
  })
  .meta({ id: 'Change' });

export const commentShape = z.looseObject({ id, body: z.string(), at }).meta({ id: 'Comment' });

export const acceptedShape = z
  .looseObject({ issue: issueShape, version: z.int(), duplicate: z.boolean(), unchanged: z.boolean() })
  .meta({ id: 'Accepted' });

export const statsShape = z
  .looseObject({
    companyId: id,
    seq: z.int(),
    byState: z.record(z.string(), z.int()),
    bySubstate: z.record(z.string(), z.int()),
    dueInNextHour: z.int(),
    eventsPerSecond: z.number(),
    transitions: z.array(
      z.looseObject({
        type: z.string(),
        from: z.string().nullable(),
        to: z.string(),
        perSecond: z.number(),
      }),
    ),
  })
  .meta({ id: 'Stats' });

export const logLineShape = z.looseObject({ offset: z.int(), at, stream: z.string(), text: z.string() });

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    retryable: z.boolean(),
    hint: z.string(),
  })
  .meta({ id: 'Problem' });

/** A page of a list. */
export function listOf(item: z.ZodType) {
  return z.looseObject({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** A whole number of a query, in plain decimal digits: `Number` would take "1e2", "0x10", " 5" and "" as well. */
export function digits(least: number, most = Number.MAX_SAFE_INTEGER) {
  const number = z.int('must be a whole number in decimal digits').min(least).max(most);
  return z.preprocess(
    (text) => (typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : text),
    number,
  );
}

/** Query parameters of every list (protocol section 3). */
export const page = {
  limit: digits(1, 500).prefault(50).meta({ description: 'Items a page, 1..500.' }),
  cursor: z.string().min(1).max(300).optional().meta({ description: 'nextCursor of the page before.' }),
};

/** A text of a query parameter: what JSON strings may not hold, it may not either. */
export const queryText = z.string().superRefine((text, ctx) => {
  const fault = textFault(text);
  if (fault !== null) ctx.addIssue({ code: 'custom', message: fault });
});

/** A parameter that may be repeated or hold several values with commas between. */
export function several<T extends z.ZodType<unknown, string>>(item: T) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat().flatMap((text) => text.split(',')))
    .pipe(z.array(item).min(1).max(50));
}

/** Path parameters are only texts: a malformed id is answered as a missing one, not as a malformed request (P15). */
export function path<const K extends string>(...names: readonly K[]) {
  const fields = Object.fromEntries(names.map((name) => [name, z.string()]));
  return z.object(fields as Record<K, z.ZodString>);
}
