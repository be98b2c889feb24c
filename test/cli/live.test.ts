/** What somebody sees who leaves a command running: that it is at work, that its server goes away and comes back. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { office, startServer, type TestServer, until } from '../support/server.ts';
import { baton, type Given } from './world.ts';

let server: TestServer;
let empty: TestServer;
beforeAll(async () => {
  // On a port that is known, so that it is found again after a restart.
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  [server, empty] = await Promise.all([startServer({ port: String(port) }), startServer()]);
});
afterAll(async () => {
  await server.stop();
  await empty.stop();
});

/** A command that runs until it is interrupted, and all that it wrote by then. */
function live(argv: string[], given: Given = {}) {
  const interrupt = new AbortController();
  const written = new Set<string>();
  const ran = baton([argv[0] ?? '', '--url', server.url, ...argv.slice(1)], {
    env: { PATH: process.env.PATH ?? '', NO_COLOR: '1' },
    cwd: process.cwd(),
    signal: interrupt.signal,
    wrote: (all) => written.add(all),
    ...given,
  });
  return {
    saw: (text: RegExp) =>
      until(
        async () => [...written].some((all) => text.test(all)),
        (seen) => seen,
        // Reconnecting waits a while of chance.
        30_000,
      ),
    async end() {
      interrupt.abort('SIGINT');
      return await ran;
    },
  };
}

describe('baton tail', () => {
  it('says what it follows, and that the server is away and back', async () => {
    const desk = await office(server);
    const tail = live(['tail', '--company', desk.prefix], { terminal: true });
    expect(await tail.saw(new RegExp(`Following company ${desk.prefix} from now on`))).toBe(true);
    await server.restart();
    expect(await tail.saw(/ is away[\s\S]* is back/)).toBe(true);
    const { code, err } = await tail.end();
    expect(code).toBe(130);
    expect(err.match(/is away/g)).toHaveLength(1);
  }, 90_000);

  it('follows a company that is made meanwhile, from its first change on', async () => {
    await office(server);
    const tail = live(['tail'], { terminal: true });
    expect(await tail.saw(/Following compan/)).toBe(true);
    const young = await office(server);
    const issue = await young.issue();
    expect(await tail.saw(new RegExp(`Following company ${young.prefix}, too`))).toBe(true);
    expect(await tail.saw(new RegExp(`${issue.identifier} v1 +CREATED`))).toBe(true);
    expect((await tail.end()).code).toBe(130);
  }, 60_000);

  it('of a server without a company ends, and says what to do', async () => {
    const { code, err } = await baton(['tail', '--url', empty.url]);
    expect(code).toBe(1);
    expect(err).toMatch(/no company yet[\s\S]*baton companies create/);
  });
});

describe('baton work', () => {
  it('says that the server is away and back', async () => {
    const desk = await office(server, 'ada');
    const work = live(['work', '--agent', desk.agents[0] ?? '', '--', 'true']);
    expect(await work.saw(/"working"/)).toBe(true);
    await server.restart();
    expect(await work.saw(/"event":"lost"[\s\S]*"event":"back"/)).toBe(true);
    expect((await work.end()).code).toBe(0);
  }, 90_000);
});

describe('baton replay', () => {
  it('interrupted says what stays', async () => {
    const replay = live(['replay', '--limit', '200'], { terminal: true });
    expect(await replay.saw(/Playing 200/)).toBe(true);
    const { code, out } = await replay.end();
    expect(code).toBe(130);
    expect(out).toMatch(/Interrupted\. What was played until now stays on http/);
  });
});
