/** `/docs` in a real browser: without an error, accessible, light and dark, wide and narrow. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureBuilt } from '../support/built.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { axe, startBrowser, type TestBrowser } from './browser.ts';

let server: TestServer;
let browser: TestBrowser;

beforeAll(async () => {
  // The dashboard's icon is the page's.
  await ensureBuilt();
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

it('leaves no error and no request elsewhere, axe finds nothing, nothing is cut off', async () => {
  const { page, faults } = await browser.open(`${server.url}/docs`);
  expect(await page.title()).toMatch(/^Baton .* HTTP reference$/);
  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 375],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.getByRole('link', { name: 'POST /v1/issues/{issueId}/events' }).click();
    await page.getByRole('heading', { name: 'POST /v1/issues/{issueId}/events' }).waitFor();
    const drawn = await page.evaluate('document.documentElement.scrollWidth');
    expect([width, Number(drawn) <= width]).toEqual([width, true]);
    expect([colorScheme, await axe(page)]).toEqual([colorScheme, []]);
  }
  expect(faults()).toEqual([]);
});
