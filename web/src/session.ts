/**
 * Who is looking at what, over which connection. One value says how the link is:
 *
 *     connecting ──welcome──► open ──lost──► lost ──welcome──► open
 *         └────────── refused for good (no or a wrong key) ──► refused ──sign in──► connecting
 *
 * A key lives in the tab's session storage and goes out in the `hello` frame and the Authorization header; it is never
 * part of an address.
 */
import { computed } from '@preact/signals';
import { createStore } from '@xstate/store';
import { Client, type Company, type Principal, type RemoteError } from '../../src/client/index.ts';
import { followClock, pageClock } from './clock.ts';
import { addressOf, go, prefixInPath, query } from './location.ts';
import { watched } from './watched.ts';

type Link =
  | { is: 'connecting' }
  | { is: 'open' }
  /** `triedAt`: when the next attempt begins, by the page's clock. */
  | { is: 'lost'; why: string; nextAt: number }
  | { is: 'refused'; error: RemoteError };

interface Session {
  link: Link;
  client: Client | null;
  principal: Principal | null;
  /** Null until they were read. */
  companies: Company[] | null;
  /** When the server was last heard, by the page's clock. */
  heardAt: number;
  latencyMs: number | null;
}

const KEY = 'baton.key';
const LAST_COMPANY = 'baton.company';
const NEVER_MS = 2 ** 31 - 1;
const LATENCY_EVERY_MS = 5000;
/** More companies than one would choose from by hand; beyond them only the one in the address is looked for. */
const COMPANIES_READ = 500;
/** While there is no company: a server that has just been started may make its first one any moment. */
const FIRST_COMPANY_MS = 2000;

const store = createStore({
  context: {
    link: { is: 'connecting' },
    client: null,
    principal: null,
    companies: null,
    heardAt: 0,
    latencyMs: null,
  } as Session,
  on: {
    started: (s, { client }: { client: Client }) => ({
      ...s,
      client,
      link: { is: 'connecting' } as Link,
      principal: null,
      companies: null,
    }),
    opened: (s, { principal }: { principal: Principal }) => ({
      ...s,
      principal,
      link: { is: 'open' } as Link,
      heardAt: pageClock.now(),
    }),
    lost: (s, { why, inMs }: { why: string; inMs: number }) => ({
      ...s,
      link: { is: 'lost', why, nextAt: pageClock.now() + inMs } as Link,
      latencyMs: null,
    }),
    refused: (s, { error }: { error: RemoteError }) => ({ ...s, link: { is: 'refused', error } as Link }),
    companies: (s, { companies }: { companies: Company[] }) => ({ ...s, companies }),
    heard: (s) => ({ ...s, heardAt: pageClock.now() }),
    latency: (s, { ms }: { ms: number }) => ({ ...s, latencyMs: ms, heardAt: pageClock.now() }),
  },
});

export const session = watched(store);
/** For those whose drawing must not depend on every sign of life. */
export const link = computed(() => session.value.link);
export const client = computed(() => session.value.client);
export const companies = computed(() => session.value.companies);

/**
 * The company that is looked at: the one whose issue the path names, else the address's, else the last one, else the
 * first. Only companies that the key may see are among them, so a path says nothing of others.
 */
export const company = computed<Company | null>(() => {
  const all = companies.value;
  if (all === null) return null;
  const named = all.find((one) => one.prefix === prefixInPath.value);
  if (named !== undefined) return named;
  const asked = query.value.get('company') ?? stored(localStorage, LAST_COMPANY);
  return all.find((one) => one.prefix === asked) ?? all[0] ?? null;
});

/** The address names a company that is not there, or not for this key; null: it does not. */
export const unknownCompany = computed<string | null>(() => {
  const asked = query.value.get('company');
  const all = companies.value;
  if (asked === null || all === null || all.length === 0 || company.value?.prefix === prefixInPath.value)
    return null;
  return all.some((one) => one.prefix === asked) ? null : asked;
});

export function chooseCompany(prefix: string): void {
  keep(localStorage, LAST_COMPANY, prefix);
  // Filters name agents of the company that is left.
  go(addressOf('/', { company: prefix }));
}

const principal = computed(() => session.value.principal);

export function mayOperate(): boolean {
  return principal.value?.role === 'operator';
}

export function heard(): void {
  store.trigger.heard();
}

/** Connects with the key of this tab, or without one. */
export function start(): void {
  const { client: old } = store.getSnapshot().context;
  const token = stored(sessionStorage, KEY);
  const next = new Client({
    token,
    client: { name: 'baton-dashboard', version: '1' },
    clock: pageClock,
    connectTimeoutMs: NEVER_MS,
  });
  store.trigger.started({ client: next });
  old?.close();
  const isCurrent = () => store.getSnapshot().context.client === next;
  next.on('open', ({ principal }) => {
    followClock(() => next.serverNow());
    store.trigger.opened({ principal });
    void look();
    void measure();
  });
  next.on('lost', ({ why, inMs }) => isCurrent() && store.trigger.lost({ why, inMs }));
  next.on('closed', ({ error }) => {
    if (error !== null && isCurrent()) store.trigger.refused({ error });
  });
  next.welcomed.catch(() => {
    // Said by `closed`.
  });

  async function look(): Promise<void> {
    // Not reached: it is looked again at the next `open`.
    const found = await readCompanies(next).catch(() => null);
    if (found === null || !isCurrent()) return;
    store.trigger.companies({ companies: found });
    if (found.length === 0) pageClock.after(FIRST_COMPANY_MS, () => void (next.isOpen && look()));
  }

  async function measure(): Promise<void> {
    if (!isCurrent() || !next.isOpen) return;
    try {
      store.trigger.latency({ ms: await next.roundTrip() });
    } catch {
      // The loss itself is told by `lost`.
      return;
    }
    pageClock.after(LATENCY_EVERY_MS, () => void measure());
  }
}

/** Takes a key for this tab; '' signs out. */
export function signIn(key: string): void {
  keep(sessionStorage, KEY, key.trim());
  start();
}

/** The key of this tab; null: none was given. */
export function keyOfTab(): string | null {
  return stored(sessionStorage, KEY);
}

/** A text of this server outside `/v1`, asked for with the tab's key. @throws Error when it is not answered with 200 */
export async function readText(path: string): Promise<string> {
  const token = stored(sessionStorage, KEY);
  const answer = await fetch(path, { headers: token === null ? {} : { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
}

export function hasKey(): boolean {
  return stored(sessionStorage, KEY) !== null;
}

async function readCompanies(from: Client): Promise<Company[]> {
  const own = from.principal.companyId;
  if (own !== null) return [await from.http.company(own)];
  const found: Company[] = [];
  const asked = prefixInPath.peek() ?? query.peek().get('company');
  let isFound = asked === null;
  for await (const one of from.http.companies()) {
    isFound ||= one.prefix === asked;
    if (found.length < COMPANIES_READ || one.prefix === asked) found.push(one);
    if (found.length >= COMPANIES_READ && isFound) break;
  }
  return found.sort(
    (a, b) => Number(b.prefix === asked) - Number(a.prefix === asked) || a.createdAt - b.createdAt,
  );
}

/** What storage did not take, because it is forbidden or full: it holds until the page is left. */
const unstored = new Map<string, string>();

function stored(storage: Storage, name: string): string | null {
  try {
    return storage.getItem(name) ?? unstored.get(name) ?? null;
  } catch {
    return unstored.get(name) ?? null;
  }
}

function keep(storage: Storage, name: string, value: string): void {
  unstored.delete(name);
  try {
    if (value === '') storage.removeItem(name);
    else storage.setItem(name, value);
  } catch {
    unstored.set(name, value);
  }
}
