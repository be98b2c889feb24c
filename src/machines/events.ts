/**
 * The events one may send to an issue or an agent from outside (protocol section 4): strict, a closed union, so that
 * neither `xstate.*` nor an internal event can come in. The same schemas serve HTTP, WebSocket, MCP and the CLI.
 */
import { z } from 'zod';

/** Longest JSON text of a caller's `context`, of a wake's `payload`, of a run's `result`, in bytes (domain, section 1). */
export const LIMITS = {
  contextBytes: 16 * 1024,
  payloadBytes: 2 * 1024,
  resultBytes: 48 * 1024,
  commentBytes: 16 * 1024,
  titleChars: 500,
  errorChars: 4 * 1024,
} as const;

/** JSON of at most `bytes` bytes once written out. */
function jsonUpTo(bytes: number) {
  return z
    .json()
    .refine((value) => value === undefined || Buffer.byteLength(JSON.stringify(value)) <= bytes, {
      error: `at most ${bytes} bytes of JSON`,
    });
}
function textUpTo(bytes: number) {
  return z
    .string()
    .min(1)
    .refine((text) => text.length <= bytes && Buffer.byteLength(text) <= bytes, {
      error: `at most ${bytes} bytes`,
    });
}

/** Ids are opaque to whoever sends them: one of the wrong shape is no malformed request but names nothing (P15). */
const opaqueId = z.string().min(1).max(128);
export const agentId = opaqueId;
export const runId = opaqueId;
export const fence = z.int().min(0);
export const priority = z.enum(['critical', 'high', 'medium', 'low']);
export const title = z.string().min(1).max(LIMITS.titleChars);
export const issueContext = jsonUpTo(LIMITS.contextBytes);

/** Optional on all events: the version the sender decided on, and its trace. */
const common = {
  expectedVersion: z.int().min(1).optional(),
  traceparent: z.string().max(128).optional(),
};
/** Why, for the journal. */
export const reason = z.string().max(1000).optional();
const ofRun = { ...common, runId, fence };

export const issueEvents = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('WAKE'),
    ...common,
    reason: z.string().min(1).max(200),
    source: z.enum(['assignment', 'automation', 'on_demand', 'comment']).optional(),
    payload: jsonUpTo(LIMITS.payloadBytes).optional(),
    human: z.boolean().optional(),
    reopen: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal('ASSIGN'), ...common, agentId: agentId.nullable(), reason }),
  z.strictObject({
    type: z.literal('RUN.HEARTBEAT'),
    ...ofRun,
    progress: z.number().min(0).max(1).optional(),
    note: z.string().max(500).optional(),
  }),
  z.strictObject({
    type: z.literal('RUN.SUCCEEDED'),
    ...ofRun,
    resolution: z.enum(['done', 'open']).optional(),
    result: jsonUpTo(LIMITS.resultBytes).optional(),
  }),
  z.strictObject({ type: z.literal('RUN.STOPPED'), ...ofRun }),
  z.strictObject({
    type: z.literal('RUN.FAILED'),
    ...ofRun,
    error: z.string().min(1).max(LIMITS.errorChars),
    errorCode: z.string().min(1).max(200).optional(),
    errorFamily: z.string().min(1).max(200).optional(),
    resultJson: jsonUpTo(LIMITS.resultBytes).optional(),
  }),
  z.strictObject({ type: z.literal('CANCEL'), ...common, reason }),
  z.strictObject({ type: z.literal('COMPLETE'), ...common, reason, fence: fence.optional() }),
  z.strictObject({ type: z.literal('REOPEN'), ...common, reason }),
  z.strictObject({ type: z.literal('RETRY.NOW'), ...common, reason }),
  z.strictObject({ type: z.literal('RETRY.CANCEL'), ...common, reason }),
  z.strictObject({ type: z.literal('FORCE_RELEASE'), ...common, reason }),
  z.strictObject({ type: z.literal('PRIORITY'), ...common, priority, reason }),
  z.strictObject({
    type: z.literal('COMMENT'),
    ...common,
    body: textUpTo(LIMITS.commentBytes),
    reopen: z.boolean().optional(),
  }),
  z
    .strictObject({
      type: z.literal('EDIT'),
      ...common,
      title: title.optional(),
      context: issueContext.optional(),
      reason,
    })
    .refine((e) => e.title !== undefined || e.context !== undefined, {
      error: 'title or context must be given',
    }),
]);
export type IssueEvent = z.infer<typeof issueEvents>;

/** The fields of an event as zod, without its type: for doors that name the event otherwise. */
export function eventFields(type: IssueEvent['type']): Record<string, z.ZodType> {
  const shape: Record<string, z.ZodType> = {
    ...issueEvents.options.find((each) => each.shape.type.value === type)?.shape,
  };
  delete shape.type;
  return shape;
}

/** A retry policy override: what is not given stays the server's. */
export const retryOverride = z.strictObject({
  delaysMs: z
    .array(
      z
        .int()
        .min(0)
        .max(30 * 86_400_000),
    )
    .min(1)
    .max(20)
    .optional(),
  jitter: z.number().min(0).max(1).optional(),
  leaseMs: z.int().min(100).max(86_400_000).optional(),
  stopGraceMs: z.int().min(0).max(3_600_000).optional(),
});
export type RetryOverride = z.infer<typeof retryOverride>;

const agentSettings = {
  name: z.string().min(1).max(200),
  adapterType: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, {
    error: 'a lower-case letter, then at most 63 lower-case letters, digits or _',
  }),
  maxConcurrentRuns: z.int().min(1).max(50),
  wakeOnDemand: z.boolean(),
  retry: retryOverride.nullable(),
};
export const agentEvents = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('PAUSE'), ...common, drain: z.boolean().optional(), reason }),
  z.strictObject({ type: z.literal('RESUME'), ...common, reason }),
  z.strictObject({ type: z.literal('TERMINATE'), ...common, reason }),
  z.strictObject({
    type: z.literal('UPDATE'),
    ...common,
    name: agentSettings.name.optional(),
    adapterType: agentSettings.adapterType.optional(),
    maxConcurrentRuns: agentSettings.maxConcurrentRuns.optional(),
    wakeOnDemand: agentSettings.wakeOnDemand.optional(),
    retry: agentSettings.retry.optional(),
    reason,
  }),
]);
export type AgentEvent = z.infer<typeof agentEvents>;

/** What the creator of an issue asks for. `wake: false`: its assignee gets no run at birth. */
export const newIssue = z.strictObject({
  title,
  priority: priority.optional(),
  assigneeAgentId: agentId.nullable().optional(),
  context: issueContext.optional(),
  wake: z.boolean().optional(),
});
export type NewIssue = z.infer<typeof newIssue>;

/** What the creator of an agent asks for. */
export const newAgent = z.strictObject({
  name: agentSettings.name,
  adapterType: agentSettings.adapterType.optional(),
  maxConcurrentRuns: agentSettings.maxConcurrentRuns.optional(),
  wakeOnDemand: agentSettings.wakeOnDemand.optional(),
  retry: agentSettings.retry.optional(),
});
export type NewAgent = z.infer<typeof newAgent>;
