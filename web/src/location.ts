/**
 * Where the page is: path and query of its address, as signals. The query holds every filter, so that an address sent to
 * somebody shows the same; `company` is kept from page to page.
 */
import { computed, signal } from '@preact/signals';

const address = signal(new URL(window.location.href));

export const path = computed(() => address.value.pathname);
export const query = computed(() => address.value.searchParams);
/** Path and query, for comparing. */
export const here = computed(() => address.value.pathname + address.value.search);

window.addEventListener('popstate', () => {
  address.value = new URL(window.location.href);
});

/** The prefix in the identifier that the path names: `ACME` of `/issues/ACME-7`; null: it names none. */
export const prefixInPath = computed(
  () => /^\/issues\/([A-Za-z][A-Za-z0-9]*)-\d+$/.exec(path.value)?.[1]?.toUpperCase() ?? null,
);

/** An address of this page with `company` kept; null and '' leave a parameter out. */
export function addressOf(to: string, params: Readonly<Record<string, string | null>> = {}): string {
  const url = new URL(to, window.location.origin);
  const company = query.value.get('company');
  if (company !== null && !url.searchParams.has('company')) url.searchParams.set('company', company);
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  // Commas are allowed in a query and easier to read.
  return url.pathname + url.search.replaceAll('%2C', ',');
}

export function go(to: string, { replace = false } = {}): void {
  if (to === here.value) return;
  if (replace) window.history.replaceState(null, '', to);
  else window.history.pushState(null, '', to);
  address.value = new URL(window.location.href);
  if (!replace) window.scrollTo(0, 0);
}

/** The same page with other parameters. `replace`: without a step in the history, for what is typed. */
export function setQuery(params: Readonly<Record<string, string | null>>, options?: { replace: boolean }) {
  const url = new URL(address.value);
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  go(url.pathname + url.search.replaceAll('%2C', ','), options);
}

/** Links to pages change the page in place; a click with a modifier, or elsewhere, is the browser's. */
export function followLinks(isPage: (pathname: string) => boolean): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.download !== '') return;
    const url = new URL(link.href);
    if (url.origin !== window.location.origin || !isPage(url.pathname)) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}
