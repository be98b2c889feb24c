/**
 * What never becomes a WebSocket: half-open upgrades, headers that dribble in, requests that are none. Each is answered
 * with an HTTP status or held until the server's own timeouts; all that is held is let go at the end.
 */
import { connect, type Socket } from 'node:net';
import type { Chance } from '../simulation/world/chance.ts';

const KEY = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
const UPGRADE = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';

/** Requests, and the statuses they may be answered with; empty: closed without a word. */
const REQUESTS: Readonly<
  Record<string, readonly [text: (host: string) => string, statuses: readonly number[]]>
> = {
  'no key': [
    (h) => `GET /v1/ws HTTP/1.1\r\nHost: ${h}\r\n${UPGRADE}Sec-WebSocket-Version: 13\r\n\r\n`,
    [400],
  ],
  'wrong key': [
    (h) =>
      `GET /v1/ws HTTP/1.1\r\nHost: ${h}\r\n${UPGRADE}Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    [400],
  ],
  'wrong version': [
    (h) => `GET /v1/ws HTTP/1.1\r\nHost: ${h}\r\n${UPGRADE}${KEY}Sec-WebSocket-Version: 7\r\n\r\n`,
    [400, 426],
  ],
  'POST to upgrade': [
    (h) =>
      `POST /v1/ws HTTP/1.1\r\nHost: ${h}\r\n${UPGRADE}${KEY}Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n`,
    [400, 404, 405],
  ],
  'foreign Origin': [
    (h) =>
      `GET /v1/ws HTTP/1.1\r\nHost: ${h}\r\nOrigin: http://evil.example\r\n${UPGRADE}${KEY}Sec-WebSocket-Version: 13\r\n\r\n`,
    [403],
  ],
  'foreign Host': [
    () => `GET /v1/ws HTTP/1.1\r\nHost: evil.example\r\n${UPGRADE}${KEY}Sec-WebSocket-Version: 13\r\n\r\n`,
    [403],
  ],
  'no Host': [
    () => `GET /v1/ws HTTP/1.1\r\n${UPGRADE}${KEY}Sec-WebSocket-Version: 13\r\n\r\n`,
    [400, 403, 421],
  ],
  'another address': [
    (h) => `GET /v1/nothing HTTP/1.1\r\nHost: ${h}\r\n${UPGRADE}${KEY}Sec-WebSocket-Version: 13\r\n\r\n`,
    [404, 401],
  ],
  'no request': [() => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', [400]],
  'headers too large': [(h) => `GET / HTTP/1.1\r\nHost: ${h}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, [431]],
  'two lengths': [
    (h) =>
      `POST /v1/companies HTTP/1.1\r\nHost: ${h}\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    [400],
  ],
  'bare line feeds in a header': [(h) => `GET / HTTP/1.1\r\nHost: ${h}\r\nX: a\nY\u0000: b\r\n\r\n`, [400]],
  'a method that is none': [(h) => `XSTATE /v1/ws HTTP/1.1\r\nHost: ${h}\r\n\r\n`, [400]],
  'an address that climbs': [(h) => `GET /../../etc/passwd HTTP/1.1\r\nHost: ${h}\r\n\r\n`, [404]],
  'a malformed address': [(h) => `GET /v1/issues/%00%ff%zz HTTP/1.1\r\nHost: ${h}\r\n\r\n`, [400, 404]],
};

export interface Handshakes {
  requests: number;
  /** Connections that were opened and not finished; held until `release`. */
  held: number;
  readonly findings: string[];
  release(): void;
}

/** Sends malformed requests one after another, and opens connections that never finish, until `enough()`. */
export async function badHandshakes(
  port: number,
  chance: Chance,
  most: { readonly held: number; readonly pauseMs: number },
  enough: () => boolean,
): Promise<Handshakes> {
  const held: Socket[] = [];
  const dribbles: NodeJS.Timeout[] = [];
  const sum: Handshakes = {
    requests: 0,
    held: 0,
    findings: [],
    release() {
      for (const timer of dribbles) clearInterval(timer);
      for (const socket of held) socket.destroy();
    },
  };
  while (!enough()) {
    const name = chance.pick(Object.keys(REQUESTS));
    const [text, statuses] = REQUESTS[name]!;
    const status = await answeredTo(port, text(`127.0.0.1:${port}`));
    sum.requests += 1;
    if (!statuses.includes(status ?? 0)) sum.findings.push(`“${name}” was answered ${status}`);
    if (held.length < most.held) {
      held.push(halfOpen(port, chance, dribbles));
      sum.held += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, most.pauseMs));
  }
  return sum;
}

/** A connection that says nothing, half an upgrade, or one header byte after another. */
function halfOpen(port: number, chance: Chance, dribbles: NodeJS.Timeout[]): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  const upgrade = `GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${UPGRADE}`;
  const how = chance.pick(['silent', 'half', 'dribble']);
  if (how === 'half') socket.write(upgrade);
  if (how === 'dribble') {
    let at = 0;
    const timer = setInterval(() => {
      if (socket.destroyed) clearInterval(timer);
      else socket.write(`${upgrade}X: ${'x'.repeat(1000)}`[at++] ?? 'x');
    }, 100);
    dribbles.push(timer);
  }
  return socket;
}

/** The status of the answer; null: closed without one. */
function answeredTo(port: number, text: string): Promise<number | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    const end = () => {
      socket.destroy();
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
      resolve(status === undefined ? null : Number(status));
    };
    socket.setTimeout(5000, end);
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      if (answer.includes('\r\n')) end();
    });
    socket.on('error', () => {});
    socket.on('close', end);
    socket.write(Buffer.from(text, 'latin1'));
  });
}
