/** What happens: charts of how busy and how fast the server is, and the company's journal as it is written. */
import { useComputed, useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { agentName } from '../agents/roster.ts';
import { clockTime, count, dateTime } from '../duration.ts';
import { onKeys } from '../keys.ts';
import { addressOf, query, setQuery } from '../location.ts';
import type { PageProps } from '../pages.ts';
import { Icon } from '../ui/icon.tsx';
import { type Entry, entries, filtered, isReading, skipped, useEntries } from './entries.ts';

const ROW = 30;
const BEYOND = 12;

export function LogPage(_props: PageProps) {
  useEntries();
  const text = query.value.get('q') ?? '';
  const type = query.value.get('type') ?? '';
  const shown = filtered(entries.value, { text, type });
  return (
    <div class="log">
      <div class="page-head">
        <h1>Log</h1>
        <p class="quiet">Every accepted event of the company, as it is committed.</p>
      </div>
      <Charts />
      <LogFilters text={text} type={type} shown={shown.length} />
      {skipped.value > 0 && (
        <p class="note">{count(skipped.value)} rows were skipped: this page was too slow or too long away.</p>
      )}
      <Feed shown={shown} isFiltered={text !== '' || type !== ''} />
    </div>
  );
}

/** uPlot comes in a file of its own, after the page is there. */
function Charts() {
  const Loaded = useSignal<ComponentType | null>(null);
  useEffect(() => {
    let isOver = false;
    haveLanguage();
    import('../charts/charts.tsx').then(
      ({ Charts: component }) => {
        if (!isOver) Loaded.value = component;
      },
      // The journal is worth having without them.
      () => {
        if (!isOver) Loaded.value = NoCharts;
      },
    );
    return () => {
      isOver = true;
    };
  }, []);
  const { value: Component } = Loaded;
  return (
    // Narrow screens show them side by side, to be scrolled: also by keyboard.
    <div class="charts" role="group" aria-label="Charts" tabIndex={0}>
      {Component !== null && <Component />}
    </div>
  );
}

/** uPlot asks for numbers in the browser's language as it is loaded, and fails where that is none (`en-US@posix`). */
function haveLanguage() {
  try {
    new Intl.NumberFormat(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
  }
}

function NoCharts() {
  return <p class="quiet">The charts could not be loaded.</p>;
}

function LogFilters({ text, type, shown }: { text: string; type: string; shown: number }) {
  const types = useComputed(() => [...new Set(entries.value.map((entry) => entry.type))].sort());
  const field = useRef<HTMLInputElement>(null);
  useEffect(
    () => onKeys('Log', { '/': { keys: '/', does: 'Filter by text', run: () => field.current?.select() } }),
    [],
  );
  return (
    <div class="filter-bar" role="search" aria-label="Filter the log">
      <span class="text-filter">
        <Icon name="search" size={14} />
        <input
          ref={field}
          type="search"
          aria-label="Issue, event, effect or actor"
          placeholder="Issue, event, effect, actor"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => setQuery({ q: event.currentTarget.value }, { replace: true })}
        />
        <kbd>/</kbd>
      </span>
      <select
        class="company"
        aria-label="Event"
        value={type}
        onChange={(event) => setQuery({ type: event.currentTarget.value })}
      >
        <option value="">every event</option>
        {[...new Set([...types.value, ...(type === '' ? [] : [type])])].map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
      <p class="matching">
        <strong>{count(shown)}</strong> {text === '' && type === '' ? 'rows' : 'match'}
      </p>
    </div>
  );
}

/** The rows in view of a list whose end is followed until somebody scrolls away from it. */
function Feed({ shown, isFiltered }: { shown: readonly Entry[]; isFiltered: boolean }) {
  const scroller = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(500);
  const isFollowing = useSignal(true);
  const leftAt = useSignal(0);
  const last = shown.at(-1)?.seq ?? 0;

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const { current: element } = scroller;
    if (element !== null && isFollowing.value) element.scrollTop = element.scrollHeight;
  }, [last, shown.length, height.value, isFollowing.value]);
  const follow = () => {
    isFollowing.value = true;
  };
  useEffect(() => onKeys('Log', { G: { keys: 'G', does: 'Follow the end', run: follow } }), []);

  const from = Math.max(0, Math.floor(top.value / ROW) - BEYOND);
  const to = Math.min(shown.length, Math.ceil((top.value + height.value) / ROW) + BEYOND);
  const newer = isFollowing.value ? 0 : shown.filter((entry) => entry.seq > leftAt.value).length;
  return (
    <div class="feed">
      <div
        class="feed-rows"
        ref={scroller}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Journal of the company"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          top.value = scrollTop;
          const isAtEnd = scrollHeight - scrollTop - clientHeight < ROW;
          if (isFollowing.peek() && !isAtEnd) leftAt.value = last;
          isFollowing.value = isAtEnd;
        }}
      >
        <div class="feed-all" style={{ height: `${shown.length * ROW}px` }}>
          {shown.slice(from, to).map((entry, i) => (
            <Row key={entry.seq} entry={entry} top={(from + i) * ROW} />
          ))}
        </div>
        {shown.length === 0 && (
          <p class="empty">
            {isReading.value
              ? 'Reading…'
              : isFiltered
                ? 'Nothing of what is kept here matches.'
                : 'Nothing has happened yet.'}
          </p>
        )}
      </div>
      {!isFollowing.value && (
        <button type="button" class="button primary follow" onClick={follow}>
          <Icon name="down" size={14} /> {newer > 0 ? `${count(newer)} new` : 'Follow'} <kbd>G</kbd>
        </button>
      )}
    </div>
  );
}

function Row({ entry, top }: { entry: Entry; top: number }) {
  const { seq, at, identifier, title, type, from, to, actor, effects } = entry;
  return (
    <div class="feed-row" style={{ transform: `translateY(${top}px)` }}>
      <time class="quiet mono" dateTime={new Date(at).toISOString()} title={dateTime(at)}>
        {clockTime(at)}
      </time>
      <span class="quiet mono seq" title="Place in the company’s journal">
        {seq}
      </span>
      <a class="identifier" href={addressOf(`/issues/${identifier}`)} title={title} tabIndex={-1}>
        {identifier}
      </a>
      <strong class="mono type">{type}</strong>
      <span class="mono way">
        {from === to ? (
          <span class="quiet">{to}</span>
        ) : (
          <>
            {from !== null && <span class="quiet">{from} → </span>}
            {to}
          </>
        )}
      </span>
      <span class="quiet actor">{actor.kind === 'agent' ? agentName(actor.id) : actor.kind}</span>
      <span class="quiet mono effects" title={effects.join('\n')}>
        {effects.join('  ')}
      </span>
    </div>
  );
}
