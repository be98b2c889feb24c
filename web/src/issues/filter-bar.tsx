/** What the list is narrowed down to, each part of it removable, and how many match. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { agentName, agentsByName } from '../agents/roster.ts';
import { pageClock } from '../clock.ts';
import { count } from '../duration.ts';
import { onKeys } from '../keys.ts';
import { setQuery } from '../location.ts';
import { Icon } from '../ui/icon.tsx';
import { SHOWN } from '../ui/state.tsx';
import { type Filter, filter, isFiltered, type Order, order, PRIORITIES, setFilter } from './filter.ts';
import { type IssueList, SORTABLE } from './issue-list.ts';

const TYPING_MS = 150;
const words = new Map<string, string>([
  ...Object.values(SHOWN).map(({ filter: name, word }) => [name, word] as const),
  ['running', 'running or queued'],
]);

export function FilterBar({ list }: { list: IssueList }) {
  const { value: now } = filter;
  const { phase, more } = list.held.value;
  const { length } = list;
  return (
    <div class="filter-bar" role="search" aria-label="Filter issues">
      <TextFilter />
      {now.state.length > 0 && (
        <Chip
          name="state"
          value={now.state.map((name) => words.get(name) ?? name).join(', ')}
          remove={() => setFilter({ state: [] })}
        />
      )}
      {now.assignee !== null && (
        <Chip name="agent" value={agentName(now.assignee)} remove={() => setFilter({ assignee: null })} />
      )}
      {now.priority.length > 0 && (
        <Chip name="priority" value={now.priority.join(', ')} remove={() => setFilter({ priority: [] })} />
      )}
      {now.minAttempt !== null && (
        <Chip name="retries" value={`≥ ${now.minAttempt}`} remove={() => setFilter({ minAttempt: null })} />
      )}
      <AddFilter />
      <div class="ordered">
        <p class="matching" role="status">
          {phase.is === 'ready' ? (
            <>
              <strong>{more ? `${count(length)}+` : count(length)}</strong>{' '}
              {isFiltered(now) ? 'match' : length === 1 ? 'issue' : 'issues'}
            </>
          ) : (
            ' '
          )}
        </p>
        <select
          class="order"
          aria-label="Order"
          value={order.value}
          onChange={(event) =>
            setQuery({ order: event.currentTarget.value === 'newest' ? null : event.currentTarget.value })
          }
        >
          {(
            [
              ['newest', 'Newest first'],
              ['oldest', 'Oldest first'],
              ['next', 'Due next first'],
            ] as [Order, string][]
          ).map(([value, text]) => (
            <option key={value} value={value} disabled={value === 'next' && length > SORTABLE}>
              {text}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

function Chip({ name, value, remove }: { name: string; value: string; remove(): void }) {
  return (
    <span class="chip">
      <span class="quiet">{name}</span> {value}
      <button type="button" aria-label={`Remove the filter: ${name} ${value}`} onClick={remove}>
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}

function TextFilter() {
  const field = useRef<HTMLInputElement>(null);
  const typed = useSignal(filter.value.q);
  const { q } = filter.value;
  useEffect(() => {
    // The address changed by another way than this field.
    if (document.activeElement !== field.current) typed.value = q;
  }, [q]);
  useEffect(() => {
    if (typed.value.trim() === filter.peek().q) return;
    return pageClock.after(TYPING_MS, () => setFilter({ q: typed.value.trim() }, { replace: true }));
  }, [typed.value]);
  useEffect(
    () =>
      onKeys('Filter', {
        '/': { keys: '/', does: 'Filter by text', run: () => field.current?.select() },
      }),
    [],
  );
  return (
    <span class="text-filter">
      <Icon name="search" size={14} />
      <input
        ref={field}
        type="search"
        aria-label="Title or identifier"
        placeholder="Title or identifier"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={typed.value}
        onInput={(event) => (typed.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' && event.key !== 'Enter') return;
          if (event.key === 'Escape') typed.value = '';
          event.preventDefault();
          document.querySelector<HTMLElement>('.grid')?.focus();
        }}
      />
      <kbd>/</kbd>
    </span>
  );
}

function AddFilter() {
  const isOpen = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen.value) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) isOpen.value = false;
    };
    document.addEventListener('pointerdown', outside);
    root.current?.querySelector<HTMLElement>('.filter-menu input')?.focus();
    return () => document.removeEventListener('pointerdown', outside);
  }, [isOpen.value]);
  useEffect(
    () => onKeys('Filter', { f: { keys: 'f', does: 'Add a filter', run: () => (isOpen.value = true) } }),
    [],
  );
  return (
    <div
      class="add-filter"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        isOpen.value = false;
        root.current?.querySelector('button')?.focus();
      }}
    >
      <button
        type="button"
        class="button quiet-button"
        aria-expanded={isOpen.value}
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        <Icon name="plus" size={13} /> Filter
      </button>
      {isOpen.value && <Menu />}
    </div>
  );
}

function Menu() {
  const { value: now } = filter;
  const toggled = (list: readonly string[], name: string) =>
    list.includes(name) ? list.filter((one) => one !== name) : [...list, name];
  return (
    <div class="filter-menu card" role="group" aria-label="Filters">
      <Boxes
        legend="State"
        names={Object.values(SHOWN).map(({ filter: name, word }) => [name, word])}
        chosen={now.state}
        toggle={(name) => setFilter({ state: toggled(now.state, name) })}
      />
      <Boxes
        legend="Priority"
        names={PRIORITIES.map((name) => [name, name])}
        chosen={now.priority}
        toggle={(name) => setFilter({ priority: toggled(now.priority, name) })}
      />
      <label class="field">
        <span>Agent</span>
        <select
          value={now.assignee ?? ''}
          onChange={(event) => setFilter({ assignee: event.currentTarget.value || null })}
        >
          <option value="">any</option>
          {agentsByName.value.map((agent) => (
            <option key={agent.id} value={agent.id}>
              {agent.name}
            </option>
          ))}
        </select>
      </label>
      <Retries now={now} />
    </div>
  );
}

function Boxes(props: {
  legend: string;
  names: readonly (readonly [string, string])[];
  chosen: readonly string[];
  toggle(name: string): void;
}) {
  return (
    <fieldset>
      <legend>{props.legend}</legend>
      {props.names.map(([name, word]) => (
        <label key={name}>
          <input type="checkbox" checked={props.chosen.includes(name)} onChange={() => props.toggle(name)} />{' '}
          {word}
        </label>
      ))}
    </fieldset>
  );
}

function Retries({ now }: { now: Filter }) {
  return (
    <label class="field">
      <span>Retries spent, at least</span>
      <input
        type="number"
        min={1}
        max={50}
        value={now.minAttempt ?? ''}
        onInput={(event) => {
          const asked = event.currentTarget.valueAsNumber;
          setFilter({ minAttempt: asked > 0 ? Math.floor(asked) : null }, { replace: true });
        }}
      />
    </label>
  );
}
