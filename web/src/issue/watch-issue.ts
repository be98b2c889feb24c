/**
 * One issue while somebody looks at it. Its state and its journal come by two subscriptions; what it allows is asked anew
 * whenever a version is seen, so that a button is there exactly when the server would accept it. Heartbeats are in no
 * journal: while a run is executed the issue is read every two seconds, for its lease, its progress and its note.
 */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Change, Client, RemoteError, Subscription } from '../../../src/client/index.ts';
import { whole } from '../../../src/client/put-aside.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { every } from '../clock.ts';

/** Versions of the journal that are there at once; earlier ones are fetched when they are asked for. */
const KEPT = 400;
/** And at the most, after it has been looked at for long. */
const MOST = 4000;
const BEATS_MS = 2000;

export interface WatchedIssue {
  readonly issue: ReadonlySignal<IssueView | null>;
  /** Oldest first, without gap. */
  readonly journal: ReadonlySignal<readonly Change[]>;
  /** Types of events that would change it, as of `version`; null until they are known. */
  readonly allowed: ReadonlySignal<{ version: number; types: ReadonlySet<string> } | null>;
  readonly error: ReadonlySignal<RemoteError | null>;
  /** An answer to an event: it may be there before the subscription tells. */
  saw(issue: IssueView): void;
  /** Reads the page of the journal before what is known. */
  earlier(): Promise<void>;
  close(): void;
}

/** @param id the issue's id, or its identifier within the company. */
export function watchIssue(from: Client, companyId: string, id: string): WatchedIssue {
  const issue = signal<IssueView | null>(null);
  const journal = signal<readonly Change[]>([]);
  const allowed: Signal<WatchedIssue['allowed']['value']> = signal(null);
  const error = signal<RemoteError | null>(null);
  const subscriptions: Subscription[] = [];
  let isOver = false;
  let isAsking = false;

  const saw = (next: IssueView | undefined) => {
    if (isOver || next === undefined || (issue.peek()?.version ?? 0) > next.version) return;
    issue.value = whole(next, () => id);
    void ask(next);
  };
  const ask = async ({ id: issueId, version }: IssueView): Promise<void> => {
    if (isAsking || (allowed.peek()?.version ?? 0) >= version) return;
    isAsking = true;
    try {
      const path = `/issues/${issueId}/allowed`;
      const answer = await from.http.call<{ version: number; allowed: string[] }>('GET', path);
      if (!isOver) allowed.value = { version: answer.version, types: new Set(answer.allowed) };
    } catch {
      // Without an answer there are no buttons; the next version asks again.
    } finally {
      isAsking = false;
    }
    const now = issue.peek();
    if (!isOver && now !== null && (allowed.peek()?.version ?? now.version) < now.version) await ask(now);
  };

  const open = async () => {
    const found = id.includes('-')
      ? await from.http.issueByIdentifier(companyId, id)
      : await from.http.issue(id);
    if (isOver) return;
    saw(found);
    const keep = (subscription: Subscription) => {
      if (isOver) subscription.close();
      else subscriptions.push(subscription);
    };
    const state = {
      snapshot: ([item]: readonly unknown[]) => saw(item as IssueView | undefined),
      change: (change: unknown) => saw((change as Change).issue),
    };
    keep(await from.subscribe(`issue:${found.id}`, {}, state));
    const since = Math.max(0, found.version - KEPT);
    const rows = {
      change: (change: unknown) => {
        const row = change as Change;
        if (!isOver && row.version > (journal.peek().at(-1)?.version ?? 0))
          journal.value = [...journal.peek(), row].slice(-MOST);
      },
    };
    keep(await from.subscribe(`journal:${found.id}`, since === 0 ? {} : { since }, rows));
  };
  open().catch((refused: RemoteError) => {
    if (!isOver) error.value = refused;
  });

  const endBeats = every(BEATS_MS, () => {
    const now = issue.peek();
    if (now?.substate !== 'executing' || document.hidden || !from.isOpen) return;
    // Not reached: the connection says so, and the next time comes.
    from.http.issue(now.id).then(saw, () => {});
  });

  return {
    issue,
    journal,
    allowed,
    error,
    saw,
    async earlier() {
      const [first] = journal.peek();
      const now = issue.peek();
      if (first === undefined || now === null) return;
      const after = Math.max(0, first.version - 1 - KEPT);
      const found: Change[] = [];
      for await (const row of from.http.journal(now.id, after)) {
        if (row.version >= first.version) break;
        found.push(row);
      }
      if (!isOver) journal.value = [...found, ...journal.peek()];
    },
    close() {
      isOver = true;
      endBeats();
      for (const subscription of subscriptions) subscription.close();
    },
  };
}
