/**
 * A WebSocket reader that costs next to nothing: a TCP socket on which server frames are counted by their headers, not
 * decoded. With a thousand readers in one process a full client would be what is measured. Frames below 126 bytes – an
 * `ok`, a `ping` – are not counted; each is answered by a `pong`, so that the reader counts as alive.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** A payload's length up to here stands in the header's second byte. */
const SHORT = 125;
const PONG = '{"t":"pong"}';
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** What a group of readers has got so far. */
export class FrameTally {
  frames = 0;
  /** Payload bytes. */
  bytes = 0;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** Resolves when the group has got `count` frames together. */
  until(count: number): Promise<void> {
    if (this.frames >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** Begins again at nothing. */
  clear(): void {
    this.frames = 0;
    this.bytes = 0;
  }

  add(frames: number, bytes: number): void {
    this.frames += frames;
    this.bytes += bytes;
    if (this.#waiting.length === 0) return;
    const reached = this.#waiting.filter(({ count }) => this.frames >= count);
    if (reached.length === 0) return;
    this.#waiting = this.#waiting.filter(({ count }) => this.frames < count);
    for (const { resolve } of reached) resolve();
  }
}

export class FrameCounter {
  readonly #socket: Socket;
  readonly #tally: FrameTally;
  /** Bytes of the current frame still to come. */
  #left = 0;
  /** Whether it is one of those that are counted. */
  #counts = false;
  /** The begin of a header that came in pieces. */
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, tally: FrameTally, rest: Buffer) {
    this.#socket = socket;
    this.#tally = tally;
    socket.on('data', (data) => this.#take(data));
    socket.on('error', () => {});
    if (rest.length > 0) this.#take(rest);
  }

  static async open(url: string, path: string, tally: FrameTally): Promise<FrameCounter> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
        `Sec-WebSocket-Protocol: baton.v1\r\n\r\n`,
    );
    const rest = await new Promise<Buffer>((resolve, reject) => {
      let head = Buffer.alloc(0);
      const take = (data: Buffer) => {
        head = Buffer.concat([head, data]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        socket.off('data', take);
        if (head.subarray(0, 12).toString() === 'HTTP/1.1 101') resolve(head.subarray(end + 4));
        else reject(new Error(`not upgraded: ${head.subarray(0, end).toString()}`));
      };
      socket.on('data', take);
      socket.once('error', reject);
    });
    return new FrameCounter(socket, tally, rest);
  }

  /** Sends a short text frame. */
  send(text: string): void {
    const payload = Buffer.from(text);
    if (payload.length > SHORT) throw new Error('only short frames');
    for (let n = 0; n < payload.length; n++) payload[n]! ^= MASK[n % 4]!;
    this.#socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), MASK, payload]));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    let chunk = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    this.#rest = Buffer.alloc(0);
    let frames = 0;
    let bytes = 0;
    while (chunk.length > 0) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length);
        this.#left -= taken;
        chunk = chunk.subarray(taken);
        if (this.#left === 0 && this.#counts) frames++;
        continue;
      }
      const size = chunk[1]! & 0x7f;
      const header = size === 126 ? 4 : size === 127 ? 10 : 2;
      if (chunk.length < header) {
        this.#rest = Buffer.from(chunk);
        break;
      }
      this.#left =
        size === 126 ? chunk.readUInt16BE(2) : size === 127 ? Number(chunk.readBigUInt64BE(2)) : size;
      this.#counts = size > SHORT;
      if (this.#counts) bytes += this.#left;
      else this.send(PONG);
      chunk = chunk.subarray(header);
    }
    this.#tally.add(frames, bytes);
  }
}
