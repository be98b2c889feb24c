/** The inspector over a restart, on a real server: what it says comes from the journal, so nothing of it changes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client, type Frame } from '../gateway/support/ws-client.ts';
import { office, startServer, type TestServer, until } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop());

it('costs nothing while nobody watches: no subscription at the node before, one while, none after', async () => {
  const acme = await office(server);
  const issue = await acme.issue();
  const subscriptions = async () => {
    const answer = await fetch(`${server.url}/metrics`);
    return Number(/^baton_subscriptions (\d+)$/m.exec(await answer.text())?.[1]);
  };
  expect(await subscriptions()).toBe(0);
  const url = `${server.url.replace('http', 'ws')}/inspect/ws?company=${acme.companyId}`;
  const client = new Client(url, { protocol: null });
  await client.next((frame) => frame.sessionId === issue.id);
  expect(await subscriptions()).toBe(1);
  client.close();
  expect(await until(subscriptions, (n) => n === 0)).toBe(0);
});

it('shows the same ids, times, numbers and states after a restart, and goes on counting', async () => {
  const acme = await office(server, 'codex-1');
  const issue = await acme.issue(acme.agents[0]);
  await acme.send(issue.id, { type: 'COMMENT', body: 'look at this' });
  const inspect = () =>
    new Client(`${server.url.replace('http', 'ws')}/inspect/ws?issue=${issue.id}`, { protocol: null });
  const actor = (frame: Frame) => frame.type === '@xstate.actor';
  // Who is online and until when is the node's, not the journal's.
  const durable = ({ snapshot, ...frame }: Frame) => ({
    ...frame,
    ...snapshot,
    context: { ...snapshot.context, why: null },
  });
  const before = await inspect().next(actor);
  await server.restart();
  const client = inspect();
  const after = await client.next(actor);
  expect(durable(after)).toEqual(durable(before));
  const { version } = (await acme.send(issue.id, { type: 'CANCEL' })).body;
  const told = await client.next((frame) => frame.type === '@xstate.snapshot');
  expect(told).toMatchObject({ sessionId: issue.id, version, snapshot: { value: 'cancelled' } });
  expect(version).toBe(before.version + 1);
  client.close();
});
