/** Foreign sites and rebound names (docs/guarantees.md, Security): refused before anything is upgraded. */
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { start } from '../gateway/support/gateway.ts';

/** The status of the answer to an upgrade with these headers; 101 where it was upgraded. */
function upgrade(port: number, headers: Record<string, string>, path = '/v1/ws'): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({
      port,
      host: '127.0.0.1',
      path,
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'baton.v1',
        ...headers,
      },
    });
    asked.on('upgrade', (_, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('an upgrade', () => {
  it('from a foreign Origin or to a foreign Host is 403, whatever else it carries', async () => {
    const allowed = 'https://board.example.com';
    const bench = await start({ localMode: true, allowedOrigins: [allowed] });
    const { port } = bench.gateway;
    const here = `127.0.0.1:${port}`;
    const { token } = await bench.key(await bench.company(), 'operator');
    const more = [{}, { authorization: `Bearer ${token}` }, { cookie: `token=${token}; session=1` }];
    for (const extra of more) {
      for (const origin of [
        ...[
          'http://evil.example',
          'null',
          'file://',
          `http://127.0.0.1:${port + 1}`,
          'https://board.example.com.evil',
        ],
        ...[`http://${here}.evil.example`, 'chrome-extension://x', `http://${here}@evil.example`],
      ]) {
        expect(await upgrade(port, { host: here, origin, ...extra }), origin).toBe(403);
      }
      for (const host of [
        'evil.example',
        `evil.example:${port}`,
        '127.0.0.1.evil.example',
        '0.0.0.0',
        'a@127.0.0.1',
      ]) {
        expect(await upgrade(port, { host, ...extra }), host).toBe(403);
      }
      expect(await upgrade(port, { host: here, ...extra })).toBe(101);
      expect(await upgrade(port, { host: here, origin: `http://${here}`, ...extra })).toBe(101);
      expect(await upgrade(port, { host: here, origin: allowed, ...extra })).toBe(101);
    }
    // Refused before a session was made for them.
    expect((await bench.get('/metrics')).text).toMatch(/baton_sockets [0-3]\n/);
  });

  it('with nothing but a cookie, or a token in its address, is nobody’s', async () => {
    const bench = await start();
    const { token } = await bench.key(await bench.company(), 'operator');
    const cookies = bench.socket({ headers: { cookie: `token=${token}; authorization=Bearer ${token}` } });
    cookies.send({ t: 'hello' });
    expect(await cookies.ended).toBe(4401);
    for (const query of ['token', 'access_token', 'authorization', 'key']) {
      const answer = await bench.get(`/v1/companies?${query}=${token}`, { token: null });
      expect(answer.status, query).toBe(401);
    }
  });
});

describe('a request in local mode', () => {
  it('is the operator’s only with a loopback Host and no foreign Origin', async () => {
    const bench = await start({ localMode: true });
    const { port } = bench.gateway;
    const status = async (headers: Record<string, string>) =>
      (await bench.get('/v1/companies', { token: null, headers })).status;
    expect(await status({})).toBe(200);
    expect(await status({ origin: `http://127.0.0.1:${port}` })).toBe(200);
    expect(await status({ origin: 'http://evil.example' })).toBe(403);
    expect(await status({ origin: 'null' })).toBe(403);
    expect(await status({ host: 'evil.example' })).toBe(421);
  });
});
