/** A claim over HTTP whose connection closes before it waits. */
import { expect, it } from 'vitest';
import { TOKEN } from './support/bench.ts';
import { start } from './support/gateway.ts';
import { until } from './support/ws-client.ts';

it('a claim does not wait for a connection that closed while its agent was looked up', async () => {
  const bench = await start();
  const agent = await bench.agent(await bench.company());
  const get = bench.router.get.bind(bench.router);
  let lookingUp = false;
  let done = false;
  bench.router.get = async (id) => {
    lookingUp = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const shown = await get(id);
    setTimeout(() => {
      done = true;
    }, 50);
    return shown;
  };
  const controller = new AbortController();
  const asked = fetch(`${bench.gateway.url}/v1/agents/${agent}/claim`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
    },
    body: '{"waitMs":50000}',
    signal: controller.signal,
  });
  await until(() => lookingUp);
  controller.abort();
  await expect(asked).rejects.toThrow();
  await until(() => done);
  expect(bench.router.waitingClaims).toBe(0);
});
