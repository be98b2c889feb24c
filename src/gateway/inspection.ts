/**
 * Issues as objects of Stately's inspection protocol (`@statelyai/inspect` 0.7), one JSON text each (protocol section 8).
 * Pure. They are made here and not by that package: its manual interface leaves out `definition` and `rootId`, and its
 * server listens to everybody.
 *
 * - IN1 All of an object comes from the committed journal – ids, times, numbers –, so a restart changes none of it.
 * - IN2 Nothing is shown that an issue's view or a change does not show; for viewers `context`, `result` and
 *   `resultJson` are left out of that, wherever they are.
 */
import type { IssueView } from '../machines/view.ts';

const VERSION = '0.7.2';
const REDACTED = '[redacted]';
const HIDDEN: ReadonlySet<string> = new Set(['context', 'result', 'resultJson']);

/** What of a change (protocol section 5) is needed. */
export interface InspectedChange {
  readonly seq: number;
  readonly version: number;
  readonly type: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly issue: IssueView;
}

/** An issue makes itself known, with its latest state. `definition`: null where this reader has it already. */
export function actorText(issue: IssueView, definition: string | null, redact: boolean): string {
  return JSON.stringify({
    type: '@xstate.actor',
    ...place(issue.id, issue.createdAt),
    name: issue.identifier,
    ...(definition === null ? {} : { definition }),
    snapshot: snapshotOf(issue, redact),
    version: issue.version,
  });
}

/** What happened to it, and what it then is. */
export function changeTexts(change: InspectedChange, redact: boolean): [event: string, snapshot: string] {
  const { issue, type, data, at, seq, version } = change;
  const event = { ...(redact ? (redacted(data) as object) : data), type };
  const common = { ...place(issue.id, at), event, seq, version };
  return [
    JSON.stringify({ type: '@xstate.event', ...common }),
    JSON.stringify({ type: '@xstate.snapshot', ...common, snapshot: snapshotOf(issue, redact) }),
  ];
}

function place(issueId: string, at: number) {
  return { _version: VERSION, createdAt: String(at), id: null, sessionId: issueId, rootId: issueId };
}

/** The view stands for the machine's own context: that one is packed for the database, and holds claims. */
function snapshotOf(issue: IssueView, redact: boolean) {
  const { state, substate } = issue;
  return {
    status: 'active',
    value: substate === null ? state : { [state]: substate },
    context: redact ? redacted(issue) : issue,
    children: {},
    historyValue: {},
    tags: [],
  };
}

function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, of]) => [key, HIDDEN.has(key) ? REDACTED : redacted(of)]);
  return Object.fromEntries(entries);
}
