/**
 * Frames of `baton.v1` that a client sends (protocol section 6), as zod: strict, one schema per `t`. Frames that the
 * server sends are put together as text where they are sent.
 */
import { z } from 'zod';
import { agentId, issueEvents, priority } from '../machines/events.ts';
import type { PriorityName } from '../machines/view.ts';
import { ISSUE_STATES, PRIORITIES } from '../machines/view.ts';
import type { Where } from '../supervisor/router.ts';

export const SUBPROTOCOL = 'baton.v1';
export const FRAME_BYTES = 64 * 1024;
export const SUBSCRIPTIONS = 128;

/** Close codes (protocol section 6). 4400–4406: do not reconnect. */
export const CLOSE = {
  normal: 1000,
  draining: 1001,
  tooLarge: 1009,
  slow: 4008,
  badFrame: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  notFound: 4404,
  subprotocol: 4406,
  helloTimeout: 4408,
  tooFast: 4429,
  internal: 4500,
} as const;

const id = z.string().min(1).max(128);
/** Ids of things are only texts here: a malformed one is answered as a missing one (P15). */
const thing = z.string().max(128);

/** What a claim may say, over HTTP as well. */
export const claimFields = {
  /** Grants wanted at once; default 1. More than an agent may hold is fine: it is given what there is. */
  max: z.int().min(1).max(1000).optional(),
  /** Long poll, ms; default 0: answer at once. */
  waitMs: z.int().min(0).max(50_000).optional(),
  /** A claim repeated with it returns the run it was granted. */
  claimId: z.string().min(1).max(128).optional(),
};

export const helloFrame = z.strictObject({
  t: z.literal('hello'),
  token: z.string().max(512).optional(),
  client: z.strictObject({ name: z.string().max(200), version: z.string().max(200).optional() }).optional(),
});

export const eventFrame = z.strictObject({
  t: z.literal('event'),
  id,
  key: z.string().min(1).max(128).optional(),
  issueId: thing,
  event: issueEvents,
});
export type EventFrame = z.infer<typeof eventFrame>;

export const subFrame = z.strictObject({
  t: z.literal('sub'),
  id,
  topic: z.string().max(160),
  since: z.int().min(0).nullable().optional(),
  where: z
    .strictObject({
      state: z.array(z.enum(ISSUE_STATES)).min(1).max(16).optional(),
      assignee: agentId.optional(),
      priority: z.array(priority).min(1).max(16).optional(),
    })
    .nullable()
    .optional(),
});
export type SubFrame = z.infer<typeof subFrame>;

export const unsubFrame = z.strictObject({ t: z.literal('unsub'), id });

export const claimFrame = z.strictObject({
  t: z.literal('claim'),
  id,
  ...claimFields,
  /** Whom an operator claims for; an agent only ever for itself. */
  agentId: thing.optional(),
});
export type ClaimFrame = z.infer<typeof claimFrame>;

export const pongFrame = z.strictObject({ t: z.literal('pong'), now: z.number().optional() });

/** A subscription's filter as the router takes it. */
export function whereOf(where: SubFrame['where']): Where | null {
  if (where === null || where === undefined) return null;
  const { state, assignee, priority: names } = where;
  return {
    ...(state === undefined ? {} : { states: state }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(names === undefined
      ? {}
      : { priorities: names.map((name: PriorityName) => PRIORITIES.indexOf(name)) }),
  };
}

const TOPIC = /^(company|issue|agent|stats|journal):(.*)$/s;

export interface TopicName {
  readonly kind: 'company' | 'issue' | 'agent' | 'stats' | 'journal';
  readonly id: string;
}

/** `issue:<id>` taken apart, or null when there is no such kind of topic. */
export function topicOf(text: string): TopicName | null {
  const [, kind, of] = TOPIC.exec(text) ?? [];
  return kind === undefined || of === undefined ? null : { kind: kind as TopicName['kind'], id: of };
}
