/**
 * The pages and their addresses: the one table from which navigation, routing and the palette are made. Each page but the
 * first is a file of its own that is loaded when somebody goes there.
 *
 * The gateway knows the same addresses (`PAGES` in src/gateway/dashboard.ts); test/web holds the two together.
 */
import type { ComponentType } from 'preact';
import { IssuesPage } from './issues/issues-page.tsx';

/** What every page is given: the parameters in its path. */
export interface PageProps {
  params: Readonly<Record<string, string>>;
}
type PageComponent = ComponentType<PageProps>;

interface Address {
  name: string;
  /** `:name` stands for one part of the path. */
  path: string;
  /** Pressed after `g`; pages without one are not in the navigation. */
  key?: string;
}
export type Page = Address & ({ component: PageComponent } | { load: () => Promise<PageComponent> });

export const PAGES: readonly Page[] = [
  { name: 'Issues', path: '/', key: 'i', component: IssuesPage },
  {
    name: 'Issue',
    path: '/issues/:id',
    load: async () => (await import('./issue/issue-page.tsx')).IssuePage,
  },
  {
    name: 'Agents',
    path: '/agents',
    key: 'a',
    load: async () => (await import('./agents/agents-page.tsx')).AgentsPage,
  },
  {
    name: 'Stuck',
    path: '/stuck',
    key: 's',
    load: async () => (await import('./stuck/stuck-page.tsx')).StuckPage,
  },
  {
    name: 'Machine',
    path: '/machine',
    key: 'm',
    load: async () => (await import('./machine/machine-page.tsx')).MachinePage,
  },
  {
    name: 'Log',
    path: '/log',
    key: 'l',
    load: async () => (await import('./log/log-page.tsx')).LogPage,
  },
  {
    name: 'Inspector',
    path: '/inspect',
    load: async () => (await import('./inspect/inspect-page.tsx')).InspectPage,
  },
  {
    name: 'Stately',
    path: '/inspect/stately',
    load: async () => (await import('./inspect/stately-page.tsx')).StatelyPage,
  },
];

export function pageAt(pathname: string): { page: Page; params: Record<string, string> } | null {
  for (const page of PAGES) {
    const names = [...page.path.matchAll(/:(\w+)/g)].map(([, name]) => name as string);
    const found = new RegExp(`^${page.path.replace(/:\w+/g, '([^/]+)')}$`).exec(pathname);
    if (found === null) continue;
    return { page, params: Object.fromEntries(names.map((name, i) => [name, decoded(found[i + 1] ?? '')])) };
  }
  return null;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
