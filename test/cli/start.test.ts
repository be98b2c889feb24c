import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { MakeServer } from '../../src/cli/runtime.ts';
import { startCommand } from '../../src/cli/start-command.ts';
import { BatonError } from '../../src/errors.ts';
import { baton, type Given } from './world.ts';

/** A server that is there at once and remembers that it was stopped. */
function fake(url = 'http://127.0.0.1:4300') {
  const seen = { stopped: 0, port: -1 };
  const make: MakeServer = async (settings, { say }) => {
    seen.port = settings.port;
    say({ name: 'database', text: 'PostgreSQL 18.4 (embedded) · .baton', ms: 912.4 });
    say({ name: 'schema', text: '0 migrations applied now', ms: null });
    return {
      url,
      token: 'made-up',
      local: true,
      ready: async () => true,
      stop: async () => {
        seen.stopped++;
      },
    };
  };
  return { seen, commands: [startCommand(make)] };
}

async function started(argv: string[], until: RegExp, given: Given = {}, url?: string) {
  const { seen, commands } = fake(url);
  const interrupt = new AbortController();
  const ran = await baton(['start', '--no-demo', ...argv], {
    ...given,
    commands,
    signal: interrupt.signal,
    wrote: (all) => {
      if (until.test(all)) interrupt.abort('SIGTERM');
    },
  });
  return { ...ran, seen };
}

describe('baton start', () => {
  it('prints one line a step and the doors on a terminal, and stops on SIGTERM with exit code 0', async () => {
    const { code, out, seen } = await started([], /Mode/, { terminal: true, env: { NO_COLOR: '1' } });
    expect(code).toBe(0);
    expect(seen.stopped).toBe(1);
    expect(out).toMatch(/✓ database +PostgreSQL 18\.4 \(embedded\) · \.baton +0\.9 s\n/);
    expect(out).toMatch(
      /Dashboard +http:\/\/127\.0\.0\.1:4300 +WebSocket +ws:\/\/127\.0\.0\.1:4300\/v1\/ws\n/,
    );
    for (const door of ['/docs', '/mcp', '/inspect', '/metrics'])
      expect(out).toContain(`http://127.0.0.1:4300${door}`);
    expect(out).toContain('local: this machine only');
    expect(out).toMatch(/✓ stopped +all that was acknowledged is kept +\d+ ms\n$/);
  });
  it('prints NDJSON of one shape when piped, its log too, and at last that it has stopped', async () => {
    const { lines, err } = await started([], /"ready"/);
    expect(lines().map((l) => l.step)).toEqual(['database', 'schema', 'ready', 'stopped']);
    expect(lines()[0]?.ms).toBe(912);
    for (const line of [
      ...lines(),
      ...err
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text)),
    ]) {
      expect(line).toMatchObject({
        level: expect.any(Number),
        time: expect.any(Number),
        msg: expect.any(String),
      });
    }
    expect(err).toMatch(/"msg":"stopping"[\s\S]*"msg":"stopped"\}\n$/);
  });
  it('says that it listens when it does, and that it is ready when it is', async () => {
    const interrupt = new AbortController();
    let isUp = () => {};
    const up = new Promise<void>((resolve) => {
      isUp = resolve;
    });
    const make: MakeServer = async () => ({
      url: 'http://127.0.0.1:1',
      token: null,
      ready: async (ms) => {
        if (ms !== Number.POSITIVE_INFINITY) return false;
        await up;
        return true;
      },
      stop: async () => {},
    });
    const { lines } = await baton(['start', '--no-demo'], {
      commands: [startCommand(make)],
      signal: interrupt.signal,
      wrote: (all) => {
        if (all.includes('"step":"listening"')) isUp();
        if (all.includes('"step":"ready"')) interrupt.abort('SIGTERM');
      },
    });
    const told = lines().filter(({ step }) => step === 'listening' || step === 'ready');
    expect(told).toMatchObject([
      { step: 'listening', msg: 'listening at http://127.0.0.1:1, and not ready yet' },
      { step: 'ready', msg: 'ready at http://127.0.0.1:1', url: 'http://127.0.0.1:1' },
    ]);
  });
  it('prints the ready line and nothing else on stdout with --print-ready', async () => {
    const { out } = await started(['--print-ready', '--port', '0'], /ready/);
    expect(JSON.parse(out)).toEqual({
      ready: true,
      url: 'http://127.0.0.1:4300',
      pid: process.pid,
      token: 'made-up',
    });
  });
  it.each([
    [true, /not ready: the database does not answer/],
    [false, /"step":"status","ready":false,"reason":"the database does not answer"/],
  ])(
    'says that it is not ready and why, and reads nothing meanwhile (on a terminal: %s)',
    async (terminal, text) => {
      const asked: string[] = [];
      const away = createServer((request, response) => {
        asked.push(request.url ?? '');
        response.writeHead(503, { 'content-type': 'application/json' });
        response.end('{"ready":false,"reason":"the database does not answer"}');
      }).listen(0, '127.0.0.1');
      await once(away, 'listening');
      const { port } = away.address() as { port: number };
      const { code } = await started([], text, { terminal }, `http://127.0.0.1:${port}`);
      away.close();
      expect(code).toBe(0);
      expect(new Set(asked)).toEqual(new Set(['/readyz']));
    },
  );
  it('hands the settings on', async () => {
    expect((await started(['--port', '4399'], /"ready"/, { env: { PORT: '1' } })).seen.port).toBe(4399);
  });
  it('that cannot be is one sentence and exit code 1', async () => {
    const make: MakeServer = () => {
      throw new BatonError('INTERNAL', 'Port 4300 is taken.', { hint: 'Choose another with --port.' });
    };
    const { code, err } = await baton(['start'], { commands: [startCommand(make)] });
    expect(code).toBe(1);
    expect(err).toContain('Port 4300 is taken.\n       Choose another with --port.');
  });
});
