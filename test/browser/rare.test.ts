/** What is rare and must be shown all the same: text that turns around, an issue put aside, an address of another company. */
import pg from 'pg';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/built.ts';
import { call, office, startServer, type TestServer } from '../support/server.ts';
import { closed, startBrowser, type TestBrowser, type Watched } from './browser.ts';

let server: TestServer;
let browser: TestBrowser;
const open: Watched[] = [];

beforeAll(async () => {
  await ensureBuilt();
  server = await startServer({ 'retry-jitter': '0' });
  browser = await startBrowser();
}, 120_000);
afterEach(async () => expect(await closed(open)).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function show(path: string): Promise<Page> {
  const watched = await browser.open(server.url + path);
  open.push(watched);
  return watched.page;
}
const row = (page: Page, identifier: string) => page.getByRole('row', { name: identifier });

describe('text that turns the direction of writing', () => {
  const evil = 'gpj.\u202eexe\u202c \u2066safe\u2069 \u009b\u001b[31m';
  const shown = 'gpj.�exe� �safe� ��[31m';

  it('shows where it would turn instead of turning, on every page and in the title of the window', async () => {
    const acme = await office(server, { name: `bad\u202ename` });
    const issue = await acme.issue(acme.agents[0], { title: evil, context: { note: evil } });
    await acme.send(issue.id, { type: 'COMMENT', body: evil });
    await acme.fail((await acme.claim(acme.agents[0]!))!, { error: evil, errorFamily: 'tool' });
    const page = await show(`/?company=${acme.prefix}`);
    for (const path of ['/', `/issues/${issue.identifier}`, '/stuck', '/agents', '/log']) {
      await page.goto(`${server.url}${path}?company=${acme.prefix}`);
      const there = { '/log': 'COMMENT', '/agents': 'bad�name' }[path] ?? shown;
      const within = path === '/log' ? page.getByRole('log', { name: 'Journal' }) : page;
      await within.getByText(there).first().waitFor();
      const drawn = await page.evaluate<string>('document.title + document.documentElement.outerHTML');
      expect(drawn, path).not.toMatch(/(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      if (path.startsWith('/issues')) expect(await page.title()).toBe(`${issue.identifier} ${shown} · baton`);
    }
  });

  it('leaves letters written from right to left as they are, apart from what stands beside them', async () => {
    const acme = await office(server);
    const title = 'אבג 123 \u200fדהו';
    const issue = await acme.issue(undefined, { title });
    const page = await show(`/issues/${issue.identifier}?company=${acme.prefix}`);
    await page.getByRole('heading', { name: title }).waitFor();
    const isolated = await page.evaluate("getComputedStyle(document.querySelector('h1 bdi')).unicodeBidi");
    expect(isolated).toMatch(/isolate/);
  });
});

describe('an address without a company', () => {
  it('finds the company by the identifier among those the key may see, and keeps it', async () => {
    const first = await office(server, 'one');
    const second = await office(server, 'two');
    await first.issue(undefined, { title: 'Ours' });
    const issue = await second.issue(undefined, { title: 'Theirs' });
    const page = await show(`/?company=${first.prefix}`);
    await page.getByText('Ours').waitFor();
    await page.goto(`${server.url}/issues/${issue.identifier.toLowerCase()}`);
    await page.getByRole('heading', { name: 'Theirs' }).waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get('company')).toBe(second.prefix);
    expect(await page.getByLabel('Company').inputValue()).toBe(second.prefix);
    await page.getByRole('link', { name: 'Issues', exact: true }).click();
    await page.getByRole('row', { name: 'Theirs' }).waitFor();
  });

  it('says the same of an issue of another company as of one that is nowhere', async () => {
    const [mine, theirs] = [await office(server), await office(server)];
    const issue = await theirs.issue(undefined, { title: 'Secret' });
    const key = { role: 'viewer', name: 'mine' };
    const { body } = await call<{ token: string }>(server, 'POST', `/companies/${mine.companyId}/keys`, key);
    const watched = await browser.open(server.url, {
      async before(page) {
        await page.addInitScript(`sessionStorage.setItem('baton.key', '${body.token}')`);
      },
    });
    const said = async (identifier: string) => {
      await watched.page.goto(`${server.url}/issues/${identifier}`);
      await watched.page.getByRole('heading', { name: `There is no issue ${identifier} here` }).waitFor();
      return (await watched.page.locator('main').innerText()).replaceAll(identifier, '');
    };
    expect(await said(issue.identifier)).toBe(await said('NOWHERE-1'));
    // The browser itself reports the 404 that this is about.
    await watched.close();
  });
});

describe('an issue whose stored state cannot be read', () => {
  it('is shown with its reason, and hides none of the others', async () => {
    const acme = await office(server, 'one');
    const [bad, good] = [
      await acme.issue(acme.agents[0], { title: 'Broken' }),
      await acme.issue(acme.agents[0], { title: 'Beside it' }),
    ];
    const client = new pg.Client({ connectionString: server.databaseUrl });
    await client.connect();
    await client.query(`update actors set snapshot = '{"value":"nowhere","context":{}}' where id = $1`, [
      bad.id,
    ]);
    await client.end();
    await server.restart();
    const page = await show(`/?company=${acme.prefix}`);
    await row(page, good.identifier).getByText('Beside it').waitFor();
    await row(page, bad.identifier).getByText('quarantined').waitFor();
    await page.goto(`${server.url}/stuck?company=${acme.prefix}`);
    await page.getByRole('heading', { name: 'Quarantined' }).waitFor();
    await page.getByRole('heading', { name: 'No worker' }).waitFor();
    await page.getByRole('link', { name: bad.identifier }).click();
    await page.getByText('its stored state cannot be read: issue snapshot').first().waitFor();
    await page.getByRole('region', { name: 'Facts' }).getByText('context.fence').waitFor();
    await page.getByRole('button', { name: 'CREATED' }).waitFor();
    expect(await page.getByRole('group', { name: 'Actions' }).count()).toBe(0);
  });
});

describe('a bulk that changes nothing', () => {
  it('is said to have changed nothing', async () => {
    const acme = await office(server, 'one');
    for (const title of ['First', 'Second']) await acme.issue(acme.agents[0], { title });
    const page = await show(`/?company=${acme.prefix}`);
    // What the dialog says of the chosen ones it knows from their rows.
    for (const title of ['First', 'Second']) await page.getByText(title, { exact: true }).waitFor();
    await page.getByLabel('Choose all that match').check();
    await page.keyboard.press('r');
    await page.getByRole('dialog').getByText('2 of them do not wait for a retry').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Retry 2 issues now' }).click();
    await page.getByText('2 issues stay as they were.').waitFor();
    expect(await page.getByText('retried').count()).toBe(0);
  });
});
