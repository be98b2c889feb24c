/**
 * Issues that were put aside because their stored state cannot be read. Of such a one the server shows what it keeps
 * beside that state – id, state, version, why – and nothing else (guarantee P14). The rest is filled in here, by whoever
 * shows issues to people, so that it hides no other issue and nobody has to ask what is missing.
 */
import type { IssueView } from '../machines/view.ts';

/** A view as it may come: the fields after `why` are there together or not at all. */
type Shown = Pick<IssueView, 'id' | 'companyId' | 'state' | 'substate' | 'version' | 'why'> &
  Partial<IssueView>;

/** @param identifier what the issue is called, as far as whoever asked for it knows */
export function whole(shown: Shown, identifier: () => string): IssueView {
  if (shown.identifier !== undefined) return shown as IssueView;
  return {
    identifier: identifier(),
    title: '(its stored state cannot be read)',
    priority: 'medium',
    assigneeAgentId: null,
    fence: 0,
    attempt: 0,
    maxAttempts: 0,
    lock: null,
    detached: null,
    run: null,
    retry: null,
    wakes: [],
    nextEvent: null,
    nextAt: null,
    lastError: null,
    context: null,
    createdAt: 0,
    updatedAt: 0,
    ...shown,
  };
}

/** True of what `whole` had to fill in: nothing is known of its times. */
export function isUnreadable({ updatedAt }: Pick<IssueView, 'updatedAt'>): boolean {
  return updatedAt === 0;
}
