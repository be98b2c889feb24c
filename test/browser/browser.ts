/**
 * A real browser for the tests of the dashboard: an installed Chrome or Chromium, else the one inside the package
 * `@sparticuz/chromium`. No browser at all is a failure: a page nobody drew proves nothing.
 *
 * A page made here collects what no page may have – console errors, uncaught errors, requests that leave the origin – and
 * `faults()` says them; each test ends with none.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { takeLock } from '../../src/process-lock.ts';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const INSTALLED = [
  process.env.CHROME_PATH,
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

export interface TestBrowser {
  /** A page of its own profile at `url`. */
  open(
    url: string,
    options?: BrowserContextOptions & { before?(page: Page): Promise<void> },
  ): Promise<Watched>;
  close(): Promise<void>;
}

export interface Watched {
  readonly page: Page;
  /** What went wrong in the page so far, one sentence each. */
  faults(): string[];
  close(): Promise<void>;
}

/** @throws Error when there is no browser that starts. */
export async function startBrowser(): Promise<TestBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'baton-browser-'));
  const browser = await launched(profile);
  return {
    async open(url, { before, ...options } = {}) {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        locale: 'en-US',
        ...options,
      });
      // Below the time a test has, so that what was waited for is said.
      context.setDefaultTimeout(12_000);
      const page = await context.newPage();
      const faults = watch(page, new URL(url).origin);
      await before?.(page);
      await page.goto(url);
      return { page, faults: () => [...faults], close: () => context.close() };
    },
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Closes the pages of a test and takes them out of `open`; what went wrong in them, one sentence each. */
export async function closed(open: Watched[]): Promise<string[]> {
  const found: string[] = [];
  for (const one of open.splice(0)) {
    found.push(...one.faults());
    await one.close();
  }
  return found;
}

async function launched(profile: string): Promise<Browser> {
  const installed = INSTALLED.find((path) => path !== undefined && existsSync(path));
  const options = {
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile } as Record<string, string>,
  };
  if (installed !== undefined) {
    return chromium.launch({ ...options, executablePath: installed, args: FLAGS });
  }
  const executablePath = await unpacked();
  // Not with the package's own flags: they are for a small function in a cloud, one process without web security.
  return chromium.launch({ ...options, executablePath, args: FLAGS });
}

/**
 * The browser of the npm package, which unpacks itself into the temporary directory when it is first asked for. Two test files
 * that ask at once must not: the second is told that the file is there while the first still writes it (ETXTBSY).
 */
async function unpacked(): Promise<string> {
  const { default: packed } = await import('@sparticuz/chromium');
  packed.setGraphicsMode = false;
  for (;;) {
    const lock = await takeLock(join(tmpdir(), 'baton-test-chromium.lock'));
    if (lock.is === 'taken') return await packed.executablePath().finally(lock.giveBack);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function watch(page: Page, origin: string): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    // A server that is down is what some tests are about; the browser reports each attempt to connect.
    if (
      message.type() === 'error' &&
      !/ERR_CONNECTION_(REFUSED|RESET)|WebSocket connection/.test(message.text())
    ) {
      faults.push(`console: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== 'data:' && url.protocol !== 'blob:') {
      faults.push(`left the origin: ${url.href}`);
    }
  });
  return faults;
}

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds in the page as it is, one line each; also of WCAG 2.2, which it leaves out unasked: targets of 24 px. */
export async function axe(page: Page): Promise<string[]> {
  // Not by a script element: the content security policy would, rightly, refuse it.
  const { readFileSync } = await import('node:fs');
  await page.evaluate(readFileSync(axeFile, 'utf8'));
  return page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as {
      axe: {
        run(options: object): Promise<{
          violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
        }>;
      };
    };
    const { violations } = await run.run({ rules: { 'target-size': { enabled: true } } });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 160)} ${failureSummary}`),
    );
  });
}
