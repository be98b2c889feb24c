/** The frame around every page: header, status line, what is wrong with the connection, and the page itself. */
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { MOD, onKeys } from '../keys.ts';
import { addressOf, go, path } from '../location.ts';
import { PAGES, type Page, type PageProps, pageAt } from '../pages.ts';
import { client, companies, company, link, unknownCompany } from '../session.ts';
import { watchStuck } from '../stuck/stuck-watch.ts';
import { toggleTheme } from '../theme.ts';
import { None } from '../ui/none.tsx';
import { Toasts } from '../ui/toasts.tsx';
import { Banner } from './banner.tsx';
import { Header } from './header.tsx';
import { Help, helpIsOpen } from './help.tsx';
import { Palette, paletteIsOpen } from './palette.tsx';
import { NoCompany, SignIn, UnknownCompany, Waiting } from './signed-out.tsx';
import { StatusLine } from './status-line.tsx';

export function App() {
  useEffect(() => {
    const pages = PAGES.filter((page) => page.key !== undefined);
    const goes = pages.map((page) => [
      `g ${page.key}`,
      { keys: `g ${page.key}`, does: `Go to ${page.name}`, run: () => go(addressOf(page.path)) },
    ]);
    return onKeys('Everywhere', {
      'mod+k': { keys: `${MOD}K`, does: 'Search and commands', run: () => (paletteIsOpen.value = true) },
      '?': { keys: '?', does: 'This help', run: () => (helpIsOpen.value = true) },
      t: { keys: 't', does: 'Light or dark', run: toggleTheme },
      ...Object.fromEntries(goes),
    });
  }, []);

  useEffect(watchStuck, []);

  const { is } = link.value;
  if (is === 'refused') return <SignIn />;
  if (client.value === null || companies.value === null) return <Waiting />;
  return (
    <>
      <a class="skip" href="#page">
        Skip to the page
      </a>
      <Header />
      <Banner />
      {unknownCompany.value !== null ? (
        <UnknownCompany />
      ) : company.value === null ? (
        <NoCompany />
      ) : (
        <>
          <StatusLine key={company.value.id} />
          <main id="page" tabIndex={-1}>
            <Shown key={company.value.id} />
          </main>
        </>
      )}
      <Palette />
      <Help />
      <Toasts />
    </>
  );
}

const loaded = new Map<Page, ComponentType<PageProps>>();

/** The page of the address; one that is not here yet is fetched. */
function Shown() {
  const again = useSignal(0);
  const failed = useSignal<Page | null>(null);
  const at = pageAt(path.value);
  const page = at?.page ?? null;
  const Component = page === null ? null : 'component' in page ? page.component : (loaded.get(page) ?? null);
  useEffect(() => {
    document.title = page === null ? 'baton' : `${page.name} · baton`;
    if (page === null || Component !== null || !('load' in page)) return;
    let isCurrent = true;
    page.load().then(
      (component) => {
        loaded.set(page, component);
        if (isCurrent) again.value++;
      },
      () => {
        if (isCurrent) failed.value = page;
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [page, Component]);
  useEffect(() => {
    // What scrolls is the page, and keys scroll what has the focus. Whoever has it already keeps it.
    if (document.activeElement === document.body)
      document.getElementById('page')?.focus({ preventScroll: true });
  }, [path.value]);
  // Read, so that a page that has come is drawn.
  again.value;
  if (at === null) {
    return (
      <None title="There is no page at this address">
        The pages are in the line above; Ctrl+K or ⌘K finds issues and agents.
      </None>
    );
  }
  if (failed.value === page) {
    return (
      <p class="empty" role="alert">
        This page could not be loaded. The server may have been upgraded:{' '}
        <a href={path.value}>load it again</a>.
      </p>
    );
  }
  if (Component === null) return <p class="empty">Loading…</p>;
  return <Component key={path.value} params={at.params} />;
}
