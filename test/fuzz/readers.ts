/**
 * Slow readers beside healthy ones on a real server (P11): the stalled subscribe to a company and stop reading; what they
 * cost is read off the server's process, what they do to others off the healthy readers' clocks and `prev` chains.
 */
import { connect, type Socket } from 'node:net';
import { memoryOf } from '../../bench/support/process-usage.ts';
import { office } from '../support/server.ts';
import { RawSocket } from '../support/socket.ts';
import { type Latency, latencyOf } from './neighbours.ts';
import type { FuzzedServer } from './world.ts';
import { FrameReader, frameBytes, OPCODE } from './ws-bytes.ts';

export interface ReadersOptions {
  readonly stalled: number;
  readonly healthy: number;
  /** Changes by which the stalled are brought to a stand: more than the kernel takes for them. */
  readonly fill: number;
  /** How long latencies are taken with and without the stalled, ms; one change every `everyMs`. */
  readonly measureMs: number;
  readonly everyMs: number;
}

export interface ReadersReport {
  readonly calm: Latency;
  readonly beside: Latency;
  /** MB of the server's memory for each stalled reader. */
  readonly mbEach: number;
  /** Breaks of a `prev` chain, changes never seen, wrong close codes. */
  readonly findings: readonly string[];
  /** Changes that reached a stalled reader once it read on, of those there were. */
  readonly caughtUp: { readonly changes: number; readonly of: number };
}

const ISSUES = 20;
/** Near the largest context there may be: each change carries it. */
const CONTEXT_BYTES = 15_000;
const PATIENCE_MS = 30_000;
const CHANGE = /^\{"t":"change","sub":"s","prev":(\d+),"change":\{"seq":(\d+),/;

export async function readers(server: FuzzedServer, options: ReadersOptions): Promise<ReadersReport> {
  const o = await office(server);
  const issues: string[] = [];
  for (let n = 0; n < ISSUES; n++) {
    issues.push((await o.issue(undefined, { context: 'x'.repeat(CONTEXT_BYTES) })).id);
  }
  const findings: string[] = [];
  const sentAt = new Map<number, number>();
  const took: number[] = [];
  const open = async (name: string) => {
    const reader = await Reader.open(server.url, o.companyId, name);
    reader.each = (seq) => {
      const at = sentAt.get(seq);
      if (at !== undefined) took.push(performance.now() - at);
    };
    return reader;
  };
  const healthy: Reader[] = [];
  for (let n = 0; n < options.healthy; n++) healthy.push(await open(`healthy ${n}`));

  const operator = await RawSocket.open(server.url);
  let seq = healthy[0]!.seq;
  const change = async () => {
    seq += 1;
    sentAt.set(seq, performance.now());
    const event = { type: 'EDIT', title: `change ${seq}` };
    const answer = await operator.ask({ t: 'event', id: `e${seq}`, issueId: issues[seq % ISSUES]!, event });
    if (answer.t !== 'ok') findings.push(`a change was refused: ${JSON.stringify(answer)}`);
    operator.forget();
  };
  const measure = async (): Promise<Latency> => {
    took.length = 0;
    const until = performance.now() + options.measureMs;
    while (performance.now() < until) {
      const next = performance.now() + options.everyMs;
      await change();
      await sleep(Math.max(0, next - performance.now()));
    }
    await everybody();
    return latencyOf(took);
  };
  const everybody = async () => {
    const until = performance.now() + PATIENCE_MS;
    while (healthy.some((reader) => reader.seq < seq) && performance.now() < until) await sleep(10);
    for (const reader of healthy) {
      if (reader.seq < seq) findings.push(`${reader.name} saw up to ${reader.seq} of ${seq}`);
    }
  };

  // A server that has just started has not grown to its working size yet.
  for (let n = 0; n < options.fill; n++) await change();
  const calm = await measure();
  const before = (await memoryOf(server.pid)).rss;
  const stalled: Reader[] = [];
  for (let n = 0; n < options.stalled; n++) {
    const reader = await open(`stalled ${n}`);
    reader.each = () => {};
    reader.stall();
    stalled.push(reader);
  }
  for (let n = 0; n < options.fill; n++) await change();
  const beside = await measure();
  const mbEach = Math.max(0, (await memoryOf(server.pid)).rss - before) / Math.max(1, options.stalled);

  const since = stalled[0]?.seq ?? seq;
  const seen = stalled[0]?.changes ?? 0;
  for (const reader of stalled) reader.resume();
  const until = performance.now() + PATIENCE_MS;
  while (stalled.some((r) => r.seq < seq && r.closed === null) && performance.now() < until) await sleep(10);
  for (const reader of stalled) {
    // One that was closed for being slow was told so; any other gets to the head.
    if (reader.closed !== null && reader.closed !== 4008)
      findings.push(`${reader.name} was closed ${reader.closed}`);
    if (reader.closed === null && reader.seq < seq)
      findings.push(`${reader.name} reads on and stays at ${reader.seq}`);
  }
  findings.push(...[...healthy, ...stalled].flatMap((reader) => reader.breaks));
  operator.close();
  for (const reader of [...healthy, ...stalled]) reader.destroy();
  const changes = (stalled[0]?.changes ?? 0) - seen;
  return { calm, beside, mbEach, findings, caughtUp: { changes, of: seq - since } };
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A subscriber of a company over bare TCP, which looks at no more of a frame than its numbers. */
class Reader {
  readonly name: string;
  /** The last change seen. */
  seq = 0;
  changes = 0;
  closed: number | null = null;
  readonly breaks: string[] = [];
  each: (seq: number) => void = () => {};
  readonly #tcp: Socket;
  readonly #frames = new FrameReader();
  #subscribed: (seq: number) => void = () => {};

  private constructor(tcp: Socket, name: string) {
    this.#tcp = tcp;
    this.name = name;
    tcp.on('error', () => {});
  }

  static async open(url: string, companyId: string, name: string): Promise<Reader> {
    const { port, host } = new URL(url);
    const tcp = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
    const reader = new Reader(tcp, name);
    let head: Buffer | null = Buffer.alloc(0);
    tcp.on('data', (chunk: Buffer) => {
      if (head === null) return reader.#took(chunk);
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const rest = head.subarray(end + 4);
      head = null;
      tcp.write(frameBytes('{"t":"hello"}'));
      tcp.write(frameBytes(`{"t":"sub","id":"s","topic":"company:${companyId}"}`));
      reader.#took(rest);
    });
    tcp.write(
      `GET /v1/ws HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Protocol: baton.v1\r\n\r\n',
    );
    reader.seq = await new Promise<number>((resolve, reject) => {
      reader.#subscribed = resolve;
      tcp.once('close', () => reject(new Error(`${name} was cut off`)));
    });
    return reader;
  }

  stall(): void {
    this.#tcp.pause();
  }

  resume(): void {
    this.#tcp.resume();
  }

  destroy(): void {
    this.#tcp.destroy();
  }

  #took(chunk: Buffer): void {
    this.#frames.push(chunk, (opcode, payload) => {
      if (opcode === OPCODE.close) {
        this.closed = payload.readUInt16BE(0);
        return;
      }
      const text = payload.subarray(0, 120).toString('latin1');
      const [, prev, seq] = CHANGE.exec(text) ?? [];
      if (prev !== undefined && seq !== undefined) {
        if (Number(prev) !== this.seq) this.breaks.push(`${this.name}: ${prev} follows ${this.seq}`);
        this.seq = Number(seq);
        this.changes += 1;
        this.each(this.seq);
      } else if (text.startsWith('{"t":"snapshot"')) {
        this.#subscribed(Number(/"seq":(\d+)/.exec(text)?.[1]));
      } else if (text.startsWith('{"t":"ping"')) {
        this.#tcp.write(frameBytes('{"t":"pong"}'));
      }
    });
  }
}
