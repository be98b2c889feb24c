/** Floods and handlers that throw (docs/guarantees.md, Security): one client's harm stays its own. */
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CONNECTIONS_A_KEY, KeyRates } from '../../src/gateway/rate.ts';
import { frameBytes } from '../fuzz/ws-bytes.ts';
import { start } from '../gateway/support/gateway.ts';
import { replaced } from '../simulation/mutants/mutant.ts';

let undo = () => {};
afterEach(() => undo());

describe('a key', () => {
  it('is refused beyond its rate over all of its connections, which stay open; others are not', async () => {
    const bench = await start({ rateLimit: 10 });
    const company = await bench.company();
    const { token } = await bench.key(company, 'viewer');
    const other = (await bench.key(company, 'viewer')).token;
    const codes: (string | undefined)[] = [];
    // Each connection keeps to its own burst of 20.
    const sockets = [];
    for (let n = 0; n < CONNECTIONS_A_KEY * 2; n++) {
      const client = await bench.connect(token);
      sockets.push(client);
      for (let m = 0; m < 15; m++) codes.push((await client.ask({ t: 'unsub' })).code);
    }
    expect(codes.slice(0, CONNECTIONS_A_KEY * 15)).not.toContain('RATE_LIMITED');
    const late = await sockets[0]!.ask({ t: 'unsub' });
    const refused = codes.includes('RATE_LIMITED') ? codes : [...codes, late.code];
    expect(refused).toContain('RATE_LIMITED');
    for (const { socket } of sockets) expect(socket.readyState).toBe(socket.OPEN);
    const neighbour = await bench.connect(other);
    expect((await neighbour.ask({ t: 'unsub' })).t).toBe('ok');
  });

  it('is refused over HTTP and MCP as well, and told when to come back; reads are free', async () => {
    const bench = await start({ rateLimit: 1 });
    const company = await bench.company();
    const { token } = await bench.key(company, 'operator');
    const seen = [];
    // Every request is a connection of its own.
    for (let n = 0; n < CONNECTIONS_A_KEY * 2 + 4; n++) {
      seen.push(await bench.post(`/v1/companies/${company}/issues`, { title: 'x' }, { token }));
    }
    const refused = seen.find(({ status }) => status === 429)!;
    expect(refused.body).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(refused.body.retryAfterMs).toBeGreaterThan(0);
    expect(refused.headers['retry-after']).toBeDefined();
    expect((await bench.post('/mcp', {}, { token })).status).toBe(429);
    expect((await bench.get(`/v1/companies/${company}/issues`, { token })).status).toBe(200);
  });

  it('has a bucket that refills, and none where nobody set a limit or there is no key', () => {
    const rates = new KeyRates(1);
    for (let n = 0; n < 2 * CONNECTIONS_A_KEY; n++) expect(rates.wait('k', 0)).toBeNull();
    expect(rates.wait('k', 0)).toBe(250);
    expect(rates.wait('other', 0)).toBeNull();
    expect(rates.wait('k', 250)).toBeNull();
    for (let n = 0; n < 100; n++) expect(rates.wait(null, 0)).toBeNull();
  });
});

describe('a connection', () => {
  it('is offered no compression, so that no frame can be a bomb', async () => {
    const bench = await start();
    const head = await answerTo(
      bench.gateway.port,
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n',
    );
    expect(head).toMatch(/^HTTP\/1.1 101/);
    expect(head.toLowerCase()).not.toContain('sec-websocket-extensions');
  });

  it('whose handler throws is closed with 4500, and no other', async () => {
    const bench = await start();
    const company = await bench.company();
    const issue = await bench.issue(company);
    const healthy = await bench.connect();
    for (const boom of [
      () => {
        throw new Error('boom');
      },
      () => Promise.reject(new Error('boom')),
    ]) {
      undo = replaced(bench.router, 'send', () => boom as never);
      const hit = await bench.connect();
      hit.send({ t: 'event', id: 'e', issueId: issue, event: { type: 'CANCEL' } });
      const ended = await Promise.race([hit.ended, hit.next((f) => f.code === 'INTERNAL')]);
      expect(ended === 4500 || ended.code === 'INTERNAL').toBe(true);
      expect(JSON.stringify(ended)).not.toContain('boom');
      undo();
    }
    expect((await healthy.ask({ t: 'unsub' })).t).toBe('ok');
  });
});

/** The head of the answer to an upgrade with these headers. */
function answerTo(port: number, headers: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('data', (data) => {
      socket.end(frameBytes('', { opcode: 8 }));
      resolve(data.toString('latin1'));
    });
    socket.on('error', () => {});
    socket.write(
      `GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Protocol: baton.v1\r\n${headers}\r\n`,
    );
  });
}
