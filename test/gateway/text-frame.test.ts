/** Frames as they leave: read back by the WebSocket library, over a real socket. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { HeldBack, SocketWire } from '../../src/gateway/socket-wire.ts';
import { FrameBatch, headerBytes, SharedFrame } from '../../src/gateway/text-frame.ts';

let server: WebSocketServer;
const heldBack = new HeldBack();

beforeAll(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
});

/** A wire and what its reader read. */
async function connected() {
  const accepted = once(server, 'connection');
  const reader = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const texts: string[] = [];
  reader.on('message', (data, isBinary) => texts.push(isBinary ? 'binary' : data.toString()));
  const closed = once(reader, 'close');
  const [[socket, request]] = await Promise.all([accepted, once(reader, 'open')]);
  const wire = new SocketWire(socket, request.socket, heldBack, (code, reason) => socket.close(code, reason));
  return { wire, socket, reader, texts, closed };
}

/** Texts whose sizes stand around each length of header, of one to three bytes a character. */
const EDGES = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000].flatMap((size) =>
  ['a', 'é', '€'].map((character) => character.repeat(Math.ceil(size / Buffer.byteLength(character)))),
);

describe('frames of one reader', () => {
  it('arrive whole and in order, whatever their size and characters, shared or not', async () => {
    const { wire, texts, closed } = await connected();
    const sent = [...EDGES, 'a👋b', ...EDGES];
    for (const [n, text] of sent.entries()) wire.send(n % 3 === 0 ? new SharedFrame(text) : text);
    wire.close(1000, 'enough');
    const [code] = await closed;
    expect(code).toBe(1000);
    expect(texts).toEqual(sent);
  });

  it('arrive in order for any texts', async () => {
    const { wire, texts, closed } = await connected();
    const sent: string[] = [];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.boolean())),
        (some) => {
          for (const [text, shared] of some) {
            sent.push(text);
            wire.send(shared ? new SharedFrame(text) : text);
          }
        },
      ),
    );
    wire.close(1000, '');
    await closed;
    expect(texts).toEqual(sent);
  });

  it('sent before a close arrive before it, and none after it', async () => {
    const { wire, texts, closed } = await connected();
    wire.send('first');
    wire.close(4001, 'over');
    wire.send('too late');
    expect((await closed)[0]).toBe(4001);
    expect(texts).toEqual(['first']);
  });

  it('are forgotten when the reader is gone', async () => {
    const { wire, socket, reader } = await connected();
    const gone = once(socket, 'close');
    reader.terminate();
    await gone;
    wire.send('nobody hears this');
    wire.flush();
    expect(wire.buffered()).toBe(0);
  });

  it('are counted as buffered until they have left', async () => {
    const { wire } = await connected();
    wire.send('x'.repeat(200));
    expect(wire.buffered()).toBe(204);
    wire.flush();
    expect(wire.buffered()).toBe(0);
  });
});

it('a batch holds what it says: headers and payloads', () => {
  const batch = new FrameBatch();
  for (const text of EDGES) batch.add(text);
  const bytes = EDGES.map((text) => Buffer.byteLength(text));
  expect(batch.bytes).toBe(bytes.reduce((sum, n) => sum + headerBytes(n) + n, 0));
  expect(batch.take().length).toBe(bytes.reduce((sum, n) => sum + headerBytes(n) + n, 0));
  expect(batch.bytes).toBe(0);
});
