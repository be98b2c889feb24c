/**
 * The list as a grid of which only the rows in view are in the document, so that 100,000 scroll as 100 do. Rows have one
 * height; the place of each is its index times that height.
 */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { MOD, onKeys } from '../keys.ts';
import { addressOf, go } from '../location.ts';
import type { Order } from './filter.ts';
import type { IssueList } from './issue-list.ts';
import { IssueRow } from './issue-row.tsx';
import { choose, chooseAll, chooseNone, chosen, cursor } from './selection.ts';

const WIDE = window.matchMedia('(min-width: 861px)');
const HEIGHT = { wide: 38, narrow: 64 };
/** Rows drawn beyond either edge. */
const BEYOND = 10;

interface GridProps {
  list: IssueList;
  order: Order;
  prefix: string;
}

export function IssueGrid({ list, order, prefix }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(800);
  const isWide = useSignal(WIDE.matches);
  const rowHeight = isWide.value ? HEIGHT.wide : HEIGHT.narrow;
  const { length } = list;

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = () => {
      height.value = element.clientHeight;
      isWide.value = WIDE.matches;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);

  const isPlaced = useRef(false);
  useLayoutEffect(() => {
    const { current: element } = scroller;
    if (isPlaced.current || length === 0 || element === null) return;
    isPlaced.current = true;
    const at = cursor.peek() === null ? -1 : list.indexOf(cursor.peek() as number, order);
    // Come back to: what the cursor is on is in view again.
    if (at >= 0) element.scrollTop = Math.max(0, (at + 1) * rowHeight - element.clientHeight / 2);
  }, [length]);

  const from = useComputed(() => Math.max(0, Math.floor(top.value / rowHeight) - BEYOND)).value;
  const to = Math.min(length - 1, Math.ceil((top.value + height.value) / rowHeight) + BEYOND);
  const { places } = list.held.value;
  useEffect(() => list.see(from, to, order), [list, from, to, order, places]);
  useGridKeys({ list, order, scroller, rowHeight, prefix });

  const rows = [];
  for (let at = from; at <= to; at++) {
    const number = list.numberAt(at, order);
    if (number === undefined) break;
    rows.push(
      <IssueRow key={number} list={list} number={number} prefix={prefix} at={at} top={at * rowHeight} />,
    );
  }
  const isCursorDrawn = cursor.value !== null && rows.some((row) => row.key === cursor.value);
  return (
    <div
      role="grid"
      class="grid"
      ref={scroller}
      aria-label="Issues"
      aria-rowcount={length + 1}
      aria-multiselectable="true"
      aria-activedescendant={isCursorDrawn ? `row-${cursor.value}` : undefined}
      style={{ '--identifier': `${prefix.length + 1 + String(places.numbers.at(-1) ?? 0).length}` }}
      tabIndex={0}
      onScroll={(event) => {
        top.value = event.currentTarget.scrollTop;
      }}
      onFocus={() => {
        cursor.value ??= list.numberAt(0, order) ?? null;
      }}
    >
      <div role="row" class="grid-head" aria-rowindex={1}>
        <span role="columnheader" class="c-choose">
          <AllBox list={list} />
        </span>
        {COLUMNS.map(([name, text]) => (
          <span key={name} role="columnheader" class={`c-${name}`}>
            {text}
          </span>
        ))}
      </div>
      <div class="grid-rows" role="rowgroup" style={{ height: `${length * rowHeight}px` }}>
        {rows}
      </div>
    </div>
  );
}

const COLUMNS = [
  ['identifier', 'Issue'],
  ['title', 'Title'],
  // Beside the title, which takes its place where there is no reason.
  ['why', 'Why'],
  ['state', 'State'],
  ['agent', 'Agent'],
  ['attempt', 'Retries'],
  ['next', 'Next'],
] as const;

function AllBox({ list }: { list: IssueList }) {
  const { length } = list;
  const isAll = length > 0 && chosen.value.size === length;
  return (
    <label>
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label="Choose all that match"
        checked={isAll}
        ref={(box) => {
          if (box !== null) box.indeterminate = chosen.value.size > 0 && !isAll;
        }}
        onChange={() => (isAll ? chooseNone() : chooseAll(list.held.peek().places.numbers))}
      />
    </label>
  );
}

function useGridKeys(
  grid: GridProps & { scroller: { current: HTMLElement | null }; rowHeight: number },
): void {
  const now = useRef(grid);
  now.current = grid;
  useEffect(() => {
    const move = (by: number | 'first' | 'last') => {
      const { list, order, rowHeight } = now.current;
      const { current: scroller } = now.current.scroller;
      const last = list.length - 1;
      if (last < 0) return;
      const before = cursor.peek() === null ? -1 : list.indexOf(cursor.peek() as number, order);
      const to = by === 'first' ? 0 : by === 'last' ? last : Math.min(last, Math.max(0, before + by));
      cursor.value = list.numberAt(to, order) ?? null;
      if (scroller === null) return;
      // The head stays at the top, over what scrolls.
      const room =
        scroller.clientHeight - (scroller.querySelector<HTMLElement>('.grid-head')?.offsetHeight ?? 0);
      const y = to * rowHeight;
      if (y < scroller.scrollTop) scroller.scrollTop = y;
      else if (y + rowHeight > scroller.scrollTop + room) scroller.scrollTop = y + rowHeight - room;
    };
    const page = () =>
      Math.floor((now.current.scroller.current?.clientHeight ?? 400) / now.current.rowHeight) - 1;
    const toggle = (step: number) => {
      if (cursor.peek() !== null)
        choose(cursor.peek() as number, !chosen.peek().has(cursor.peek() as number));
      if (step !== 0) move(step);
    };
    const next = { keys: 'j', does: 'Next issue', run: () => move(1) };
    const previous = { keys: 'k', does: 'Previous issue', run: () => move(-1) };
    const pick = { keys: 'x', does: 'Choose it', run: () => toggle(0) };
    return onKeys('Issues', {
      j: next,
      ArrowDown: next,
      k: previous,
      ArrowUp: previous,
      J: { keys: '⇧J', does: 'Choose it and go on', run: () => toggle(1) },
      x: pick,
      ' ': pick,
      PageDown: { keys: 'PgDn', does: 'A page on', run: () => move(page()) },
      PageUp: { keys: 'PgUp', does: 'A page back', run: () => move(-page()) },
      'g g': { keys: 'g g', does: 'To the first', run: () => move('first') },
      Home: { keys: 'g g', does: 'To the first', run: () => move('first') },
      G: { keys: 'G', does: 'To the last', run: () => move('last') },
      End: { keys: 'G', does: 'To the last', run: () => move('last') },
      'mod+a': {
        keys: `${MOD}A`,
        does: 'Choose all that match',
        run: () => chooseAll(now.current.list.held.peek().places.numbers),
      },
      Escape: { keys: 'Esc', does: 'Choose none', run: chooseNone },
      Enter: {
        keys: 'Enter',
        does: 'Open it',
        run: () => {
          if (cursor.peek() !== null) go(addressOf(`/issues/${now.current.prefix}-${cursor.peek()}`));
        },
      },
    });
  }, []);
}
