/**
 * A `baton.v1` connection that costs its own process as little as can be: the generator shares the machine with the
 * server it measures. Answers are handed on as bytes; whoever needs more than their first characters decodes them.
 */
import WebSocket from 'ws';

/** `{"t":"ok","id":"17",…`: the request's number begins after these many bytes. */
const OK = '{"t":"ok","id":"';
const ERROR = '{"t":"error","id":"';
const QUOTE = 0x22;

export class BenchSocket {
  /** Hears every frame that answers no request. */
  onFrame: (frame: Buffer) => void = () => {};
  readonly #ws: WebSocket;
  readonly #waiting = new Map<number, { resolve(answer: Buffer): void; reject(error: Error): void }>();
  #count = 0;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data: Buffer) => this.#take(data));
    ws.on('error', () => {});
    ws.on('close', (code) => this.#lost(new Error(`the connection was closed: ${code}`)));
  }

  /** Opens one; welcome. `token` null: the operator of a server in local mode. */
  static async open(url: string, token: string | null = null): Promise<BenchSocket> {
    const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, 'baton.v1', {
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    await new Promise<void>((resolve, reject) => {
      ws.once('open', resolve);
      ws.once('error', reject);
    });
    const socket = new BenchSocket(ws);
    const welcome = new Promise<void>((resolve, reject) => {
      socket.onFrame = () => resolve();
      ws.once('close', () => reject(new Error('it was not welcome')));
    });
    ws.send(JSON.stringify({ t: 'hello', ...(token === null ? {} : { token }) }));
    await welcome;
    socket.onFrame = () => {};
    return socket;
  }

  /**
   * Sends a request and answers its `ok` frame.
   * @param fields the frame's other fields as JSON text without braces.
   * @throws Error when it is answered by an error, or the connection is lost first.
   */
  ask(t: 'event' | 'claim' | 'sub', fields: string): Promise<Buffer> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#ws.send(`{"t":"${t}","id":"${id}",${fields}}`);
    });
  }

  /** An event; `event` is JSON text. */
  event(issueId: string, event: string): Promise<Buffer> {
    return this.ask('event', `"issueId":"${issueId}","event":${event}`);
  }

  close(): void {
    this.#ws.close();
  }

  #take(frame: Buffer): void {
    const ok = frame[6] === 0x6f; // {"t":"o
    const from = ok ? OK.length : ERROR.length;
    if (!ok && frame[6] !== 0x65) {
      this.#other(frame);
      return;
    }
    let id = 0;
    for (let at = from; frame[at] !== QUOTE; at++) id = 10 * id + frame[at]! - 0x30;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!waiting) this.onFrame(frame);
    else if (ok) waiting.resolve(frame);
    else waiting.reject(new Error(`answered with ${frame.toString()}`));
  }

  #other(frame: Buffer): void {
    if (frame.subarray(0, 11).toString() === '{"t":"ping"') this.#ws.send('{"t":"pong"}');
    else this.onFrame(frame);
  }

  #lost(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Whether an event's answer says that it was committed as a new version: it ends in `"unchanged":false}`. */
export function committed(answer: Buffer): boolean {
  return answer[answer.length - 3] === 0x73;
}

/** The version in an event's answer. */
export function versionIn(answer: Buffer): number {
  const head = answer.toString('latin1', 0, 80);
  return Number(/"version":(\d+)/.exec(head)?.[1]);
}

export interface Granted {
  readonly issueId: string;
  readonly runId: string;
  readonly fence: number;
}

/** The grants in a claim's answer. */
export function grantsIn(answer: Buffer): Granted[] {
  const { grants } = JSON.parse(answer.toString()) as {
    grants: { issue: { id: string }; run: { id: string }; fence: number }[];
  };
  return grants.map(({ issue, run, fence }) => ({ issueId: issue.id, runId: run.id, fence }));
}

/** The one grant of a claim that asked for one, read without parsing the views; null: none. */
export function grantIn(answer: Buffer): Granted | null {
  const text = answer.toString('latin1');
  const runId = /"(i[0-9a-f]+\.\d+)"/.exec(text)?.[1];
  const fence = /"fence":(\d+)/.exec(text)?.[1];
  if (runId === undefined || fence === undefined) return null;
  return { issueId: runId.slice(0, runId.indexOf('.')), runId, fence: Number(fence) };
}
