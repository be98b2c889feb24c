/** Foreign sites and rebound names (docs/guarantees.md, Security): refused before anything is upgraded. */
import { request } from 'node:http';
import { connect } from 'node:net';
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

interface Said {
  readonly status: number;
  readonly connection: string | undefined;
  readonly code: string | undefined;
  readonly isProblem: boolean;
  /** The server closed the connection after it. */
  readonly closed: boolean;
}

/** What a request written by hand is answered with. */
function said(port: number, lines: readonly string[]): Promise<Said> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    const done = (closed: boolean) => {
      socket.destroy();
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      const header = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1];
      const isProblem = /problem\+json/.test(header('content-type') ?? '');
      resolve({
        status: Number(head.split(' ')[1]),
        connection: header('connection')?.toLowerCase(),
        code: isProblem ? JSON.parse(body).code : undefined,
        isProblem,
        closed,
      });
    };
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', reject).on('end', () => done(true));
    socket.setTimeout(700, () => done(false));
  });
}

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: baton.v1',
];

describe('the host of a request', () => {
  it('is named once, or it is malformed; and it is also what an absolute target says', async () => {
    const bench = await start({ localMode: true, allowedOrigins: ['https://board.example.com'] });
    const { port } = bench.gateway;
    const here = `Host: 127.0.0.1:${port}`;
    const path = '/v1/companies';
    const cases: [string, string[], number, string | undefined, number?][] = [
      [path, [here], 200, undefined],
      [path, [], 400, 'VALIDATION'],
      [path, ['Host:'], 421, 'FORBIDDEN', 403],
      [path, [here, here], 400, 'VALIDATION'],
      [path, [here, 'Host: evil.example'], 400, 'VALIDATION'],
      [`http://evil.example${path}`, [here], 421, 'FORBIDDEN', 403],
      [`HTTP://evil.example:${port}${path}`, [here], 421, 'FORBIDDEN', 403],
      [`http://127.0.0.1@evil.example${path}`, [here], 421, 'FORBIDDEN', 403],
      [`http://127.0.0.1:${port}${path}`, ['Host: evil.example'], 421, 'FORBIDDEN', 403],
      [`http://localhost:${port}${path}`, [here], 200, undefined],
      // The operator of this machine is whoever is told so by the address, not by the Host beside it.
      [`http://board.example.com${path}`, [here], 401, 'UNAUTHENTICATED', 101],
    ];
    for (const [target, hosts, status, code, upgraded = status] of cases) {
      const asked = `${target} ${hosts}`;
      const plain = await said(port, [`GET ${target} HTTP/1.1`, ...hosts]);
      expect([plain.status, plain.code], asked).toEqual([status, code]);
      const ws = await said(port, [`GET ${target.replace(path, '/v1/ws')} HTTP/1.1`, ...hosts, ...UPGRADE]);
      expect(ws.status, asked).toBe(upgraded === 200 ? 101 : upgraded);
    }
    expect((await said(port, ['GET /healthz HTTP/1.0'])).status).toBe(421);
  });
});

describe('a refused upgrade', () => {
  it('says that its connection is closed, and closes it: nobody may send the next request over it', async () => {
    const bench = await start();
    const { port } = bench.gateway;
    const here = `Host: 127.0.0.1:${port}`;
    for (const [target, lines, status] of [
      ['/v1/ws', ['Host: evil.example'], 403],
      ['/v1/ws', [here, 'Origin: https://evil.example'], 403],
      ['/v1/ws', [], 400],
      ['/v1/companies', [here], 401],
      ['/v1/nothing', [here], 404],
      ['/%ff', [here], 404],
    ] as const) {
      const {
        status: got,
        connection,
        closed,
      } = await said(port, [`GET ${target} HTTP/1.1`, ...lines, ...UPGRADE]);
      expect([got, connection, closed], target).toEqual([status, 'close', true]);
    }
    // What is no upgrade keeps its connection.
    const plain = await said(port, ['GET /v1/companies HTTP/1.1', here]);
    expect(plain).toMatchObject({ status: 401, connection: 'keep-alive', closed: false });
  });
});

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
