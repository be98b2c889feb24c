/** ⌘K: finds issues and agents, goes to pages, does what has no button of its own. */
import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { whole } from '../../../src/client/put-aside.ts';
import type { AgentView, IssueView } from '../../../src/machines/view.ts';
import { agentsByName } from '../agents/roster.ts';
import { pageClock } from '../clock.ts';
import { addressOf, go } from '../location.ts';
import { PAGES } from '../pages.ts';
import { client, company, hasKey, signIn } from '../session.ts';
import { toggleTheme } from '../theme.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { SHOWN, shownOf } from '../ui/state.tsx';
import { helpIsOpen } from './help.tsx';

export const paletteIsOpen = signal(false);

interface Entry {
  id: string;
  icon: IconName;
  text: string;
  note: string;
  run(): void;
}

const FOUND = 8;
const TYPING_MS = 120;

export function Palette() {
  return paletteIsOpen.value ? <Open /> : null;
}

function Open() {
  const typed = useSignal('');
  const issues = useSignal<IssueView[]>([]);
  const at = useSignal(0);
  const list = useRef<HTMLUListElement>(null);
  useFound(typed.value, issues);
  const entries = entriesFor(typed.value, issues.value, agentsByName.value);
  const chosen = Math.min(at.value, entries.length - 1);
  const move = (by: number) => {
    at.value = (chosen + by + entries.length) % Math.max(1, entries.length);
    list.current?.children[at.value]?.scrollIntoView({ block: 'nearest' });
  };
  const close = () => {
    paletteIsOpen.value = false;
  };
  const run = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    close();
    entry.run();
  };
  return (
    <Dialog label="Search and commands" class="palette" close={close}>
      <div class="palette-field">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={entries[chosen] ? `entry-${entries[chosen].id}` : undefined}
          aria-label="Search issues, agents, pages, commands"
          placeholder="Search issues, agents, pages, commands"
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
            at.value = 0;
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') move(1);
            else if (event.key === 'ArrowUp') move(-1);
            else if (event.key === 'Enter') run(entries[chosen]);
            else return;
            event.preventDefault();
          }}
        />
      </div>
      <ul id="palette-list" role="listbox" aria-label="Found" ref={list}>
        {entries.map((entry, i) => (
          <li
            key={entry.id}
            id={`entry-${entry.id}`}
            role="option"
            aria-selected={i === chosen}
            onClick={() => run(entry)}
            onKeyDown={() => {}}
            onMouseMove={() => (at.value = i)}
          >
            <Icon name={entry.icon} />
            <span class="text">{entry.text}</span>
            <span class="hint">{entry.note}</span>
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p class="empty">Nothing is called that.</p>}
    </Dialog>
  );
}

/** Asks the server for issues a moment after the last key. */
function useFound(text: string, issues: { value: IssueView[] }): void {
  useEffect(() => {
    const { value: from } = client;
    const { value: of } = company;
    if (text.trim() === '' || from === null || of === null) {
      issues.value = [];
      return;
    }
    let isCurrent = true;
    const cancel = pageClock.after(TYPING_MS, () => {
      from.http
        .call<{ items: IssueView[] }>('GET', `/companies/${of.id}/issues`, {
          query: { q: text.trim().slice(0, 200), limit: FOUND },
        })
        .then(
          ({ items }) => {
            if (isCurrent) issues.value = items.map((issue) => whole(issue, () => issue.id));
          },
          () => {
            if (isCurrent) issues.value = [];
          },
        );
    });
    return () => {
      isCurrent = false;
      cancel();
    };
  }, [text]);
}

function entriesFor(typed: string, issues: readonly IssueView[], agents: readonly AgentView[]): Entry[] {
  const text = typed.trim().toLowerCase();
  const fits = (words: string) => words.toLowerCase().includes(text);
  const found = issues.map((issue) => ({
    id: issue.id,
    icon: SHOWN[shownOf(issue)].icon,
    text: `${issue.identifier}  ${issue.title}`,
    note: SHOWN[shownOf(issue)].word,
    run: () => go(addressOf(`/issues/${issue.identifier}`)),
  }));
  const people = agents
    .filter((agent) => text !== '' && fits(agent.name))
    .slice(0, FOUND)
    .map((agent) => ({
      id: agent.id,
      icon: 'person' as const,
      text: agent.name,
      note: 'its issues',
      run: () => go(addressOf('/', { assignee: agent.id })),
    }));
  const pages = PAGES.filter((page) => page.key !== undefined && fits(`go to ${page.name}`)).map((page) => ({
    id: `page-${page.key}`,
    icon: 'play' as const,
    text: `Go to ${page.name}`,
    note: `g ${page.key}`,
    run: () => go(addressOf(page.path)),
  }));
  const commands: Entry[] = [
    { id: 'theme', icon: 'half' as const, text: 'Light or dark theme', note: 't', run: toggleTheme },
    {
      id: 'help',
      icon: 'search' as const,
      text: 'Keyboard help',
      note: '?',
      run: () => (helpIsOpen.value = true),
    },
    {
      id: 'reference',
      icon: 'search' as const,
      text: 'API reference',
      note: '/docs',
      run: () => window.location.assign('/docs'),
    },
    ...(hasKey()
      ? [{ id: 'out', icon: 'close' as const, text: 'Sign out of this tab', note: '', run: () => signIn('') }]
      : []),
  ].filter((entry) => fits(entry.text));
  return [...found, ...people, ...pages, ...commands];
}
