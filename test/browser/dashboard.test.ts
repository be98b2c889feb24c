/** The dashboard in a real browser against a real server. One browser and one server serve the whole file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/built.ts';
import { office, startServer, type TestServer } from '../support/server.ts';
import { axe, startBrowser, type TestBrowser } from './browser.ts';

let server: TestServer;
let browser: TestBrowser;
let acme: Awaited<ReturnType<typeof office>>;

beforeAll(async () => {
  await ensureBuilt();
  server = await startServer();
  acme = await office(server, 'claude-1', 'codex-1');
  browser = await startBrowser();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('the first look', () => {
  it('draws the page without an error, and nothing leaves the origin', async () => {
    const issue = await acme.issue(acme.agents[0], { title: 'Fix login' });
    const { page, faults, close } = await browser.open(`${server.url}/`);
    await page.getByText('Fix login').waitFor();
    await page.getByText(issue.identifier).waitFor();
    expect(await page.title()).toBe('Issues · baton');
    expect(await axe(page)).toEqual([]);
    expect(faults()).toEqual([]);
    await close();
  });
});
