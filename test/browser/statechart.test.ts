/**
 * The issue page, the machine page and the inspector in a real browser, against a real server. What is checked of the
 * page comes by WebSocket: nothing here loads a page again to see a change.
 */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/built.ts';
import { call, office, startServer, type TestServer } from '../support/server.ts';
import { ROOT } from '../support/source.ts';
import { axe, startBrowser, type TestBrowser } from './browser.ts';
import { type StandIn, standIn } from './stand-in.ts';

let stately: StandIn;
let server: TestServer;
let browser: TestBrowser;
let acme: Awaited<ReturnType<typeof office>>;
let claude: string;
let codex: string;

beforeAll(async () => {
  await ensureBuilt();
  stately = await standIn();
  server = await startServer({ 'retry-delays-ms': '600000,600000', 'stately-url': stately.url });
  const slots = { maxConcurrentRuns: 10 };
  acme = await office(
    server,
    { name: 'claude-2', ...slots },
    { name: 'codex-1', adapterType: 'codex_local', ...slots },
  );
  [claude, codex] = acme.agents as [string, string];
  browser = await startBrowser();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await stately?.close();
});

const chart = (page: Page) => page.locator('.statechart > svg');
/** The name of the state that is marked: there is exactly one mark, on the whole page. */
async function marked(page: Page): Promise<string> {
  const marks = page.locator('[aria-current]');
  expect(await marks.count()).toBe(1);
  return (await marks.getAttribute('aria-label')) ?? '';
}
const stateIs = (page: Page, key: string) =>
  chart(page).locator(`[aria-current="true"][aria-label^="${key},"]`).waitFor();

async function granted(issue: { id: string }, agentId: string) {
  for (;;) {
    const grant = await acme.claim(agentId, 2000);
    if (grant === undefined) throw new Error('nothing was granted');
    if (grant.issue.id === issue.id) return grant;
  }
}

describe('the statechart of an issue', () => {
  it('marks one state and the last arrow for every way the machine is taken, by WebSocket only', async () => {
    const issue = await acme.issue(undefined, { title: 'Walk' });
    const { page, faults, close } = await browser.open(`${server.url}/issues/${issue.id}`);
    await stateIs(page, 'idle');
    let documents = 0;
    page.on('request', (request) => {
      if (request.resourceType() === 'document') documents += 1;
    });
    const last = async () => {
      const arrows = await chart(page).locator('.arrow[data-last]').count();
      return { arrows, taken: await chart(page).locator('text.is-taken').allTextContents() };
    };
    const sent = (event: object) => acme.send(issue.id, event as Record<string, unknown>);
    let grant: Awaited<ReturnType<typeof granted>>;
    const steps: [does: () => Promise<unknown>, state: string, event: string, arrows: number][] = [
      [() => sent({ type: 'ASSIGN', agentId: codex }), 'queued', 'ASSIGN', 1],
      [async () => (grant = await granted(issue, codex)), 'executing', 'GRANT', 1],
      [() => acme.fail(grant), 'scheduled-retry', 'RUN.FAILED', 1],
      [() => sent({ type: 'RETRY.NOW' }), 'queued', 'RETRY.NOW', 1],
      [async () => (grant = await granted(issue, codex)), 'executing', 'GRANT', 1],
      [() => sent({ type: 'ASSIGN', agentId: claude }), 'stopping', 'ASSIGN', 2],
      [
        () => call(server, 'POST', `/runs/${grant.run.id}/stopped`, { fence: grant.fence }),
        'queued',
        'always',
        1,
      ],
      [() => sent({ type: 'CANCEL' }), 'cancelled', 'CANCEL', 1],
      [() => sent({ type: 'REOPEN' }), 'idle', 'REOPEN', 1],
      [() => sent({ type: 'COMPLETE' }), 'done', 'COMPLETE', 1],
    ];
    for (const [does, state, event, arrows] of steps) {
      await does();
      await stateIs(page, state);
      expect((await marked(page)).split(',')[0]).toBe(state);
      await expect.poll(last).toEqual({ arrows, taken: expect.arrayContaining([event]) });
    }
    expect(documents).toBe(0);
    expect(faults()).toEqual([]);
    await close();
  });

  it('has exactly one mark for every state that any way leads to, whatever the way', async () => {
    const { layout } = (
      await call<{
        layout: { ways: { to: string; arrows: string[] }[]; nodes: { name: string; key: string }[] };
      }>(server, 'GET', '/machines/issue')
    ).body;
    const issue = await acme.issue(codex, { title: 'Every way' });
    const ways = [...new Map(layout.ways.map((way) => [JSON.stringify(way), way])).values()];
    expect(ways.length).toBeGreaterThan(60);
    const { page, close } = await browser.open(`${server.url}/issues/${issue.id}`, {
      // The server's answers, with one version for each way: the page is shown them all in its time travel.
      async before(of) {
        const answers = ways.map((way, n) => {
          const [state, substate = null] = way.to.split('.');
          const place = {
            seq: n + 1,
            version: n + 1,
            at: issue.createdAt,
            actor: { kind: 'system', id: 'system' },
          };
          return {
            ...way,
            ...place,
            data: {},
            effects: [],
            issue: { ...issue, version: n + 1, state, substate },
          };
        });
        await of.addInitScript(`{
          const answers = ${JSON.stringify(answers)};
          const ask = window.fetch;
          window.fetch = (to, options) => {
            const [, n] = /\\/versions\\/(\\d+)$/.exec(String(to)) ?? [];
            return n === undefined ? ask(to, options) : Promise.resolve(Response.json(answers[n - 1]));
          };
        }`);
        await of.routeWebSocket(/\/v1\/ws/, (socket) => {
          const upstream = socket.connectToServer();
          upstream.onMessage((text) =>
            socket.send(
              String(text).replaceAll(
                `"version":${issue.version},"fence"`,
                `"version":${ways.length + 1},"fence"`,
              ),
            ),
          );
        });
        await of.route(`**/v1/issues/${issue.id}`, async (route) =>
          route.fulfill({ json: { ...issue, version: ways.length + 1 } }),
        );
      },
    });
    await stateIs(page, 'queued');
    const seen = (await page.evaluate(`(async () => {
      const slider = document.getElementById('travel');
      const seen = [];
      for (let n = 1; n <= ${ways.length}; n++) {
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(slider, String(n));
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        while (!document.querySelector('.past-note')?.textContent.startsWith('Version ' + n + ' of')) {
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        const chart = document.querySelector('.statechart > svg');
        const marks = [...chart.querySelectorAll('[aria-current]')].map((mark) => mark.getAttribute('aria-label').split(',')[0]);
        const last = [...chart.querySelectorAll('.arrow[data-last]')].map((arrow) => arrow.dataset.arrow);
        seen.push({ marks, last });
      }
      return seen;
    })()`)) as { marks: string[]; last: string[] }[];
    expect(seen).toEqual(
      ways.map((way) => ({
        marks: [layout.nodes.find(({ name }) => name === way.to)!.key],
        last: [...new Set(way.arrows)].sort((a, b) => Number(a.slice(6)) - Number(b.slice(6))),
      })),
    );
    await close();
  });
});

describe('the sentence of an issue', () => {
  it('says of a run in hand how long its worker may be silent, and not that its lease is to end', async () => {
    const retry = { leaseMs: 60_000 };
    const { id: agent } = (
      await call<{ id: string }>(server, 'POST', `/companies/${acme.companyId}/agents`, {
        name: 'beating',
        retry,
      })
    ).body;
    const issue = await acme.issue(agent, { title: 'In hand' });
    const grant = await granted(issue, agent);
    const { page, faults, close } = await browser.open(`${server.url}/issues/${issue.id}`);
    const why = page.locator('.why');
    await why.getByText(/^Its lease holds (\d+s|1m), renewed by heartbeats\.$/).waitFor();
    expect(await why.textContent()).toContain('Agent beating is executing run 1.');
    expect(await why.textContent()).not.toMatch(/LEASE\.EXPIRED|\bin \d/);
    // Heartbeats are no changes; what comes with them is there all the same.
    const beat = { fence: grant.fence, progress: 0.42, note: 'half of it' };
    await call(server, 'POST', `/runs/${grant.run.id}/heartbeat`, beat);
    await page.getByRole('region', { name: 'Facts' }).getByText('half of it').waitFor();
    await page.getByText('42 %').waitFor();
    await acme.send(issue.id, { type: 'CANCEL' });
    await why.getByText('renewed by heartbeats').waitFor({ state: 'detached' });
    expect(faults()).toEqual([]);
    await close();
  });

  it('tells times where the viewer is, with what the server wrote in the title', async () => {
    const issue = await acme.issue(codex, { title: 'Later' });
    await acme.fail(await granted(issue, codex));
    const { why, retry } = await acme.get(issue.id);
    const iso = new Date(retry!.dueAt).toISOString();
    expect(why.text).toContain(iso);
    const { page, faults, close } = await browser.open(`${server.url}/issues/${issue.id}`, {
      timezoneId: 'Asia/Kathmandu',
    });
    const time = page.locator('.why time');
    await time.waitFor();
    expect(await time.getAttribute('title')).toBe(iso);
    expect(await time.getAttribute('datetime')).toBe(iso);
    const there = new Date(retry!.dueAt + 345 * 60_000).toISOString().slice(11, 19);
    expect(await time.textContent()).toContain(there);
    expect(await page.locator('.why').textContent()).not.toContain(iso);
    await page.goto(`${server.url}/`);
    const cell = page.getByRole('row', { name: issue.identifier }).locator('.c-why');
    await cell.waitFor();
    expect(await cell.getAttribute('title')).toContain(`at ${there}`);
    expect(faults()).toEqual([]);
    await close();
  });
});

describe('going back in time', () => {
  it('shows state, lock, context and title as they were, and comes back to now', async () => {
    const issue = await acme.issue(codex, { title: 'Before', context: { repo: 'then' } });
    const grant = await granted(issue, codex);
    await acme.send(issue.id, { type: 'EDIT', title: 'After', context: { repo: 'now' } });
    await acme.fail(grant);
    const { page, faults, close } = await browser.open(`${server.url}/issues/${issue.id}`);
    await stateIs(page, 'scheduled-retry');
    const lock = page.locator('[data-fact="lock"]');
    const context = page.locator('[data-fact="context"]');
    await page.getByRole('button', { name: /^2\b.*GRANT/ }).click();
    await stateIs(page, 'executing');
    expect(await lock.textContent()).toContain('executing for run 1 of codex-1');
    expect(await context.textContent()).toContain('then');
    expect(await page.locator('h1').textContent()).toContain('Before');
    expect(new URL(page.url()).searchParams.get('version')).toBe('2');
    expect(await page.getByRole('group', { name: 'Actions' }).count()).toBe(0);
    await page.keyboard.press('[');
    await stateIs(page, 'queued');
    expect(await lock.textContent()).toContain('reserved for run 1 of codex-1');
    await page.getByRole('button', { name: 'Back to now' }).click();
    await stateIs(page, 'scheduled-retry');
    expect(await context.textContent()).toContain('now');
    expect(await page.locator('h1').textContent()).toContain('After');
    expect(faults()).toEqual([]);
    await close();
  });
});

describe('the buttons of an issue', () => {
  it('are what the server allows, and change with it', async () => {
    const issue = await acme.issue(codex, { title: 'Buttons' });
    const { page, close } = await browser.open(`${server.url}/issues/${issue.id}`);
    const verbs = () =>
      page.locator('[data-verb]').evaluateAll((all) => all.map((one) => one.getAttribute('data-verb')));
    await expect.poll(verbs).toEqual(['COMPLETE', 'FORCE_RELEASE', 'CANCEL']);
    await acme.send(issue.id, { type: 'CANCEL' });
    await expect.poll(verbs).toEqual(['REOPEN']);
    await page.getByRole('button', { name: 'Reopen' }).click();
    await stateIs(page, 'idle');
    await page.getByText(`${issue.identifier}: Reopen, it is idle`).waitFor();
    await expect.poll(verbs).toEqual(['RETRY.NOW', 'COMPLETE', 'CANCEL']);
    await close();
  });

  it('are not there for a viewer, who may look and go back in time', async () => {
    const issue = await acme.issue(codex, { title: 'Only looked at' });
    await acme.send(issue.id, { type: 'PRIORITY', priority: 'low' });
    const keys = `/companies/${acme.companyId}/keys`;
    const { token } = (await call<{ token: string }>(server, 'POST', keys, { role: 'viewer' })).body;
    const { page, faults, close } = await browser.open(`${server.url}/issues/${issue.id}`, {
      async before(of) {
        await of.addInitScript(`sessionStorage.setItem('baton.key', ${JSON.stringify(token)})`);
      },
    });
    await stateIs(page, 'queued');
    await page.getByRole('button', { name: /^1\b.*CREATED/ }).click();
    await page.getByText('Version 1 of 2').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Version 1 of 2').waitFor({ state: 'detached' });
    expect(await page.locator('[data-verb], .issue-actions, .comments textarea').count()).toBe(0);
    expect(faults()).toEqual([]);
    await close();
  });

  it('never show as done what is not confirmed; a stale one is refused with what has changed', async () => {
    const issue = await acme.issue(codex, { title: 'Two operators' });
    let hold: (() => void) | null = null;
    const { page, close } = await browser.open(`${server.url}/issues/${issue.id}`, {
      async before(of) {
        await of.routeWebSocket(/\/v1\/ws/, (socket) => {
          const upstream = socket.connectToServer();
          // Changes of this tab's issue are kept from it, so that it is stale; and its event waits.
          let isStale = false;
          upstream.onMessage((text) => {
            if (!isStale || !String(text).startsWith('{"t":"change"')) socket.send(text);
          });
          socket.onMessage((text) => {
            if (String(text).includes('"t":"event"')) hold = () => upstream.send(text);
            else upstream.send(text);
          });
          (globalThis as { staleTab?: () => void }).staleTab = () => {
            isStale = true;
          };
        });
      },
    });
    await page.getByRole('button', { name: 'Set done' }).waitFor();
    (globalThis as { staleTab?: () => void }).staleTab?.();
    await acme.send(issue.id, { type: 'CANCEL' });
    await page.getByRole('button', { name: 'Set done' }).click();
    await page.getByRole('button', { name: 'Sending…' }).waitFor();
    expect((await marked(page)).startsWith('queued')).toBe(true);
    expect(await page.getByText('Set done').count()).toBe(0);
    await expect.poll(() => hold !== null).toBe(true);
    hold!();
    const refusal = page.locator('.toast-refused');
    await refusal.waitFor();
    expect(await refusal.textContent()).toContain('CONFLICT');
    await expect.poll(() => refusal.textContent()).toMatch(/was queued and is cancelled/);
    await stateIs(page, 'cancelled');
    await close();
  });
});

describe('hostile content', () => {
  it('is text on every page: titles, errors, comments, log lines', async () => {
    const evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
    const issue = await acme.issue(codex, { title: evil, context: { evil } });
    const grant = await granted(issue, codex);
    await call(server, 'POST', `/runs/${grant.run.id}/log`, {
      fence: grant.fence,
      lines: [{ at: Date.now(), stream: 'stdout', text: evil }],
    });
    await acme.send(issue.id, { type: 'COMMENT', body: evil });
    await acme.fail(grant, { error: evil, errorCode: evil });
    const { page, faults, close } = await browser.open(`${server.url}/issues/${issue.id}`);
    for (const selector of [
      'h1',
      '.log-lines',
      '.comments .body',
      '[data-fact="context"]',
      '.journal-rows',
    ]) {
      await expect
        .poll(() => page.locator(selector).first().textContent(), { message: selector })
        .toContain('<img src=x');
    }
    await page.goto(`${server.url}/inspect?issue=${issue.id}`);
    await page.getByText(evil).first().waitFor();
    expect(await page.evaluate("'pwned' in window")).toBe(false);
    expect(faults()).toEqual([]);
    await close();
  });
});

describe('the machine page', () => {
  it('shows counts and rates of every state and arrow as they change', async () => {
    const { page, faults, close } = await browser.open(`${server.url}/machine`);
    await chart(page).locator('[role="listitem"][aria-label^="cancelled,"]').waitFor();
    expect(await chart(page).locator('[aria-current]').count()).toBe(0);
    const count = async () =>
      Number(await page.locator('tr[data-state="cancelled"] .n').first().textContent());
    await expect
      .poll(async () => (await page.locator('tr[data-state="cancelled"] .n').count()) > 0)
      .toBe(true);
    await page.waitForTimeout(300);
    const before = await count();
    const issue = await acme.issue(codex, { title: 'Counted' });
    await acme.send(issue.id, { type: 'CANCEL' });
    await expect.poll(count, { timeout: 5000 }).toBe(before + 1);
    await expect
      .poll(() => chart(page).locator('.arrow.is-warm').count(), { timeout: 5000 })
      .toBeGreaterThan(0);
    expect(await chart(page).locator('.flow text').first().textContent()).toMatch(/^[0-9.]+\/s$/);
    expect(faults()).toEqual([]);
    await close();
  });
});

describe('the machine', () => {
  it('can be taken away: the three buttons put it into the clipboard', async () => {
    const { page, close } = await browser.open(`${server.url}/machine`, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    for (const [word, begins] of [
      ['JSON', '{'],
      ['createMachine', "import { createMachine } from 'xstate';"],
      ['Mermaid', 'stateDiagram-v2'],
    ] as const) {
      await page.getByRole('button', { name: word, exact: true }).click();
      await page.getByText(`in the clipboard as ${word}`).waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(
        new RegExp(`^${begins.replace(/[{}.]/g, '\\$&')}`),
      );
    }
    await close();
  });
});

describe('the inspector', () => {
  it('draws what moves, offline: nothing leaves the origin, and Stately is not asked', async () => {
    const asked = stately.asked();
    const issue = await acme.issue(codex, { title: 'Watched' });
    const { page, faults, close } = await browser.open(`${server.url}/inspect`);
    await page.getByRole('button', { name: new RegExp(issue.identifier) }).waitFor();
    await acme.send(issue.id, { type: 'CANCEL' });
    await stateIs(page, 'cancelled');
    await page.locator('.objects').getByText('CANCEL').first().waitFor();
    expect(faults()).toEqual([]);
    expect(stately.asked()).toBe(asked);
    await close();
  });

  it('hands the stream to Stately when the button is pressed: the latest state first, to that origin only', async () => {
    const issue = await acme.issue(codex, { title: 'Handed over' });
    const { page, close } = await browser.open(`${server.url}/inspect?issue=${issue.id}`);
    await stateIs(page, 'queued');
    await page.getByRole('link', { name: 'Open in Stately' }).click();
    await page.getByText('Sending to').waitFor();
    const frame = () => page.frames().find((one) => one.url().startsWith(stately.origin))!;
    type Got = {
      origin: string;
      data: {
        type: string;
        sessionId: string;
        definition?: string;
        version: number;
        snapshot?: { value: unknown };
      };
    }[];
    const got = () =>
      frame().evaluate(() => (globalThis as unknown as { received: unknown }).received as Got);
    await expect.poll(async () => (await got()).length).toBeGreaterThan(0);
    const [actor] = await got();
    expect(actor).toMatchObject({
      origin: server.url,
      data: { type: '@xstate.actor', sessionId: issue.id, snapshot: { value: { running: 'queued' } } },
    });
    expect(JSON.parse(actor!.data.definition!).id).toBe('issue');
    await acme.send(issue.id, { type: 'CANCEL' });
    await expect
      .poll(async () => (await got()).map(({ data }) => data.type))
      .toEqual(['@xstate.actor', '@xstate.event', '@xstate.snapshot']);

    // The editor is loaded again: it gets the latest state with the definition, and the tail, anew.
    await frame().evaluate('window.isOld = true; setTimeout(() => window.location.reload(), 0)');
    await expect
      .poll(() =>
        frame()
          .evaluate("'isOld' in window")
          .catch(() => true),
      )
      .toBe(false);
    await expect.poll(async () => (await got().catch(() => [])).length).toBe(3);
    expect((await got())[0]).toMatchObject({
      data: { type: '@xstate.actor', version: 2, snapshot: { value: 'cancelled' } },
    });
    expect((await got())[0]!.data.definition).toBeDefined();
    await close();
  });

  it('loads the page that may frame when one comes to it from within', async () => {
    const { page, faults, close } = await browser.open(`${server.url}/machine`);
    await page.getByRole('heading', { name: 'Machine' }).waitFor();
    await page.evaluate(
      `history.pushState(null, '', '/inspect/stately'); dispatchEvent(new PopStateEvent('popstate'))`,
    );
    await page.getByText('Sending to').waitFor();
    expect(faults().filter((fault) => !fault.startsWith(`left the origin: ${stately.url}`))).toEqual([]);
    await close();
  });

  it('listens to nobody else who says the same: another window, or another origin in the frame', async () => {
    const other = await standIn();
    const issue = await acme.issue(codex, { title: 'Not for everybody' });
    const { page, close } = await browser.open(`${server.url}/inspect/stately?issue=${issue.id}`);
    await page.getByText('Sending to').waitFor();
    // The page itself says it: right words, wrong source.
    const sentTo = await page.evaluate(`(async () => {
      let heard = 0;
      addEventListener('message', ({ data }) => {
        if (String(data?.type).startsWith('@xstate')) heard += 1;
      });
      postMessage({ type: '@statelyai.connected' }, '*');
      await new Promise((resolve) => setTimeout(resolve, 200));
      return heard;
    })()`);
    expect(sentTo).toBe(0);
    // The frame is led elsewhere: the policy does not let it, and it gets nothing.
    const frame = page.frames().find((one) => one.url().startsWith(stately.origin))!;
    await frame.evaluate(`window.location.href = ${JSON.stringify(`${other.url}?elsewhere`)}`);
    await page.waitForTimeout(300);
    expect(other.asked()).toBe(0);
    await close();
    await other.close();
  });
});

describe('axe', () => {
  it.each(['the issue page', 'an earlier version', 'the machine page', 'the inspector'] as const)(
    'finds nothing on %s, light and dark, narrow and wide; nothing is wider than the screen',
    async (name) => {
      const issue = await acme.issue(codex, { title: 'Looked at', context: { a: 1 } });
      await acme.fail(await granted(issue, codex));
      const path = {
        'the issue page': `/issues/${issue.id}`,
        'an earlier version': `/issues/${issue.id}?version=1`,
        'the machine page': '/machine',
        'the inspector': '/inspect',
      }[name];
      const { page, faults, close } = await browser.open(server.url + path);
      await chart(page).locator('.leaf').first().waitFor();
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [375, 1280]) {
          await page.emulateMedia({ colorScheme });
          // Tall: what is scrolled away is not looked at.
          await page.setViewportSize({ width, height: 2600 });
          await page.waitForTimeout(100);
          expect(await axe(page), `${colorScheme} ${width}`).toEqual([]);
          const fits = 'document.documentElement.scrollWidth <= window.innerWidth';
          expect(await page.evaluate(fits), `${colorScheme} ${width}`).toBe(true);
        }
      }
      expect(faults()).toEqual([]);
      await close();
    },
  );
});

/** The pictures of README.md, made when they are asked for: `UPDATE_PICTURES=1 npx vitest run test/browser/statechart.test.ts -t pictures`. */
describe('the pictures of the issue page in docs/images', () => {
  const folder = join(ROOT, 'docs/images');
  it.each(['light', 'dark'] as const)('%s: there, a PNG, and at most 200 kB', async (colorScheme) => {
    const path = join(folder, `issue-${colorScheme}.png`);
    if (process.env.UPDATE_PICTURES === '1') {
      mkdirSync(folder, { recursive: true });
      await picture(path, colorScheme);
    }
    expect(readFileSync(path).subarray(1, 4).toString()).toBe('PNG');
    expect(statSync(path).size).toBeLessThanOrEqual(200_000);
  });
});

async function picture(path: string, colorScheme: 'light' | 'dark'): Promise<void> {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  type Made = { id: string };
  type Granted = { run: Made; fence: number; issue: Made };
  const post = async <T>(to: string, body: object) => (await call<T>(server, 'POST', to, body)).body;
  const prefix = colorScheme === 'light' ? 'ACME' : 'DARK';
  const { id: company } = await post<Made>('/companies', { name: 'Acme', prefix });
  const agent = (name: string) => post<Made>(`/companies/${company}/agents`, { name, maxConcurrentRuns: 4 });
  const issue = (body: object) => post<Made>(`/companies/${company}/issues`, body);
  const claim = async (of: Made, want?: Made): Promise<Granted> => {
    for (;;) {
      const { grants } = await post<{ grants: Granted[] }>(`/agents/${of.id}/claim`, { waitMs: 3000 });
      const [grant] = grants;
      if (grant === undefined) throw new Error('nothing was granted');
      if (want === undefined || grant.issue.id === want.id) return grant;
    }
  };
  const fail = ({ run, fence }: Granted, error: string) =>
    post(`/runs/${run.id}/fail`, { fence, error, errorFamily: 'transient_upstream' });
  const [first, second] = [await agent('codex-1'), await agent('claude-2')];
  for (let n = 0; n < 9; n++) await issue({ title: 'Add an index', assigneeAgentId: second.id });
  for (let n = 0; n < 4; n++) {
    const { run, fence } = await claim(second);
    if (n < 3) await post(`/runs/${run.id}/succeed`, { fence });
  }
  const shown = await issue({
    title: 'Sessions expire after five minutes',
    assigneeAgentId: first.id,
    priority: 'critical',
  });
  let grant = await claim(first, shown);
  await pause(1800);
  await fail(grant, '429 Too Many Requests');
  await pause(1500);
  await post(`/issues/${shown.id}/events`, { type: 'RETRY.NOW' });
  grant = await claim(first, shown);
  await pause(1200);
  await post(`/issues/${shown.id}/events`, { type: 'ASSIGN', agentId: second.id });
  await pause(700);
  await post(`/runs/${grant.run.id}/stopped`, { fence: grant.fence });
  grant = await claim(second, shown);
  await pause(2200);
  await fail(grant, '529 overloaded');
  const { page, close } = await browser.open(`${server.url}/issues/${shown.id}?company=${prefix}`, {
    colorScheme,
    viewport: { width: 1280, height: 1150 },
    reducedMotion: 'reduce',
  });
  await stateIs(page, 'scheduled-retry');
  await page.locator('.timeline-plot').waitFor();
  await pause(700);
  await page.screenshot({ path });
  await close();
}
