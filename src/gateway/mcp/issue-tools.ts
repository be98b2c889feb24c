/** Tools about issues: read them, ask why they wait, talk about them, hand them on. */
import { z } from 'zod';
import { eventFields, priority } from '../../machines/events.ts';
import { afterOrdinal, ordinalAfter } from '../cursor.ts';
import { issueStates, listIssues } from '../issue-list.ts';
import { acceptedShape, issueShape, listOf } from '../schemas.ts';
import { agentOf, companyOf, issueOf, shownIssue } from './references.ts';
import { eventOf, key, sendEvent, type Tool, tool } from './tool.ts';

const issueId = z.string().min(1).max(128).describe('The issue: its id, or its identifier such as ACME-7.');
const company = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .describe('A company, by id or prefix. Only a credential that is of every company has to say which.');

const listed = tool({
  name: 'list_issues',
  title: 'List issues',
  description:
    'Lists issues of the company, oldest first, with their state and – in why, nextEvent and nextAt – what each waits ' +
    'for. Filters are joined by AND. Follow nextCursor for more.',
  input: z.strictObject({
    company,
    state: z
      .array(issueStates)
      .min(1)
      .max(16)
      .optional()
      .describe('States to list; running.queued and the like too.'),
    assignee: z.string().min(1).max(128).optional().describe('An agent, by id or name.'),
    priority: z.array(priority).min(1).max(16).optional(),
    minAttempt: z.int().min(0).optional().describe('Only issues that have spent so many automatic retries.'),
    q: z.string().min(1).max(200).optional().describe('Part of the title or the identifier, case ignored.'),
    limit: z.int().min(1).max(500).default(20).describe('Issues a page.'),
    cursor: z.string().min(1).max(300).optional().describe('nextCursor of the page before.'),
  }),
  output: listOf(issueShape),
  readOnly: true,
  destructive: false,
  idempotent: true,
  async run({ company: named, assignee, cursor, ...filter }, call) {
    const companyId = await companyOf(call, named);
    const agent = assignee === undefined ? undefined : await agentOf(call, companyId, assignee, 'assignee');
    const { after: from } = ordinalAfter(cursor);
    const asked = { ...filter, assignee: agent };
    const { items, after } = await listIssues(call.doors.router, companyId, asked, from);
    return {
      items: items.map(({ view }) => JSON.parse(view) as unknown),
      nextCursor: after === null ? null : afterOrdinal(after),
    };
  },
});

const read = tool({
  name: 'get_issue',
  title: 'Read an issue',
  description: 'Reads one issue: state, assignee, lock, run, retry, pending wakes, last error, context.',
  input: z.strictObject({ issueId }),
  output: issueShape,
  readOnly: true,
  destructive: false,
  idempotent: true,
  run: async ({ issueId: named }, call) => JSON.parse((await shownIssue(call, named)).view),
});

const { id, identifier, title, state, substate, assigneeAgentId, attempt, maxAttempts, version } =
  issueShape.shape;
const { lock, detached, retry, why, nextEvent, nextAt, lastError } = issueShape.shape;
/** The part of an issue that says why it is where it is. */
const whyShape = z.looseObject({
  id,
  identifier,
  title,
  state,
  substate,
  assigneeAgentId,
  why,
  nextEvent,
  nextAt,
  now: z.int().describe('The server’s time, to which nextAt compares.'),
  attempt,
  maxAttempts,
  retry,
  lock,
  detached,
  lastError,
  version,
});
const WHY_FIELDS = Object.keys(whyShape.shape);

const stuck = tool({
  name: 'why_stuck',
  title: 'Why an issue waits',
  description:
    'Says in one sentence why an issue is not moving (why.text), which event moves it next (nextEvent) and when ' +
    '(nextAt, milliseconds since the epoch; null: nobody knows), with what it has to do with: retry, lock, last error.',
  input: z.strictObject({ issueId }),
  output: whyShape,
  readOnly: true,
  destructive: false,
  idempotent: true,
  async run({ issueId: named }, call) {
    const view = JSON.parse((await shownIssue(call, named)).view) as Record<string, unknown>;
    const all = { ...view, now: call.doors.clock.now() };
    return Object.fromEntries(Object.entries(all).filter(([name]) => WHY_FIELDS.includes(name)));
  },
});

const { traceparent: _c, ...commentFields } = eventFields('COMMENT');
const commented = tool({
  name: 'comment',
  title: 'Comment on an issue',
  description:
    'Writes a comment. It wakes the assignee, so use it to answer a question or to add what was found; reopen opens an ' +
    'issue that is done or cancelled again.',
  input: z.strictObject({ issueId, ...commentFields, key }),
  output: acceptedShape,
  readOnly: false,
  destructive: false,
  idempotent: false,
  async run({ issueId: named, key: idempotencyKey, ...fields }, call) {
    const of = await issueOf(call, named);
    return sendEvent(call, of, eventOf({ type: 'COMMENT', ...fields }), idempotencyKey);
  },
});

const { traceparent: _a, agentId: _agent, ...assignFields } = eventFields('ASSIGN');
const reassigned = tool({
  name: 'reassign_issue',
  title: 'Give an issue to another agent',
  description:
    'Assigns the issue to an agent, or to nobody (null), in any state. What ran or waited for the agent before is over: ' +
    'its lock is gone, its retry cancelled, and the new agent’s run is queued, in one step. An agent’s key may do ' +
    'this only for the issue it is executing.',
  input: z.strictObject({
    issueId,
    agentId: z.string().min(1).max(128).nullable().describe('The new agent, by id or name; null: nobody.'),
    ...assignFields,
    key,
  }),
  output: acceptedShape,
  readOnly: false,
  destructive: true,
  idempotent: true,
  async run({ issueId: named, agentId, key: idempotencyKey, ...fields }, call) {
    const { id: of, companyId } = await shownIssue(call, named);
    const to = agentId === null ? null : await agentOf(call, companyId, agentId);
    return sendEvent(call, of, eventOf({ type: 'ASSIGN', agentId: to, ...fields }), idempotencyKey);
  },
});

export const ISSUE_TOOLS: readonly Tool[] = [listed, read, stuck, commented, reassigned];
