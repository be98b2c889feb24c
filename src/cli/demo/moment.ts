/**
 * What happens in the demo, in a short sentence that begins with the issue. Moments of note are what a first look is to show
 * – a run lost and gone on with, an issue taken out of its backoff, the first retry –; the others are the same again. Pure.
 */
import type { Change } from '../../client/frames.ts';
import type { IssueView } from '../../machines/view.ts';
import { relative } from '../issue-text.ts';

export interface Moment {
  readonly what:
    | 'begun'
    | 'over'
    | 'interrupted'
    | 'killed'
    | 'lost'
    | 'taken over'
    | 'retrying'
    | 'due'
    | 'failed'
    | 'reassigned'
    | 'cancelled'
    | 'trouble';
  /** Identifier of the issue; null: it is of the whole demo. */
  readonly issue: string | null;
  readonly text: string;
  readonly isOfNote: boolean;
}

export interface Before {
  /** The agent it was assigned to, by name; null: nobody. */
  readonly assignee: string | null;
  /** Its worker was killed, and nobody has taken its run over yet. */
  readonly isKilled: boolean;
  /** No issue of the demo had to wait for a retry yet. */
  readonly isFirstRetry: boolean;
}

/** Null: nothing that anybody would tell. */
export function momentOf(
  change: Change,
  issue: IssueView,
  before: Before,
  nameOf: (agentId: string | null) => string,
): Moment | null {
  const { identifier, attempt, maxAttempts, nextAt } = issue;
  const retry = `retry ${attempt} of ${maxAttempts}`;
  const when = nextAt === null ? 'at once' : relative(nextAt, change.at);
  const moment = (what: Moment['what'], text: string, isOfNote: boolean): Moment => ({
    what,
    issue: identifier,
    text: `${identifier} ${text}`,
    isOfNote,
  });
  switch (change.type) {
    case 'RUN.FAILED': {
      const error = issue.lastError?.errorCode ?? issue.lastError?.error ?? 'no reason given';
      return issue.state === 'scheduled-retry'
        ? moment('retrying', `failed (${error}): ${retry} comes by itself ${when}`, before.isFirstRetry)
        : moment('failed', `failed (${error}) and is not retried`, true);
    }
    case 'LEASE.EXPIRED':
      return issue.state === 'scheduled-retry'
        ? moment('lost', `run lost, its worker is not heard of: it goes on as ${retry} ${when}`, true)
        : moment('lost', 'run lost, its worker is not heard of', true);
    case 'RETRY.DUE':
      return moment('due', `is due: ${retry} is queued`, false);
    case 'GRANT':
      if (!before.isKilled || attempt === 0) return null;
      return moment(
        'taken over',
        `taken over by another worker of ${nameOf(issue.assigneeAgentId)}, as ${retry}`,
        true,
      );
    case 'ASSIGN': {
      const out = change.from?.startsWith('scheduled-retry') === true ? 'taken out of its backoff: ' : '';
      const from = before.assignee === null ? '' : ` from ${before.assignee}`;
      return moment('reassigned', `${out}reassigned${from} to ${nameOf(issue.assigneeAgentId)}`, true);
    }
    case 'CANCEL': {
      const was = change.from?.split('.').at(-1) ?? 'new';
      const then = was === 'queued' ? ': its run is never given out' : '';
      return moment('cancelled', `cancelled while it was ${was}${then}`, true);
    }
    default:
      return null;
  }
}

/** Something of the whole demo went wrong; it goes on. */
export function trouble(text: string): Moment {
  return { what: 'trouble', issue: null, text, isOfNote: false };
}
