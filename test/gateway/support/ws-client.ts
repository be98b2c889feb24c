/** A WebSocket of a test: keeps what came, lets a test wait for a frame or for the close. */
import WebSocket from 'ws';

// biome-ignore lint/suspicious/noExplicitAny: frames of all shapes; the assertions say which
export type Frame = any;

export class Client {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  readonly opened: Promise<void>;
  /** The close code. */
  readonly ended: Promise<number>;
  #waiting: { fits: (frame: Frame) => boolean; found: (frame: Frame) => void }[] = [];
  #taken = 0;

  constructor(url: string, options: { protocol?: string | null; headers?: Record<string, string> } = {}) {
    const { protocol = 'baton.v1', headers = {} } = options;
    this.socket = new WebSocket(url, protocol === null ? [] : [protocol], { headers });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    this.opened.catch(() => {});
    this.ended = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.on('message', (data) => this.#take(JSON.parse(data.toString())));
    this.socket.on('error', () => {});
  }

  #take(frame: Frame): void {
    this.frames.push(frame);
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ fits, found }) => {
      if (!fits(frame)) return true;
      found(frame);
      return false;
    });
  }

  /** Sends a frame, as soon as the socket is open. Text and buffers go as they are. */
  send(frame: object | string | Buffer): void {
    const data = typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame);
    this.opened.then(() => this.socket.send(data)).catch(() => {});
  }

  /** The first frame that fits, come already or to come. */
  next(fits: (frame: Frame) => boolean): Promise<Frame> {
    const there = this.frames.find(fits);
    if (there !== undefined) return Promise.resolve(there);
    return new Promise((found, fail) => {
      this.#waiting.push({ fits, found });
      this.ended.then((code) => fail(new Error(`closed with ${code} while waiting`)));
    });
  }

  /** Sends a request and waits for its `ok` or `error`. */
  ask(frame: object): Promise<Frame> {
    this.#taken += 1;
    const id = (frame as { id?: string }).id ?? `r${this.#taken}`;
    const from = this.frames.length;
    this.send({ ...frame, id });
    return this.next(
      (f) => f.id === id && (f.t === 'ok' || f.t === 'error') && this.frames.indexOf(f) >= from,
    );
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Waits until something holds, looking every few milliseconds. */
export async function until(holds: () => boolean, forMs = 3000): Promise<void> {
  const end = performance.now() + forMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error('it did not come to hold');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
