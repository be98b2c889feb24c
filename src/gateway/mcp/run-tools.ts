/** Tools of whoever executes: claim an issue, keep its run alive, end it. */
import { z } from 'zod';
import { BatonError } from '../../errors.ts';
import { eventFields, type IssueEvent } from '../../machines/events.ts';
import type { IssueView } from '../../machines/view.ts';
import { longPoll } from '../long-poll.ts';
import { badFields } from '../problem.ts';
import { claimFields } from '../protocol.ts';
import { orThrow } from '../reply.ts';
import { acceptedShape, grantShape } from '../schemas.ts';
import { agentOf, companyOf, issueOf, issueOfCallersRun } from './references.ts';
import { eventOf, key, sendEvent, type Tool, type ToolCall, tool } from './tool.ts';

const runId = z.string().min(1).max(128).describe('grants[0].run.id of claim_issue.');
const fence = z.int().min(0).describe('grants[0].fence of claim_issue: proves that the run is still yours.');

const claimed = tool({
  name: 'claim_issue',
  title: 'Claim an issue to work on',
  description:
    'Asks for work and answers { grants }, empty when there is none within waitMs. Keep run.id and fence of a grant: ' +
    'heartbeat with them at least every third of leaseMs, end with complete_issue or fail_issue. wakes say why you ' +
    'are asked, contextSnapshot and issue.context hold what is known. An agent’s key claims for that agent.',
  input: z.strictObject({
    agentId: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('For whom an operator claims: an agent, by id or name.'),
    company: z.string().min(1).max(128).optional().describe('The company of an agent given by name.'),
    waitMs: claimFields.waitMs.describe('How long to wait for work, ms; 0: answer at once.'),
    max: claimFields.max.describe('Runs wanted at once; default 1.'),
    claimId: claimFields.claimId.describe('A claim repeated with it answers the run it was granted.'),
  }),
  output: z.looseObject({ grants: z.array(grantShape) }),
  readOnly: false,
  destructive: false,
  idempotent: false,
  async run({ agentId, company, ...wait }, call) {
    const { principal, doors, signal } = call;
    const { pool, companyId } = await claimant(call, agentId, company);
    const asked = { ...wait, pool, companyId, keyId: principal.keyId };
    const { grants } = orThrow(await longPoll(doors, asked, signal));
    return { grants: grants.map((grant) => JSON.parse(grant) as unknown) };
  },
});

/** For which agent, of which company. */
async function claimant(
  call: ToolCall,
  agentId: string | undefined,
  company: string | undefined,
): Promise<{ pool: string; companyId: string }> {
  const { principal, doors } = call;
  const named = agentId ?? principal.agentId;
  if (named === null) {
    if (principal.role === 'viewer') throw new BatonError('FORBIDDEN', 'A viewer only reads.');
    throw badFields([{ path: 'agentId', message: 'an operator says for which agent it claims' }]);
  }
  const home = await doors.homes.companyOf(named, 'a', principal.companyId);
  const companyId = home ?? (await companyOf(call, company));
  const pool = home === null ? await agentOf(call, companyId, named) : named;
  if (principal.role === 'viewer') throw new BatonError('FORBIDDEN', 'A viewer only reads.');
  if (principal.agentId !== null && pool !== principal.agentId) {
    throw new BatonError('FORBIDDEN', 'An agent acts only for itself.');
  }
  return { pool, companyId };
}

const beat = tool({
  name: 'heartbeat',
  title: 'Keep a run alive',
  description:
    'Says that the run is still being worked on, with progress (0..1) and a note. Call it at least every third of the ' +
    'grant’s leaseMs: a run not heard of for leaseMs is lost and retried. FENCED means the run is no longer yours: stop ' +
    'working on it at once.',
  input: z.strictObject({ ...reportFields('RUN.HEARTBEAT'), key }),
  output: acceptedShape,
  readOnly: false,
  destructive: false,
  idempotent: true,
  run: (args, call) => report('RUN.HEARTBEAT', args, call),
});

const completed = tool({
  name: 'complete_issue',
  title: 'Complete an issue',
  description:
    'Ends your run as succeeded: give runId and fence. The issue is done, unless resolution is "open". A comment that an ' +
    'operator made meanwhile is not lost: the issue is then not done but has another run, whose wakes tell of it; note ' +
    'says so, and claim_issue gets it. Without runId an operator marks issueId as done, whatever its state.',
  input: z.strictObject({
    ...reportFields('RUN.SUCCEEDED'),
    runId: runId.optional(),
    fence: fence.optional(),
    issueId: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('The issue, by id or identifier; not needed with runId.'),
    reason: z.string().max(1000).optional().describe('Why an operator completes it; not with runId.'),
    key,
  }),
  output: acceptedShape.extend({
    note: z.string().optional().describe('What else there is to do: a run that follows.'),
  }),
  readOnly: false,
  destructive: false,
  idempotent: true,
  async run({ issueId, reason, ...args }, call) {
    if (args.runId !== undefined) {
      if (args.fence === undefined) throw badFields([{ path: 'fence', message: 'required with runId' }]);
      if (reason !== undefined) throw badFields([{ path: 'reason', message: 'not with runId; use result' }]);
      const reported = { ...args, ...(issueId === undefined ? {} : { issueId }) };
      return withFollowUp(await report('RUN.SUCCEEDED', reported, call));
    }
    if (issueId === undefined)
      throw badFields([{ path: 'runId', message: 'runId or issueId must be given' }]);
    const { key: idempotencyKey, resolution, result, ...fields } = args as Record<string, unknown>;
    if (resolution !== undefined || result !== undefined) {
      const path = result === undefined ? 'resolution' : 'result';
      throw badFields([{ path, message: 'only a run has one: give runId and fence' }]);
    }
    const of = await issueOf(call, issueId);
    const event = eventOf({ ...fields, type: 'COMPLETE', ...(reason === undefined ? {} : { reason }) });
    return sendEvent(call, of, event, idempotencyKey as string | undefined);
  },
});

/** The answer to a success; where a wake had come that the run was not told of, with a note of the run that follows. */
function withFollowUp(answer: Record<string, unknown>): Record<string, unknown> {
  const { identifier, state, run } = answer.issue as IssueView;
  if (state !== 'running' || run === null || answer.duplicate === true) return answer;
  const note =
    `Your run is over, but ${identifier} is not done: it was woken meanwhile, for instance by a comment, so run ${run.id} ` +
    'follows. claim_issue gets it; its wakes say what was asked.';
  return { ...answer, note };
}

const failed = tool({
  name: 'fail_issue',
  title: 'Fail a run',
  description:
    'Ends your run as failed, with the error. errorFamily "transient_upstream" (a rate limit, an overloaded or ' +
    'unreachable service) has it retried later by itself; resultJson.retryNotBefore (milliseconds since the epoch) ' +
    'holds that retry back. Anything else is for a person to look at.',
  input: z.strictObject({ ...reportFields('RUN.FAILED'), key }),
  output: acceptedShape,
  readOnly: false,
  destructive: false,
  idempotent: true,
  run: (args, call) => report('RUN.FAILED', args, call),
});

/** The fields of a report, its run and fence explained. */
function reportFields(type: IssueEvent['type']): Record<string, z.ZodType> {
  const { traceparent: _, ...fields } = eventFields(type);
  return { ...fields, runId, fence };
}

async function report(
  type: IssueEvent['type'],
  args: Record<string, unknown>,
  call: ToolCall,
): Promise<Record<string, unknown>> {
  const { key: idempotencyKey, issueId: named, ...fields } = args;
  const event = eventOf({ ...fields, type });
  const of = await issueOfCallersRun(call, args.runId as string);
  if (named !== undefined && (await issueOf(call, named as string)) !== of) {
    throw badFields([{ path: 'issueId', message: 'the run is of another issue' }]);
  }
  return sendEvent(call, of, event, idempotencyKey as string | undefined);
}

export const RUN_TOOLS: readonly Tool[] = [claimed, beat, completed, failed];
