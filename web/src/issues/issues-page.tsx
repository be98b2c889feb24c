/** The issues of the company: filtered by the address, chosen by hand or by keyboard, changed only by confirmation. */
import { useEffect, useMemo } from 'preact/hooks';
import { count } from '../duration.ts';
import { onKeys } from '../keys.ts';
import { addressOf } from '../location.ts';
import type { PageProps } from '../pages.ts';
import { client, company, mayOperate } from '../session.ts';
import { Icon } from '../ui/icon.tsx';
import { AskDialog, asked } from './ask-dialog.tsx';
import type { Ask } from './asked.ts';
import { filter, isFiltered, order } from './filter.ts';
import { FilterBar } from './filter-bar.tsx';
import { IssueGrid } from './issue-grid.tsx';
import { IssueList } from './issue-list.ts';
import { placeOf } from './places.ts';
import { chooseNone, chosen, cursor, keepOnly, meant } from './selection.ts';

/** Which company and filter the cursor and what is chosen are of. */
let lastListed = '';

export function IssuesPage(_props: PageProps) {
  const { value: from } = client;
  const { value: of } = company;
  const key = JSON.stringify(filter.value);
  const list = useMemo(() => {
    // Whoever comes back from an issue goes on where they were.
    const listed = `${of?.id} ${key}`;
    if (listed !== lastListed) {
      chooseNone();
      cursor.value = null;
    }
    lastListed = listed;
    return from === null || of === null ? null : new IssueList(from, of, filter.peek());
  }, [from, of?.id, key]);
  useEffect(() => () => list?.close(), [list]);
  if (list === null || of === null) return null;
  return (
    <div class="issues">
      <h1 class="visually-hidden">Issues</h1>
      <FilterBar list={list} />
      <Shown list={list} prefix={of.prefix} />
      {mayOperate() && <Actions list={list} prefix={of.prefix} />}
      <AskDialog />
    </div>
  );
}

function Shown({ list, prefix }: { list: IssueList; prefix: string }) {
  const { phase, places } = list.held.value;
  useEffect(() => keepOnly((number) => placeOf(list.held.peek().places, number) >= 0), [places]);
  if (phase.is === 'failed') {
    return (
      <p class="empty" role="alert">
        <code>{phase.error.code}</code> {phase.error.message} {phase.error.hint}
      </p>
    );
  }
  if (phase.is === 'ready' && places.numbers.length === 0) return <Nothing prefix={prefix} />;
  return <IssueGrid key={list.key} list={list} order={order.value} prefix={prefix} />;
}

function Nothing({ prefix }: { prefix: string }) {
  if (isFiltered(filter.value)) {
    return (
      <p class="empty">
        No issue of {prefix} matches. <a href={addressOf('/')}>Show all</a>
      </p>
    );
  }
  return <p class="empty">There is no issue yet. They appear here as soon as somebody makes one.</p>;
}

const ASKS: readonly { is: Ask['is']; key: string; text: string }[] = [
  { is: 'retry-now', key: 'r', text: 'Retry now' },
  { is: 'assign', key: 'a', text: 'Reassign' },
  { is: 'cancel', key: 'c', text: 'Cancel' },
];

/** The bar that appears when something is chosen, and the keys that also act on the one under the cursor. */
function Actions({ list, prefix }: { list: IssueList; prefix: string }) {
  const ask = (is: Ask['is']) => {
    const numbers = meant.peek();
    if (numbers.length === 0) return;
    const known = numbers.flatMap((number) => list.row(number).peek() ?? []);
    const isOne = numbers.length === 1;
    const targets = numbers.flatMap((number) => {
      const id = list.idOf(number);
      // One issue was looked at: if it moves on before the answer, that is a reason to decide anew. Of many the
      // state decides alone, or one busy issue after the other would be refused.
      const version = isOne ? (known[0]?.version ?? null) : null;
      return id === undefined ? [] : [{ id, identifier: `${prefix}-${number}`, version }];
    });
    // What the keyboard was on may have left the list.
    if (targets.length === 0) return;
    asked.value = {
      is,
      known,
      targets,
      seen: (issue) => list.saw(issue),
      done: chooseNone,
    };
  };
  useEffect(
    () =>
      onKeys(
        'Act on what is chosen',
        Object.fromEntries(
          ASKS.map(({ is, key, text }) => [key, { keys: key, does: text, run: () => ask(is) }]),
        ),
      ),
    [list],
  );
  const { size } = chosen.value;
  if (size === 0) return null;
  return (
    <div class="actions" role="toolbar" aria-label="What is chosen">
      <span>
        <strong>{count(size)}</strong> chosen
      </span>
      {ASKS.map(({ is, key, text }) => (
        <button
          key={is}
          type="button"
          class={`button ${is === 'cancel' ? 'danger' : ''}`}
          onClick={() => ask(is)}
        >
          {text} <kbd>{key}</kbd>
        </button>
      ))}
      <button type="button" class="icon-button" aria-label="Choose none" onClick={chooseNone}>
        <Icon name="close" />
      </button>
    </div>
  );
}
