/**
 * How the pages look: axe finds nothing on any of them, light and dark, narrow and wide, none is wider or longer than its
 * window, and fingers have something to hit. With UPDATE_PICTURES=1 it also makes the pictures of the README.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/built.ts';
import { call, officeOf, startServer, type TestServer } from '../support/server.ts';
import { ROOT } from '../support/source.ts';
import { axe, startBrowser, type TestBrowser } from './browser.ts';

let server: TestServer;
let browser: TestBrowser;
let acme: Awaited<ReturnType<typeof officeOf>>;

const TITLES = [
  'Fix the login redirect after single sign-on',
  'Add an index on runs(status)',
  'Describe the retry ladder in the docs',
  'Resume test of the WebSocket is flaky',
  'Upgrade the build image to Node 22',
  'Payments webhook answers 500 on an empty body',
  'Read the CSV import as a stream',
  'Investigate the p99 of commits on eu-west',
  'Say “company” everywhere instead of “workspace”',
  'Deadlock between export and retention',
];

beforeAll(async () => {
  await ensureBuilt();
  server = await startServer({ 'lease-ms': '3600000' });
  await furnish();
  browser = await startBrowser();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** A company in which something of everything is going on. */
async function furnish(): Promise<void> {
  const agent = (name: string, maxConcurrentRuns: number) => ({ name, maxConcurrentRuns });
  acme = await officeOf(
    server,
    { name: 'Acme', prefix: 'ACME' },
    agent('claude-1', 4),
    agent('claude-2', 2),
    agent('codex-1', 3),
    'nightly',
    'night-shift-with-a-name-that-is-rather-long',
  );
  await officeOf(server, { name: 'Globex', prefix: 'GLOBEX' }, 'elsewhere');
  const priorities = ['medium', 'high', 'medium', 'critical', 'medium', 'low', 'medium'];
  for (let n = 0; n < 34; n++) {
    const more = { title: TITLES[n % TITLES.length], priority: priorities[n % priorities.length] };
    const assignee = n < 26 ? acme.agents[n % 4] : undefined;
    const issue = await acme.issue(assignee, more);
    if (n >= 28) await acme.send(issue.id, { type: n % 3 === 0 ? 'CANCEL' : 'COMPLETE' });
  }
  for (const [n, agentId] of acme.agents.slice(0, 3).entries()) {
    const errorCode = ['claude_transient_upstream', '529_overloaded', 'codex_transient_upstream'][n];
    await acme.fail((await acme.claim(agentId))!, { errorCode });
    await acme.claim(agentId);
    const broken = await acme.claim(agentId);
    if (broken !== undefined)
      await acme.fail(broken, { errorFamily: 'tool', errorCode: 'exit_1', error: 'tests failed' });
    await acme.claim(agentId);
  }
  await call(server, 'POST', `/agents/${acme.agents[3]}/pause`, { drain: true });
}

/** Path, and what is there when the page is drawn. */
const PAGES: readonly (readonly [string, (page: Page) => Promise<unknown>])[] = [
  ['/', (page) => page.locator('.issue-row').getByText('queued').first().waitFor()],
  [
    '/agents',
    (page) =>
      page
        .getByText(/heartbeat/)
        .first()
        .waitFor(),
  ],
  ['/stuck', (page) => page.getByRole('heading', { name: 'Failed' }).waitFor()],
  ['/machine', (page) => page.getByRole('heading', { name: 'Machine' }).waitFor()],
  ['/log', (page) => page.locator('.u-wrap').nth(2).waitFor()],
];
/** Those with a chart, which statechart.test.ts shows to axe. */
const CHARTED: typeof PAGES = [
  ['/issues/ACME-1', (page) => page.locator('.statechart .leaf').first().waitFor()],
  ['/inspect', (page) => page.locator('.actors button').first().waitFor()],
];

/** What the frame is for: the page scrolls within it, the document does not, to either side. */
async function beyondWindow(page: Page): Promise<string[]> {
  const [wide, long] = await page.evaluate<[number, number]>(`(() => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.scrollingElement;
    return [scrollWidth - clientWidth, scrollHeight - clientHeight];
  })()`);
  return [
    ...(wide > 0 ? [`${wide} px wider than its window`] : []),
    ...(long > 0 ? [`${long} px longer than its window`] : []),
  ];
}

/** What is scrolled up and down must not hide anything at its side. */
function cut(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[...document.querySelectorAll('#page *')]
    .filter((of) => ['auto', 'scroll'].includes(getComputedStyle(of).overflowY) && of.scrollHeight > of.clientHeight)
    .filter((of) => of.scrollWidth > of.clientWidth)
    .map((of) => of.className + ' hides ' + (of.scrollWidth - of.clientWidth) + ' px at its side')`);
}

async function faultsOf(page: Page): Promise<string[]> {
  return [...(await axe(page)), ...(await beyondWindow(page))];
}

describe('the theme', () => {
  it('is the system’s, also when that changes, until the viewer chooses; then it stays', async () => {
    const { page, faults, close } = await browser.open(server.url, { colorScheme: 'dark' });
    await page.getByText('live').waitFor();
    const ground = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const [dark, light] = ['rgb(16, 16, 20)', 'rgb(251, 251, 252)'];
    expect(await ground()).toBe(dark);
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(ground).toBe(light);
    await page.keyboard.press('t');
    await expect.poll(ground).toBe(dark);
    await page.reload();
    expect(await ground()).toBe(dark);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await ground()).toBe(dark);
    expect(faults()).toEqual([]);
    await close();
  });
});

describe('at any width', () => {
  const WIDTHS = [375, 768, 861, 1024, 1280, 1920];

  it.each([...PAGES, ...CHARTED])(
    '%s scrolls within its frame, and the document does not',
    async (path, drawn) => {
      const { page, faults, close } = await browser.open(`${server.url}${path}?company=${acme.prefix}`);
      const found: Record<string, string[]> = {};
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 720 });
        await drawn(page);
        found[width] = [...(await beyondWindow(page)), ...(await cut(page))];
      }
      expect(found).toEqual(Object.fromEntries(WIDTHS.map((width) => [width, []])));
      expect(faults()).toEqual([]);
      await close();
    },
  );

  it.each([375, 768])('boxes to tick are at least 24 px at %i px, for fingers', async (width) => {
    const url = `${server.url}/?company=${acme.prefix}`;
    const { page, close } = await browser.open(url, { viewport: { width, height: 900 } });
    await page.getByText('no slot').first().waitFor();
    await page.keyboard.press('f');
    await page.getByRole('group', { name: 'Filters' }).waitFor();
    const sizes = await page.locator('input[type="checkbox"]:visible').evaluateAll((all) =>
      all.map((one) => {
        const { width: w, height: h } = (
          one as unknown as { getBoundingClientRect(): { width: number; height: number } }
        ).getBoundingClientRect();
        return Math.min(w, h);
      }),
    );
    expect(sizes.length).toBeGreaterThan(12);
    expect(sizes.filter((size) => size < 24)).toEqual([]);
    await close();
  });

  it('an issue on a wide screen leaves no hole between cards, and what was begun is kept as the window changes', async () => {
    const issue = await acme.issue(undefined, { title: 'Two columns' });
    const url = `${server.url}/issues/${issue.identifier}?company=${acme.prefix}`;
    const { page, faults, close } = await browser.open(url, { viewport: { width: 1280, height: 900 } });
    await page.locator('.statechart .leaf').first().waitFor();
    await page.getByLabel('Comment', { exact: true }).fill('Begun, not yet said');
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.locator('.column').nth(1).waitFor();
    const gaps = await page.evaluate<
      number[]
    >(`[...document.querySelectorAll('.column')].flatMap((column) => {
      const boxes = [...column.children].map((of) => of.getBoundingClientRect());
      return boxes.slice(1).map(({ top }, n) => Math.round(top - boxes[n].bottom));
    })`);
    expect(gaps).toEqual([14, 14, 14, 14]);
    expect(await page.getByLabel('Comment', { exact: true }).inputValue()).toBe('Begun, not yet said');
    expect(faults()).toEqual([]);
    await close();
  });

  it('the company is named whole at 375 px, and can be chosen there', async () => {
    const long = await officeOf(
      server,
      { name: 'A company with a rather long name', prefix: 'TENLETTERS' },
      'one',
    );
    const { page, close } = await browser.open(`${server.url}/?company=${long.prefix}`, {
      viewport: { width: 375, height: 720 },
    });
    const prefix = page.locator('.company-choice .prefix');
    await prefix.getByText(long.prefix).waitFor();
    const [shown, tools] = [await prefix.boundingBox(), await page.locator('.tools').boundingBox()];
    expect(
      await page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('.company-choice .prefix'))",
      ),
    ).toBe(true);
    expect(shown!.x + shown!.width).toBeLessThanOrEqual(tools!.x);
    expect(tools!.x + tools!.width).toBeLessThanOrEqual(375);
    await page.getByLabel('Company').selectOption(acme.prefix);
    await prefix.getByText(acme.prefix).waitFor();
    await close();
  });

  it('a title has the room of a reason that is not there', async () => {
    const title =
      'A title that is rather long says what is the matter, so that nobody has to open the issue to know';
    const done = await acme.issue(undefined, { title });
    await acme.send(done.id, { type: 'COMPLETE' });
    const { page, close } = await browser.open(`${server.url}/?company=${acme.prefix}`);
    const row = page.getByRole('row', { name: done.identifier });
    await row.getByText('done').waitFor();
    const [isWhole, apart] = await page.evaluate<boolean[]>(`(() => {
      const rows = [...document.querySelectorAll('.issue-row')];
      const text = rows.find(({ textContent }) => textContent.includes('${done.identifier}')).querySelector('.c-title .text');
      const reasoned = rows.filter((row) => row.querySelector('.c-why:not(:empty)') !== null);
      return [
        text.scrollWidth <= text.clientWidth,
        reasoned.length > 5 && reasoned.every((row) => {
          const [title, why] = ['.c-title', '.c-why'].map((name) => row.querySelector(name).getBoundingClientRect());
          return title.right <= why.left;
        }),
      ];
    })()`);
    expect(isWhole).toBe(true);
    // And a reason has the place beside it: it stands on nobody's title.
    expect(apart).toBe(true);
    await close();
  });
});

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  it.each([375, 1280])('every page is without fault at %i px', async (width) => {
    const height = width === 375 ? 720 : 900;
    const found: Record<string, string[]> = {};
    for (const [path, drawn] of PAGES) {
      const url = `${server.url}${path}?company=${acme.prefix}`;
      const watched = await browser.open(url, { colorScheme, viewport: { width, height } });
      await drawn(watched.page);
      const faults = [...(await faultsOf(watched.page)), ...watched.faults()];
      if (faults.length > 0) found[path] = faults;
      await watched.close();
    }
    expect(found).toEqual({});
  });

  it('dialogs and menus are without fault', async () => {
    const { page, close } = await browser.open(`${server.url}/?company=${acme.prefix}`, { colorScheme });
    await page.getByText('no slot').first().waitFor();
    const found: Record<string, string[]> = {};
    const look = async (what: string) => {
      const faults = await faultsOf(page);
      if (faults.length > 0) found[what] = faults;
    };
    await page.keyboard.press('Control+k');
    await page.getByRole('listbox', { name: 'Found' }).waitFor();
    await look('palette');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await look('help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('f');
    await page.getByRole('group', { name: 'Filters' }).waitFor();
    await look('filters');
    await page.keyboard.press('Escape');
    await page.getByLabel('Choose all that match').check();
    await look('chosen');
    await page.keyboard.press('a');
    await page.getByRole('dialog').waitFor();
    await look('asked');
    await page.keyboard.press('Escape');
    expect(found).toEqual({});
    await close();
  });

  it.each([375, 768, 1280, 1920])('nothing stands over what is beside it at %i px', async (width) => {
    const url = `${server.url}/?company=${acme.prefix}`;
    const { page, close } = await browser.open(url, { colorScheme, viewport: { width, height: 900 } });
    await page.getByText('no slot').first().waitFor();
    await page.keyboard.press('f');
    await page.getByRole('group', { name: 'Filters' }).waitFor();
    // Filters within their menu, the menu within the window, and what is at hand in the first line of the header.
    const faults = await page.evaluate<string[]>(`(() => {
      const box = (of) => of.getBoundingClientRect();
      const menu = document.querySelector('.filter-menu');
      const within = (inner, outer) => inner.left >= outer.left && inner.right <= outer.right + 0.5;
      const out = [...menu.querySelectorAll(':not(option)')].filter((of) => !within(box(of), box(menu)));
      const [brand, tools] = ['.home', '.tools'].map((name) => box(document.querySelector(name)));
      return [
        ...out.map((of) => 'out of the menu: ' + of.outerHTML.slice(0, 80)),
        ...(box(menu).right > innerWidth ? ['the menu is out of the window'] : []),
        ...(tools.top > brand.bottom ? ['the tools are not in the first line'] : []),
      ];
    })()`);
    expect(faults).toEqual([]);
    await close();
  });

  it('the picture for the README is small enough to be kept', async () => {
    const url = `${server.url}/?company=${acme.prefix}&order=oldest`;
    const { page, close } = await browser.open(url, { colorScheme, viewport: { width: 1280, height: 720 } });
    await page.getByText('no slot').first().waitFor();
    const picture = await page.screenshot();
    expect(picture.length).toBeLessThan(200_000);
    if (process.env.UPDATE_PICTURES === '1') {
      mkdirSync(join(ROOT, 'docs/images'), { recursive: true });
      writeFileSync(join(ROOT, `docs/images/issues-${colorScheme}.png`), picture);
    }
    await close();
  });
});
