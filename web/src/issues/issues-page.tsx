/** The issues of the company. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Change } from '../../../src/client/index.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { agentName } from '../agents/roster.ts';
import { tick } from '../clock.ts';
import { duration } from '../duration.ts';
import { addressOf } from '../location.ts';
import type { PageProps } from '../pages.ts';
import { client, company } from '../session.ts';
import { State, shownOf } from '../ui/state.tsx';

export function IssuesPage(_props: PageProps) {
  const rows = useSignal<ReadonlyMap<string, IssueView>>(new Map());
  useEffect(() => {
    const { value: from } = client;
    const { value: of } = company;
    if (from === null || of === null) return;
    const subscribed = from.subscribe(
      `company:${of.id}`,
      {},
      {
        snapshot: (items) => {
          rows.value = new Map((items as IssueView[]).map((issue) => [issue.id, issue]));
        },
        change: (change) => {
          const { issue } = change as Change;
          if (issue !== undefined) rows.value = new Map(rows.peek()).set(issue.id, issue);
        },
      },
    );
    subscribed.catch(() => {});
    return () =>
      void subscribed.then(
        (subscription) => subscription.close(),
        () => {},
      );
  }, [client.value, company.value]);
  return (
    <div class="page">
      <h1 class="visually-hidden">Issues</h1>
      <ul>
        {[...rows.value.values()].map((issue) => (
          <li key={issue.id} class="row">
            <a class="identifier" href={addressOf(`/issues/${issue.identifier}`)}>
              {issue.identifier}
            </a>
            <span>{issue.title}</span>
            <State of={shownOf(issue)} />
            <span>{agentName(issue.assigneeAgentId)}</span>
            {issue.retry && <span>{duration(issue.retry.dueAt - tick.value)}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
