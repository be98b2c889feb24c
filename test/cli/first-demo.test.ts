/** What a first start says of its demo: what it does, and when it is over. The demo itself: e2e/first-run.test.ts. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../src/cli/command.ts';
import type { Interrupted } from '../../src/cli/demo/interrupted.ts';
import type { Moment } from '../../src/cli/demo/moment.ts';
import { errands } from '../../src/cli/demo/titles.ts';
import { firstDemo } from '../../src/cli/first-demo.ts';
import { workerKeyName } from '../../src/cli/job/worker-key.ts';
import type { Step } from '../../src/cli/runtime.ts';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { resolveSettings } from '../../src/config.ts';
import { call, startServer, type TestServer } from '../support/server.ts';

const neverAsked = () => Promise.reject(new Error('not this one'));

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

it('what it does is said at once, and when it is over what was done, that it stays and how to go on', async () => {
  const { settings } = resolveSettings({ flags: {}, env: {}, file: {} });
  const world = { clock: systemClock(), random: systemRandom() } as Call;
  const steps: Step[] = [];
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  let stopped = 0;
  const heard = { say: (step: Step) => steps.push(step), told: () => {} };
  await firstDemo(world, settings, { ...server, token: null, stop: async () => {} }, heard, {
    resume: neverAsked,
    start: async (options) => {
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
  });
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

describe('a demo that was interrupted', () => {
  /** A company as a demo makes it, in which somebody's worker has a key. */
  async function left(company: { name: string; prefix: string }, keyName: string | null) {
    const { id } = (await call<{ id: string }>(server, 'POST', '/companies', company)).body;
    const agents: string[] = [];
    for (const name of ['checker', 'builder', 'caller']) {
      const made = await call<{ id: string }>(server, 'POST', `/companies/${id}/agents`, { name });
      agents.push(made.body.id);
    }
    for (const assigneeAgentId of [agents[0], agents[2], null]) {
      await call(server, 'POST', `/companies/${id}/issues`, { title: 'x', assigneeAgentId });
    }
    if (keyName !== null) {
      const key = { role: 'agent', agentId: agents[0], name: keyName };
      await call(server, 'POST', `/companies/${id}/keys`, key);
    }
    return id;
  }
  const own = workerKeyName('baton work');
  const gone = own.replace(/process \d+/, `process ${spawnSync('true').pid}`);

  it('is gone on with at the next start, and stopped again that is said', async () => {
    await left({ name: 'Demo', prefix: 'DEMO7' }, own);
    await left({ name: 'Another', prefix: 'DEMO8' }, null);
    const id = await left({ name: 'Demo', prefix: 'DEMO9' }, gone);
    const { settings } = resolveSettings({ flags: {}, env: {}, file: {} });
    const world = { clock: systemClock(), random: systemRandom() } as Call;
    const steps: string[] = [];
    // A retry that waited on the server comes due while the demo is still being gone on with, another one later.
    const due = (n: number) => ({ what: 'due', issue: null, text: `retry ${n}`, isOfNote: false }) as const;
    const heard = {
      say: ({ text }: Step) => steps.push(text),
      told: ({ text }: Moment) => steps.push(text),
    };
    let resumed: Interrupted | null = null;
    let tell = (_moment: Moment) => {};
    const demo = await firstDemo(world, settings, { ...server, token: null, stop: async () => {} }, heard, {
      start: neverAsked,
      resume: async ({ told }, interrupted) => {
        resumed = interrupted;
        told(due(1));
        tell = told;
        return { company: interrupted.company, over: new Promise(() => {}), stop: async () => {} };
      },
    });
    // Of three: one is played by a process that lives, one is no demo's.
    expect(resumed).toMatchObject({ company: { id }, issues: { length: 2 } });
    expect(steps).toEqual([
      'The demo that was interrupted goes on: 2 issues of company DEMO9 are left  (--no-demo leaves them)',
      'retry 1',
    ]);
    tell(due(2));
    expect(steps[2]).toBe('retry 2');
    await demo?.stop();
    expect(steps[3]).toBe(
      'interrupted: 2 issues of company DEMO9 are left; the next start goes on with them',
    );
  });
});
