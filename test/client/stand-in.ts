/**
 * A server that speaks as much of baton.v1 as the client's tests need: it says welcome, records what it is sent, answers
 * as the test says, and can be cut off. Real sockets, no runtime.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export type Frame = Record<string, unknown> & { t: string; id?: string };
/** Answers one frame; what it returns is sent (several frames, one, or none). */
export type Answerer = (frame: Frame, session: WebSocket) => object | object[] | null;

export class StandIn {
  readonly frames: Frame[] = [];
  readonly requests: { method: string; url: string; body: unknown; headers: Record<string, unknown> }[] = [];
  /** By frame type. */
  readonly answers: Record<string, Answerer> = {};
  /** Answers HTTP: status and body. */
  http: (request: { method: string; url: string; body: unknown }) => { status: number; body: unknown } =
    () => ({
      status: 404,
      body: { code: 'NOT_FOUND', detail: 'nothing here' },
    });
  /** A close code: hellos are answered with it. */
  refuses: number | null = null;
  principal: Record<string, unknown> = {
    role: 'agent',
    agentId: 'a0000000000001',
    companyId: 'c0000000000001',
  };
  readonly sessions = new Set<WebSocket>();
  hellos = 0;
  #server: Server;
  #ws: WebSocketServer;
  #waiting: { isMet: () => boolean; resolve: () => void }[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const body = text === '' ? undefined : JSON.parse(text);
        const asked = { method: request.method ?? '', url: request.url ?? '', body };
        this.requests.push({ ...asked, headers: request.headers });
        const answer = this.http(asked);
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer.body));
        this.#look();
      });
    });
    this.#ws = new WebSocketServer({ server: this.#server, path: '/v1/ws' });
    this.#ws.on('connection', (socket) => this.#session(socket));
  }

  static async start(): Promise<StandIn> {
    const standIn = new StandIn();
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Frames of one type. */
  of(t: string): Frame[] {
    return this.frames.filter((f) => f.t === t);
  }

  push(frame: object): void {
    for (const socket of this.sessions) socket.send(JSON.stringify(frame));
  }

  /** Ends every connection: with a close code, or as a cable that is pulled. */
  cut(code?: number): void {
    for (const socket of this.sessions) {
      if (code === undefined) socket.terminate();
      else socket.close(code);
    }
  }

  /** Resolves once `isMet`. The suite's timeout is the limit. */
  until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isMet, resolve });
      this.#look();
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.sessions) socket.terminate();
    this.#ws.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #session(socket: WebSocket): void {
    socket.on('close', () => {
      this.sessions.delete(socket);
      this.#look();
    });
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      this.frames.push(frame);
      if (frame.t === 'hello') {
        this.hellos++;
        if (this.refuses !== null) socket.close(this.refuses);
        else {
          this.sessions.add(socket);
          const limits = { frameBytes: 65536, subscriptions: 128, eventsPerSecond: 2000 };
          const { principal } = this;
          socket.send(
            JSON.stringify({ t: 'welcome', node: 'n1', now: 5000, principal, pingMs: 20_000, limits }),
          );
        }
      } else {
        const answered = this.answers[frame.t]?.(frame, socket) ?? [];
        for (const f of Array.isArray(answered) ? answered : [answered]) socket.send(JSON.stringify(f));
      }
      this.#look();
    });
  }

  #look(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.isMet()) continue;
      this.#waiting = this.#waiting.filter((w) => w !== waiting);
      waiting.resolve();
    }
  }
}

/** A grant as the server would make it. */
export function grantOf(ordinal: number, over: Record<string, unknown> = {}) {
  const issueId = `i000000000000${ordinal}`;
  return {
    issue: { id: issueId, version: 2 },
    run: { id: `${issueId}.1`, agentId: 'a0000000000001' },
    fence: 7,
    leaseMs: 30_000,
    wakes: [],
    contextSnapshot: {},
    ...over,
  };
}
