/** One issue: where it is, why, and what comes next. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Change, RemoteError, Subscription } from '../../../src/client/index.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import type { PageProps } from '../pages.ts';
import { client, company } from '../session.ts';
import { State, shownOf } from '../ui/state.tsx';

/** `params.id`: the issue's id, or its identifier within the company (`ACME-7`). */
export function IssuePage({ params }: PageProps) {
  const issue = useSignal<IssueView | null>(null);
  const error = useSignal<RemoteError | null>(null);
  const id = params.id ?? '';
  useEffect(() => {
    const { value: from } = client;
    const { value: of } = company;
    if (from === null || of === null) return;
    let isOver = false;
    let subscription: Subscription | null = null;
    const take = (next: IssueView | undefined) => {
      if (next !== undefined && !isOver) issue.value = next;
    };
    const open = async () => {
      const found = id.includes('-')
        ? await from.http.issueByIdentifier(of.id, id)
        : await from.http.issue(id);
      take(found);
      subscription = await from.subscribe(
        `issue:${found.id}`,
        {},
        {
          snapshot: ([item]) => take(item as IssueView | undefined),
          change: (change) => take((change as Change).issue),
        },
      );
      if (isOver) subscription.close();
    };
    open().catch((refused: RemoteError) => {
      if (!isOver) error.value = refused;
    });
    return () => {
      isOver = true;
      subscription?.close();
    };
  }, [id, client.value, company.value]);

  const { value: now } = issue;
  if (error.value !== null) {
    return (
      <p class="empty" role="alert">
        <code>{error.value.code}</code> {error.value.message} {error.value.hint}
      </p>
    );
  }
  if (now === null) return <p class="empty">Loading…</p>;
  return (
    <div class="page">
      <h1>
        <span class="identifier">{now.identifier}</span> {now.title}
      </h1>
      <p>
        <State of={shownOf(now)} /> {now.why.text}
      </p>
    </div>
  );
}
