/** What waits longer than it should (client/stuck.ts), and what to do about it on the command line. Pure. */
import { PATIENCE_MS, stuckSince } from '../client/stuck.ts';
import type { IssueView, WhyCode } from '../machines/view.ts';

interface Reason {
  readonly what: string;
  readonly todo: string;
}

/** Every reason to wait, the gravest first. Null: never stuck. */
export const REASONS: Readonly<Record<WhyCode, Reason | null>> = {
  quarantined: {
    what: 'put aside after a defect',
    todo: 'the server’s log has the cause; report it. A newer version takes them up again',
  },
  agent_terminated: { what: 'its agent is terminated', todo: 'baton assign ID AGENT' },
  retry_exhausted: { what: 'all automatic retries are spent', todo: 'mend the cause, then baton retry ID' },
  failed: {
    what: 'failed, and not the kind of failure that passes',
    todo: 'baton issue ID says how; then baton retry ID',
  },
  unassigned: { what: 'asked for, but nobody is assigned', todo: 'baton assign ID AGENT' },
  agent_offline: {
    what: 'no worker of its agent asks for work',
    todo: 'start one: baton work --agent NAME -- COMMAND',
  },
  agent_paused: { what: 'its agent is paused', todo: 'baton agents resume NAME' },
  parked: { what: 'its agent is not woken on demand', todo: 'baton retry ID starts it by hand' },
  stopping: {
    what: 'waits for an old run to stop',
    todo: 'its worker does not end it; baton send ID FORCE_RELEASE',
  },
  waiting_for_slot: {
    what: 'waits for a slot of its agent',
    todo: 'more slots (baton agents update NAME --slots N), or baton assign ID AGENT',
  },
  backoff: { what: 'its retry is overdue', todo: 'baton doctor: does the server keep up?' },
  executing: { what: 'its lease has run out', todo: 'baton doctor: does the server keep up?' },
  no_work: null,
  done: null,
  cancelled: null,
};

export interface Stuck {
  readonly code: WhyCode;
  readonly what: string;
  readonly todo: string;
  /** Longest waiting first. */
  readonly issues: readonly IssueView[];
}

/** @param now the server's clock */
export function stuckOf(issues: Iterable<IssueView>, now: number, patienceMs = PATIENCE_MS): Stuck[] {
  const groups = new Map<WhyCode, IssueView[]>();
  for (const issue of issues) {
    if (stuckSince(issue, now, { patienceMs }) === null) continue;
    const group = groups.get(issue.why.code);
    if (group === undefined) groups.set(issue.why.code, [issue]);
    else group.push(issue);
  }
  return (Object.keys(REASONS) as WhyCode[]).flatMap((code) => {
    const reason = REASONS[code];
    const found = groups.get(code);
    if (reason === null || found === undefined) return [];
    found.sort((a, b) => a.updatedAt - b.updatedAt);
    return [{ code, what: reason.what, todo: reason.todo, issues: found }];
  });
}
