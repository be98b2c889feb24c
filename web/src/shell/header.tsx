/** Name, how live the page is, where one can go, and the few things that are always at hand. */
import { count } from '../duration.ts';
import { MOD } from '../keys.ts';
import { addressOf, path } from '../location.ts';
import { PAGES } from '../pages.ts';
import { chooseCompany, companies, company, session } from '../session.ts';
import { stuckCount } from '../stuck/stuck-watch.ts';
import { theme, toggleTheme } from '../theme.ts';
import { Icon } from '../ui/icon.tsx';
import { helpIsOpen } from './help.tsx';
import { paletteIsOpen } from './palette.tsx';

export function Brand() {
  return (
    <span class="brand">
      <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="var(--accent)" />
        <rect x="14" y="3.5" width="4.6" height="25" rx="2.3" transform="rotate(45 16 16)" fill="#fff" />
      </svg>
      baton
    </span>
  );
}

export function Header() {
  return (
    <header class="header">
      <a class="home" href={addressOf('/')} aria-label="baton: issues">
        <Brand />
      </a>
      <Live />
      <CompanyChoice />
      <nav aria-label="Pages">
        {PAGES.filter((page) => page.key !== undefined).map((page) => (
          <a
            key={page.path}
            href={addressOf(page.path)}
            class={isAt(page.path) ? 'is-at' : undefined}
            aria-current={path.value === page.path ? 'page' : undefined}
          >
            {page.name}
            {page.path === '/stuck' && (stuckCount.value ?? 0) > 0 && (
              <span class="badge">{count(stuckCount.value ?? 0)}</span>
            )}
          </a>
        ))}
      </nav>
      <div class="tools">
        <button type="button" class="search-button" onClick={() => (paletteIsOpen.value = true)}>
          <Icon name="search" size={14} />
          <span>Search</span>
          <kbd>{MOD}K</kbd>
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={theme.value === 'dark' ? 'Use the light theme' : 'Use the dark theme'}
          title="Light or dark (t)"
          onClick={toggleTheme}
        >
          <Icon name="half" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Keyboard help"
          title="Keyboard help (?)"
          onClick={() => (helpIsOpen.value = true)}
        >
          ?
        </button>
      </div>
    </header>
  );
}

function isAt(page: string): boolean {
  return page === '/' ? path.value === '/' || path.value.startsWith('/issues/') : path.value === page;
}

function Live() {
  const { link, latencyMs } = session.value;
  const isOpen = link.is === 'open';
  return (
    <span
      class={`live ${isOpen ? 'is-open' : 'is-lost'}`}
      title={isOpen ? 'Connected: changes come by themselves' : 'Not connected'}
    >
      <span class="dot" aria-hidden="true" />
      <span>{isOpen ? 'live' : 'offline'}</span>
      {isOpen && latencyMs !== null && (
        <span class="latency">{latencyMs < 1 ? '<1' : Math.round(latencyMs)} ms</span>
      )}
    </span>
  );
}

function CompanyChoice() {
  const all = companies.value ?? [];
  const { value: now } = company;
  if (now === null || all.length < 2) return null;
  return (
    <span class="company-choice" title={`${now.name} · ${now.prefix}`}>
      {/* Where there is no room for a name: every identifier begins with it. */}
      <span class="prefix" aria-hidden="true">
        {now.prefix}
        <Icon name="down" size={12} />
      </span>
      <select
        class="company"
        aria-label="Company"
        value={now.prefix}
        onChange={(event) => chooseCompany(event.currentTarget.value)}
      >
        {all.map((one) => (
          <option key={one.id} value={one.prefix}>
            {one.name} · {one.prefix}
          </option>
        ))}
      </select>
    </span>
  );
}
