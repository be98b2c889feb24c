/** What a first start says of its demo: what it does, and when it is over. The demo itself: e2e/first-run.test.ts. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Call } from '../../src/cli/command.ts';
import { errands } from '../../src/cli/demo/titles.ts';
import { firstDemo } from '../../src/cli/first-demo.ts';
import type { Step } from '../../src/cli/runtime.ts';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { resolveSettings } from '../../src/config.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

it('what it does is said at once, and when it is over what was done, that it stays and how to go on', async () => {
  const { settings } = resolveSettings({ flags: {}, env: {}, file: {} });
  const call = { clock: systemClock(), random: systemRandom() } as Call;
  const steps: Step[] = [];
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  let stopped = 0;
  const heard = { say: (step: Step) => steps.push(step), told: () => {} };
  await firstDemo(
    call,
    settings,
    { ...server, token: null, stop: async () => {} },
    heard,
    async (options) => {
      const { http } = options.client;
      const company = await http.createCompany({ name: 'Demo', prefix: 'DEMO' });
      const asked = (await errands(options.issues)).slice(0, 3);
      const { items } = await http.createIssues(company.id, asked);
      await http.sendEvent(items[0]?.id ?? '', { type: 'COMPLETE' });
      await http.sendEvent(items[1]?.id ?? '', { type: 'COMPLETE' });
      await http.sendEvent(items[2]?.id ?? '', { type: 'CANCEL' });
      expect(items[1]?.title).toMatch(/^INC\d+ for Group \d+, demo 2 of 100: /);
      return {
        company,
        over,
        stop: async () => {
          stopped++;
        },
      };
    },
  );
  expect(steps.map(({ name, text }) => `${name}: ${text}`)).toEqual([
    'demo: 3 agents are working on 24 issues, each a real child process  (--no-demo to skip)',
    'demo: one issue more every 5 s until there are 100, for about 7 minutes; a line here says when it is over',
  ]);
  end();
  await expect.poll(() => stopped).toBe(1);
  expect(steps[2]?.text).toBe(
    'over: of 3 issues in company DEMO 2 done, 1 cancelled; all of it stays. ' +
      'Your own: npx baton companies create WORK, then README.md, "Connect an agent"',
  );
  expect(steps).toHaveLength(3);
});
