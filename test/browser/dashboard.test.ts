/** The dashboard in a real browser against a real server. One browser and one server serve the whole file. */
import pg from 'pg';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/built.ts';
import { freshDatabase, temporaryDirectory } from '../support/postgres.ts';
import { call, office, startServer, type TestServer, until } from '../support/server.ts';
import { endAll, spawnServer } from '../support/server-process.ts';
import { axe, closed, startBrowser, type TestBrowser, type Watched } from './browser.ts';

let server: TestServer;
let browser: TestBrowser;
const open: Watched[] = [];

beforeAll(async () => {
  await ensureBuilt();
  server = await startServer({ 'retry-delays-ms': '1500,60000', 'retry-jitter': '0', 'lease-ms': '60000' });
  browser = await startBrowser();
}, 120_000);
afterEach(async () => expect(await closed(open)).toEqual([]));
afterAll(async () => {
  await browser?.close();
  endAll();
  await server?.stop();
});

/** A page of the company, which has agents `one` and `two`. */
async function company() {
  const own = await office(server, 'one', 'two');
  const show = async (path: string, options?: Parameters<TestBrowser['open']>[1]) => {
    const url = `${server.url}${path}${path.includes('?') ? '&' : '?'}company=${own.prefix}`;
    const watched = await browser.open(url, options);
    open.push(watched);
    return watched.page;
  };
  return {
    ...own,
    show,
    row: (page: Page, identifier: string) => page.getByRole('row', { name: identifier }),
  };
}

/** A page that counts what it asks of the server from now on. */
function requestsOf(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  return asked;
}

describe('the first look', () => {
  it('draws the issues and says what each waits for', async () => {
    const acme = await company();
    const issue = await acme.issue(acme.agents[0], { title: 'Fix login' });
    const page = await acme.show('/');
    const row = acme.row(page, issue.identifier);
    await row.getByText('Fix login').waitFor();
    await row.getByText('queued').waitFor();
    await row.getByText('agent offline').waitFor();
    expect(await page.title()).toBe('Issues · baton');
    await page.getByText('live').waitFor();
  });

  it('says under Next only what comes next, and beside the state how long it lasts', async () => {
    const acme = await company();
    const [over, running, retrying] = [
      await acme.issue(undefined, { title: 'Over' }),
      await acme.issue(acme.agents[0], { title: 'In hand' }),
      await acme.issue(acme.agents[1], { title: 'Later' }),
    ];
    await acme.send(over.id, { type: 'COMPLETE' });
    await acme.claim(acme.agents[0]!);
    await acme.fail((await acme.claim(acme.agents[1]!))!, {
      resultJson: { retryNotBefore: Date.now() + 600_000 },
    });
    const page = await acme.show('/');
    const cells = async ({ identifier }: { identifier: string }) => {
      const row = acme.row(page, identifier);
      await row.locator('.state').waitFor();
      return [await row.locator('.c-state').textContent(), await row.locator('.c-next').textContent()];
    };
    expect(await cells(over)).toEqual(['done', '']);
    expect(await cells(running)).toEqual([expect.stringMatching(/^running(just now|for \d+s)$/), '']);
    expect(await cells(retrying)).toEqual(['retrying', expect.stringMatching(/^(10m|9m \d+s)$/)]);
  });

  it('shows hostile titles as the text they are', async () => {
    const acme = await company();
    const titles = [
      '<img src=x onerror="document.title=1">',
      '<script>document.title=2</script>',
      '{{7*7}} </title><b>',
    ];
    for (const title of titles) await acme.issue(undefined, { title });
    const page = await acme.show('/');
    for (const title of titles) await page.getByText(title, { exact: true }).waitFor();
    await page.goto(`${server.url}/log?company=${acme.prefix}`);
    await page.getByRole('log', { name: 'Journal' }).getByText('CREATED').first().waitFor();
    expect(await page.title()).toBe('Log · baton');
    expect(await page.locator('main img, main script').count()).toBe(0);
  });

  it('a company that is not there is said so, with those that are', async () => {
    const acme = await company();
    const page = await acme.show('/?company=NONE');
    await page.getByRole('heading', { name: 'There is no company NONE here' }).waitFor();
    await page.getByRole('link', { name: acme.prefix }).click();
    await page.getByText('There is no issue yet.').waitFor();
  });

  it('the first company shows up by itself on a server that had none', async () => {
    const own = await startServer();
    const { page, faults, close } = await browser.open(own.url);
    await page.getByRole('heading', { name: 'No company yet' }).waitFor();
    await call(own, 'POST', '/companies', { name: 'First', prefix: 'FIRST' });
    await page.getByText('There is no issue yet.').waitFor();
    expect(faults()).toEqual([]);
    await close();
    await own.stop();
  });

  it('an address that is no page says so, and an unknown issue is named with its code', async () => {
    const acme = await company();
    const page = await acme.show('/issues/NONE-1');
    await page.getByText('NOT_FOUND').first().waitFor();
    // The browser itself reports the 404 that this is about.
    open.pop();
  });
});

describe('what changes', () => {
  it('a claim, a failure and the retry that follows are seen without asking again', async () => {
    const acme = await company();
    const [agent] = acme.agents;
    const issue = await acme.issue(agent, { title: 'Flaky' });
    const page = await acme.show('/');
    const row = acme.row(page, issue.identifier);
    await row.getByText('queued').waitFor();
    // Agents are read now and then; nothing else may be.
    const asked = requestsOf(page);
    const grant = await acme.claim(agent!);
    await row.getByText('running').waitFor();
    await acme.fail(grant!);
    await row.getByText('retrying').waitFor();
    await row.getByText('429 overloaded').waitFor();
    await row.getByText('queued').waitFor({ timeout: 5000 });
    await acme.claim(agent!);
    await row.getByText('running').waitFor();
    expect(asked.filter((path) => !path.endsWith('/agents'))).toEqual([]);
  });

  it('a run whose worker is lost is given up, retried and taken over before the viewer’s eyes', async () => {
    const acme = await company();
    const retry = { leaseMs: 800, delaysMs: [800], jitter: 0 };
    const agent = await call<{ id: string }>(server, 'POST', `/companies/${acme.companyId}/agents`, {
      name: 'lost',
      retry,
    });
    const issue = await acme.issue(agent.body.id, { title: 'Left alone' });
    const page = await acme.show('/');
    const row = acme.row(page, issue.identifier);
    await row.getByText('queued').waitFor();
    const asked = requestsOf(page);
    const first = await acme.claim(agent.body.id);
    await row.getByText('running').waitFor();
    // No heartbeat: the lease expires.
    await row.getByText('retrying').waitFor();
    const second = await until(
      () => acme.claim(agent.body.id, 2000),
      (grant) => grant !== undefined,
    );
    await row.getByText(`f${second?.fence}`).waitFor();
    expect(second?.fence).toBeGreaterThan(first?.fence ?? 0);
    expect(asked.filter((path) => !path.endsWith('/agents'))).toEqual([]);
  });

  it('a reassigned backoff shows the takeover and never fires', async () => {
    const acme = await company();
    const [one, two] = acme.agents;
    const issue = await acme.issue(one, { title: 'Handed over' });
    const page = await acme.show('/');
    const row = acme.row(page, issue.identifier);
    await acme.fail((await acme.claim(one!))!);
    await row.getByText('retrying').waitFor();
    const { body } = await acme.send(issue.id, { type: 'ASSIGN', agentId: two });
    await row.getByText('two').waitFor();
    await row.getByText('queued').waitFor();
    const due = (await acme.journal(issue.id))
      .flatMap(({ effects }) => effects)
      .find(({ type }) => type === 'retry.cancelled');
    const scheduledAt = Number(due?.data.scheduledRetryAt);
    await until(
      async () => Date.now(),
      (now) => now > scheduledAt + 500,
      5000,
    );
    expect((await acme.get(issue.id)).version).toBe(body.version);
    expect(await row.getByText('two').count()).toBe(1);
  });

  it.each([
    ['five minutes behind', -300_000],
    ['five minutes ahead', 300_000],
  ])('a countdown ends when the retry is due although the page’s clock is %s', async (_, shiftMs) => {
    const acme = await company();
    const [agent] = acme.agents;
    const issue = await acme.issue(agent, { title: 'Counts down' });
    const page = await acme.show('/', {
      async before(page) {
        await page.addInitScript(`{
          const now = Date.now.bind(Date);
          Date.now = () => now() + ${shiftMs};
        }`);
      },
    });
    const row = acme.row(page, issue.identifier);
    await row.getByText('queued').waitFor();
    await acme.fail((await acme.claim(agent!))!);
    const { dueAt } = (await acme.get(issue.id)).retry!;
    // Every frame of the page until the countdown is over, by the clock that was not shifted.
    const frames = await page.evaluate<[at: number, text: string | null][]>(`new Promise((resolve) => {
      const frames = [];
      const look = () => {
        const text = document.querySelector('.countdown .n')?.textContent ?? null;
        frames.push([performance.timeOrigin + performance.now(), text]);
        const wasCounting = frames.some(([, seen]) => seen?.endsWith('s'));
        if (wasCounting && !text?.endsWith('s')) resolve(frames);
        else requestAnimationFrame(look);
      };
      look();
    })`);
    const counting = frames.filter(([, text]) => text?.endsWith('s'));
    for (const [at, text] of counting) {
      const early = dueAt - at - Number.parseInt(text ?? '', 10) * 1000;
      expect(early).toBeLessThan(250);
    }
    const [overAt] = frames.at(-1)!;
    // A machine that was busy drew no frame for a while: that is not the countdown's doing.
    const stalledMs = Math.max(...counting.map(([at], i) => (counting[i + 1]?.[0] ?? overAt) - at));
    expect(overAt - dueAt).toBeGreaterThan(-250);
    expect(overAt - dueAt - Math.max(0, stalledMs - 50)).toBeLessThan(250);
  });

  it('retry now, reassign and cancel by one viewer are seen by another', async () => {
    const acme = await company();
    const [one] = acme.agents;
    const issue = await acme.issue(one, { title: 'Two viewers' });
    const [mine, theirs] = [await acme.show('/'), await acme.show('/')];
    const seen = acme.row(theirs, issue.identifier);
    await acme.fail((await acme.claim(one!))!);
    await acme.fail(
      (await until(
        () => acme.claim(one!, 2000),
        (grant) => grant !== undefined,
      ))!,
    );
    await seen.getByText('retrying').waitFor();
    await acme.row(mine, issue.identifier).getByText('retrying').waitFor();

    const act = async (button: string, confirm: string, agent?: string) => {
      const box = mine.getByLabel(`Choose ${issue.identifier}`);
      if (!(await box.isChecked())) await box.check();
      await mine.getByRole('toolbar').getByRole('button', { name: button }).click();
      if (agent !== undefined)
        await mine.getByRole('dialog').getByRole('combobox').selectOption({ label: agent });
      await mine.getByRole('dialog').getByRole('button', { name: confirm }).click();
      await mine.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await act('Retry now', 'Retry 1 issue now');
    await seen.getByText('queued').waitFor();
    await act('Reassign', 'Reassign 1 issue', 'two');
    await seen.getByText('two', { exact: true }).waitFor();
    await act('Cancel', 'Cancel 1 issue');
    await seen.getByText('cancelled').waitFor();
    expect((await acme.get(issue.id)).state).toBe('cancelled');
  });
});

describe('what is asked for', () => {
  it('a decision on a picture that is old is refused, with what changed', async () => {
    const acme = await company();
    const issue = await acme.issue(acme.agents[0], { title: 'Stale' });
    const page = await acme.show('/');
    await page.getByLabel(`Choose ${issue.identifier}`).check();
    await page.getByRole('toolbar').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog').getByText('Cancel 1 issue?').waitFor();
    await acme.send(issue.id, { type: 'COMPLETE' });
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel 1 issue' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1 refused, 0 cancelled').waitFor();
    await dialog.getByText('CONFLICT').waitFor();
    await dialog.getByText('Now it is done').waitFor();
    expect((await acme.get(issue.id)).state).toBe('done');
  });

  it('is not shown as done before the server has confirmed it', async () => {
    const acme = await company();
    const issue = await acme.issue(acme.agents[0], { title: 'Not yet' });
    let held = false;
    const page = await acme.show('/', {
      before: (page) =>
        page.routeWebSocket(/\/v1\/ws/, (socket) => {
          const to = socket.connectToServer();
          socket.onMessage((message) => to.send(message));
          to.onMessage((message) => {
            // The answer to the event, and the change it made, stay on the way.
            if (!held || !/CANCEL|"t":"ok"/.test(String(message))) socket.send(message);
          });
        }),
    });
    await page.getByLabel(`Choose ${issue.identifier}`).check();
    await page.getByRole('toolbar').getByRole('button', { name: 'Cancel' }).click();
    held = true;
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel 1 issue' }).click();
    await page.getByText('0 of 1 confirmed').waitFor();
    await until(
      () => acme.get(issue.id),
      ({ state }) => state === 'cancelled',
    );
    // Not by its role: what is behind a dialog has none.
    const row = page.locator('.issue-row');
    expect(await row.getByText('cancelling…').count()).toBe(1);
    expect(await row.getByText('cancelled', { exact: true }).count()).toBe(0);
  });

  it('the cell around a box chooses like the box, and twice in a row opens nothing', async () => {
    const acme = await company();
    const issue = await acme.issue(undefined, { title: 'Chosen' });
    const page = await acme.show('/');
    const cell = acme.row(page, issue.identifier).locator('.c-choose');
    const corner = { position: { x: 3, y: 3 } };
    await cell.click(corner);
    await page.getByText('1 chosen').waitFor();
    await cell.click(corner);
    await page.getByText('1 chosen').waitFor({ state: 'detached' });
    await cell.dblclick(corner);
    await acme.row(page, issue.identifier).getByText('Chosen').dblclick();
    await page.getByRole('heading', { name: 'Chosen' }).waitFor();
    await page.goBack();
    // One entry back is the list: the first pair of clicks had led nowhere.
    await acme.row(page, issue.identifier).waitFor();
  });

  it('all that match are chosen at once, and their count is said again', async () => {
    const acme = await company();
    for (let n = 0; n < 30; n++)
      await acme.issue(undefined, { title: n % 2 === 0 ? `Even ${n}` : `Odd ${n}` });
    const page = await acme.show('/?q=odd');
    await page.getByText('15 match').waitFor();
    await page.getByLabel('Choose all that match').check();
    await page.getByRole('toolbar').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel 15 issues' }).click();
    await page.getByText('15 issues cancelled.').waitFor();
    await page.goto(`${server.url}/?company=${acme.prefix}&state=cancelled`);
    await page.getByText('15 match').waitFor();
  });
});

describe('the keyboard alone', () => {
  it('finds an issue, chooses, confirms, moves on, opens, and shows its keys', async () => {
    const acme = await company();
    const [one, two] = [
      await acme.issue(acme.agents[0], { title: 'First' }),
      await acme.issue(undefined, { title: 'Second' }),
    ];
    const page = await acme.show('/');
    await acme.row(page, two.identifier).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('first');
    await page.getByText('1 match').waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe('first');
    await page.keyboard.press('Enter');
    await page.keyboard.press('j');
    await page.keyboard.press('c');
    await page.getByRole('dialog').getByText('Cancel 1 issue?').waitFor();
    await page.keyboard.press('Enter');
    await acme.row(page, one.identifier).getByText('cancelled').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.press('Escape');
    await acme.row(page, two.identifier).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText('1 chosen').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('1 chosen').waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard help' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Second' }).waitFor();
    // The page has the focus: its keys scroll it. And whoever goes back goes on where they were.
    await page.keyboard.press('End');
    await expect.poll(() => page.evaluate("document.querySelector('#page').scrollTop > 0")).toBe(true);
    await page.goBack();
    await expect
      .poll(() => page.locator('.is-cursor').getAttribute('id'))
      .toBe(`row-${two.identifier.split('-')[1]}`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Second' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await page.getByRole('heading', { name: 'Agents' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.locator('input[role="combobox"]:focus').waitFor();
    await page.keyboard.type('second');
    await page.getByRole('option', { name: 'Second' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Second' }).waitFor();
  });
});

describe('agents, what is stuck, the log', () => {
  it('an agent is drained and resumed, and what that means is said before', async () => {
    const acme = await company();
    await acme.issue(acme.agents[0], { title: 'In hand' });
    await acme.claim(acme.agents[0]!);
    const page = await acme.show('/agents');
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'one' }) });
    await card.getByText('1 of 1').waitFor();
    await card.getByText(/heartbeat/).waitFor();
    await page.getByRole('button', { name: 'Drain one' }).click();
    await page.getByRole('dialog').getByText('The runs in hand finish and report').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain one' }).click();
    await card.getByText('draining').waitFor();
    await page.getByRole('button', { name: 'Resume one' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume one' }).click();
    await card.getByText('active').waitFor();
  });

  it('a run that was told to stop is said so beside its title, also where there is little room', async () => {
    const acme = await company();
    const [one, two] = acme.agents;
    const issue = await acme.issue(one, { title: 'Reads on' });
    await acme.claim(one!);
    await acme.send(issue.id, { type: 'ASSIGN', agentId: two });
    const page = await acme.show('/agents', { viewport: { width: 375, height: 720 } });
    const run = page.getByRole('list', { name: 'Runs of one' }).getByRole('listitem');
    await run.getByText('told to stop', { exact: true }).waitFor();
    expect(await run.getByText('told to stop').getAttribute('title')).toBe('issue reassigned');
    const title =
      "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('.in-hand .text'))";
    expect(await page.evaluate(title)).toBe(true);
  });

  it('what has no worker or failed for good is stuck at once, counted in the navigation, and gone when it is taken up', async () => {
    const acme = await company();
    const issue = await acme.issue(acme.agents[0], { title: 'Broken build' });
    const page = await acme.show('/stuck');
    await page.getByRole('heading', { name: 'No worker' }).waitFor();
    await acme.fail((await acme.claim(acme.agents[0]!))!, { errorFamily: 'tool', errorCode: 'exit_1' });
    await page.getByRole('heading', { name: 'Failed' }).waitFor();
    await page.getByRole('heading', { name: 'No worker' }).waitFor({ state: 'detached' });
    await page.getByText('Broken build').waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Stuck 1' }).waitFor();
    await acme.send(issue.id, { type: 'CANCEL' });
    await page.getByText('Nothing is stuck.').waitFor();
  });

  it('the log follows the journal, filtered by the address', async () => {
    const acme = await company();
    const issue = await acme.issue(acme.agents[0], { title: 'Logged' });
    const page = await acme.show('/log?type=CANCEL');
    await page.getByText('Nothing of what is kept here matches.').waitFor();
    await page.getByText('Events per second').waitFor();
    await page.getByText('Commit, p50 and p99').waitFor();
    await acme.send(issue.id, { type: 'CANCEL' });
    await page.getByRole('log', { name: 'Journal' }).getByText('CANCEL', { exact: true }).waitFor();
    await page.getByRole('link', { name: issue.identifier }).waitFor();
    expect(await page.getByRole('log', { name: 'Journal' }).getByText('CREATED').count()).toBe(0);
  });

  it('the log draws its charts also where the browser’s language is none', async () => {
    const acme = await company();
    const page = await acme.show('/log', {
      before: async (opened) => {
        await opened.addInitScript(
          "Object.defineProperty(Navigator.prototype, 'language', { get: () => 'en-US@posix' })",
        );
      },
    });
    await page.getByText('Events per second').waitFor();
  });
});

/** Copies an issue in the database until there are `many`, numbered on: making each by an event is not what is tested. */
async function multiply({ id }: { id: string }, many: number): Promise<void> {
  const client = new pg.Client({ connectionString: server.databaseUrl });
  await client.connect();
  const columns =
    'rank, due_at, updated_at, version, machine_version, partition, priority, holds, company_id, kind, state';
  await client.query(
    `insert into actors (${columns}, substate, assignee, pool, ordinal, id, snapshot, head)
     select ${columns}, substate, assignee, pool, n, new.id, replace(snapshot::text, a.id, new.id)::json,
       regexp_replace(replace(head::text, a.id, new.id), '-1"', '-' || n || '"')::json
     from actors a, generate_series(2, $2::int) n, lateral (select left(a.id, 4) || lpad(to_hex(n), 18, '0') as id) new
     where a.id = $1`,
    [id, many],
  );
  await client.end();
}

describe('a long list', () => {
  it('of 100,000 issues scrolls with fewer than 200 rows in the document, kept by changes', async () => {
    const acme = await company();
    await multiply(await acme.issue(undefined, { title: 'One of many' }), 100_000);
    const page = await acme.show('/');
    await page.locator('.matching').getByText('100\u202f000').waitFor();
    const grid = page.locator('.grid');
    for (const share of [0.2, 0.5, 0.9, 1]) {
      await grid.evaluate((element, to) => {
        const scroller = element as unknown as { scrollTop: number; scrollHeight: number };
        scroller.scrollTop = scroller.scrollHeight * to;
      }, share);
      const number = Math.max(10, 100_000 - Math.round(100_000 * share) - 5);
      await page.locator(`#row-${number}`).getByText('One of many').waitFor();
      expect(await page.locator('.issue-row').count()).toBeLessThan(200);
    }
    const first = await call<{ id: string }>(
      server,
      'GET',
      `/companies/${acme.companyId}/issues/${acme.prefix}-1`,
    );
    const asked = requestsOf(page);
    await acme.send(first.body.id, { type: 'CANCEL' });
    await acme.row(page, `${acme.prefix}-1 `).getByText('cancelled').waitFor();
    expect(asked.filter((path) => !path.endsWith('/agents'))).toEqual([]);
    await page.keyboard.press('g');
    await page.keyboard.press('g');
    await acme.row(page, `${acme.prefix}-100000`).getByText('One of many').waitFor();
    // However many digits it has, an identifier is shown whole.
    const cut =
      "[...document.querySelectorAll('.c-identifier')].filter((of) => of.scrollWidth > of.clientWidth)";
    expect(await page.evaluate<number>(`${cut}.length`)).toBe(0);
  }, 90_000);
});

describe('a server that is killed', () => {
  it('is said with the age of what is seen; after its restart the page goes on without gap or duplicate', async () => {
    const database = await freshDatabase();
    const directory = await temporaryDirectory();
    const flags = { 'database-url': database.url, 'data-dir': directory.path, 'node-ttl-ms': '1500' };
    let own = await spawnServer(flags);
    const acme = await office(own, 'one');
    const issue = await acme.issue(undefined, { title: 'Survives' });
    const path = `company=${acme.prefix}`;
    const [list, log] = [
      await browser.open(`${own.url}/?${path}`),
      await browser.open(`${own.url}/log?${path}`),
    ];
    const row = list.page.getByRole('row', { name: issue.identifier });
    const [feed, seqs] = [log.page.getByRole('log', { name: 'Journal' }), log.page.locator('.feed-row .seq')];
    await row.getByText('unassigned').waitFor();
    await acme.send(issue.id, { type: 'PRIORITY', priority: 'high' });
    await feed.getByText('PRIORITY').waitFor();

    await own.end('SIGKILL');
    await list.page
      .getByRole('alert')
      .getByText(/Connection lost. What you see is/)
      .waitFor();
    await list.page
      .getByRole('alert')
      .getByText(/\ds old/)
      .waitFor();
    expect(await axe(list.page)).toEqual([]);
    expect(await row.getByText('Survives').count()).toBe(1);
    own = await spawnServer({ ...flags, port: new URL(own.url).port });
    await acme.send(issue.id, { type: 'CANCEL' });
    await row.getByText('cancelled').waitFor({ timeout: 20_000 });
    await list.page.getByRole('alert').waitFor({ state: 'detached' });
    await feed.getByText('CANCEL', { exact: true }).waitFor({ timeout: 20_000 });
    const seen = (await seqs.allTextContents()).map(Number);
    expect(seen).toEqual(seen.map((_seq, i) => seen[0]! + i));
    expect(seen.length).toBe(3);
    expect([...list.faults(), ...log.faults()]).toEqual([]);
    await Promise.all([list.close(), log.close()]);
    await own.end('SIGTERM');
    await database.drop();
    await directory.remove();
  }, 60_000);
});

describe('a server that wants a key', () => {
  it('asks for one, refuses a wrong one, and keeps the right one out of every address', async () => {
    const token = 'a-token-that-only-this-test-knows';
    const own = await startServer({ token });
    const made = await call<{ id: string }>(
      own,
      'POST',
      '/companies',
      { name: 'Acme', prefix: 'ACME' },
      { token },
    );
    const viewer = await call<{ token: string }>(
      own,
      'POST',
      `/companies/${made.body.id}/keys`,
      { role: 'viewer' },
      { token },
    );
    await call(own, 'POST', `/companies/${made.body.id}/issues`, { title: 'Secret' }, { token });
    const watched = await browser.open(own.url);
    const { page } = watched;
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    await page.getByLabel('Key or token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('UNAUTHENTICATED').waitFor();
    await page.getByLabel('Key or token').fill(viewer.body.token);
    await page.keyboard.press('Enter');
    await page.getByText('Secret').waitFor();
    // A viewer only reads: nothing that would be refused is offered.
    await page.getByLabel('Choose ACME-1').check();
    expect(await page.getByRole('toolbar').count()).toBe(0);
    await page.reload();
    await page.getByText('Secret').waitFor();
    expect(addresses.filter((address) => address.includes(viewer.body.token))).toEqual([]);
    expect(page.url()).not.toContain(viewer.body.token);
    expect(watched.faults()).toEqual([]);
    await watched.close();
    await own.stop();
  });
});

describe('another origin', () => {
  it('may neither read the API nor open a socket with the viewer’s browser', async () => {
    const acme = await company();
    const watched = await browser.open('about:blank');
    const { page } = watched;
    await page.route('http://evil.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<p>evil</p>' }),
    );
    await page.goto('http://evil.example/');
    const got = await page.evaluate(async (url) => {
      const read = await fetch(`${url}/v1/companies`).then(
        (answer) => answer.text(),
        () => 'refused',
      );
      const posted = await fetch(`${url}/v1/companies`, { method: 'POST', body: '{}' }).then(
        (answer) => answer.text(),
        () => 'refused',
      );
      const socket = await new Promise<string>((resolve) => {
        const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, 'baton.v1');
        ws.onopen = () => resolve('open');
        ws.onerror = () => resolve('refused');
      });
      return [read, posted, socket];
    }, server.url);
    expect(got).toEqual(['refused', 'refused', 'refused']);
    expect(acme.companyId).toMatch(/^c/);
    await watched.close();
  });
});
