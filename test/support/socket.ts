/** A raw `baton.v1` WebSocket for tests: sends frames, waits for frames, keeps everything it saw in order. */
import WebSocket from 'ws';

export type Frame = { t: string } & Record<string, unknown>;

export class RawSocket {
  readonly frames: Frame[] = [];
  closed: { code: number; reason: string } | null = null;
  private readonly ws: WebSocket;
  private readonly waiters = new Set<() => void>();
  private taken = 0;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data) => {
      this.frames.push(JSON.parse(String(data)) as Frame);
      this.wake();
    });
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.wake();
    });
    ws.on('error', () => {});
  }

  /** Opens a socket and says hello; `token` null: without one. */
  static async open(url: string, token: string | null = null): Promise<RawSocket> {
    const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, 'baton.v1');
    const socket = new RawSocket(ws);
    await new Promise<void>((resolve, reject) => {
      ws.once('open', () => resolve());
      ws.once('error', reject);
    });
    socket.send({ t: 'hello', ...(token === null ? {} : { token }) });
    await socket.next((f) => f.t === 'welcome');
    return socket;
  }

  send(frame: Record<string, unknown>): void {
    this.ws.send(JSON.stringify(frame));
  }

  /** Sends a request and waits for the frame that carries its id. */
  async ask(frame: { id: string } & Record<string, unknown>): Promise<Frame> {
    this.send(frame);
    return this.next((f) => f.id === frame.id);
  }

  /** The next frame, seen or to come, that fits and was not taken before; frames before it count as taken. */
  async next(fits: (f: Frame) => boolean = () => true, ms = 5000): Promise<Frame> {
    const deadline = performance.now() + ms;
    for (;;) {
      const at = this.frames.findIndex((f, n) => n >= this.taken && fits(f));
      if (at >= 0) {
        this.taken = at + 1;
        return this.frames[at]!;
      }
      const left = deadline - performance.now();
      if (left <= 0 || this.closed) {
        throw new Error(
          `no such frame; seen ${JSON.stringify(this.frames.slice(-5))}, closed ${this.closed?.code}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiters.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async ended(ms = 5000): Promise<{ code: number; reason: string }> {
    const deadline = performance.now() + ms;
    while (!this.closed && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
    if (!this.closed) throw new Error('the socket is still open');
    return this.closed;
  }

  /** Drops the frames seen so far: for a socket that lives long. */
  forget(): void {
    this.frames.length = 0;
    this.taken = 0;
  }

  close(): void {
    this.ws.close();
  }

  /** Cuts the connection without a word. */
  cut(): void {
    this.ws.terminate();
  }

  private wake(): void {
    for (const waiter of this.waiters) waiter();
    this.waiters.clear();
  }
}
