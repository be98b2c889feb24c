/**
 * One hostile connection after another, over bare TCP. A life is: upgrade, `hello`, some hundred frames with ids sent in
 * bursts – each burst when the one before it is answered, so that every frame is known to have reached the parser – and
 * one ending. Frames that were never answered, answers `ok` to what must be refused, and a wrong close code are findings.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Chance } from '../simulation/world/chance.ts';
import type { HostileFrames, Last, Role } from './hostile-frames.ts';
import { FrameReader, fragments, frameBytes, OPCODE } from './ws-bytes.ts';

export interface Tally {
  /** Frames that the server is known to have read: answered, or the end of their connection. */
  frames: number;
  connections: number;
  readonly answers: Record<string, number>;
  readonly closes: Record<string, number>;
  /** How many of each kind were drawn. */
  readonly kinds: Record<string, number>;
  readonly findings: string[];
}

export const newTally = (): Tally => ({
  frames: 0,
  connections: 0,
  answers: {},
  closes: {},
  kinds: {},
  findings: [],
});

export interface Attack {
  readonly port: number;
  readonly frames: HostileFrames;
  readonly chance: Chance;
  readonly tokens: Readonly<Record<Role, string>>;
  readonly tally: Tally;
  /** Frames a life, and in one burst. */
  readonly perLife: number;
  readonly burst: number;
  /** How long an answer may take, ms. */
  readonly patienceMs: number;
}

const MOST_FINDINGS = 20;
const ANSWER = /"t":"(ok|error)","id":"([rh]\d+)"(?:,"code":"([A-Z_]+)")?/;

/** Goes on until `enough()`. */
export async function attack(a: Attack, enough: () => boolean): Promise<void> {
  while (!enough()) await life(a, enough);
}

async function life(a: Attack, enough: () => boolean): Promise<void> {
  const { frames, chance, tally } = a;
  const role = chance.pick(['operator', 'operator', 'agent', 'viewer'] as const);
  const socket = await HostileSocket.open(a);
  tally.connections += 1;
  if (chance.is(0.15)) {
    await ending(a, socket, frames.first());
    return;
  }
  socket.write(frameBytes(JSON.stringify({ t: 'hello', token: a.tokens[role] })));
  await socket.welcomed();
  for (let sent = 0; sent < a.perLife && !enough(); sent += a.burst) {
    const out: Buffer[] = [];
    const waiting = new Map<string, string>();
    for (let n = 0; n < a.burst; n++) {
      const { id, text } = frames.next(role);
      waiting.set(id, text);
      out.push(chance.is(0.02) ? fragments(text, chance.whole(2, 5), chance.is(0.5)) : frameBytes(text));
    }
    socket.write(Buffer.concat(out));
    const unanswered = await socket.answered(waiting, (is, id, code) => {
      const name = is === 'ok' ? 'ok' : (code ?? 'error');
      tally.answers[name] = (tally.answers[name] ?? 0) + 1;
      tally.frames += 1;
      if (is === 'ok' && id.startsWith('r')) found(tally, `was taken, as ${role}: ${waiting.get(id)}`);
      if (code === 'INTERNAL') found(tally, `was INTERNAL, as ${role}: ${waiting.get(id)}`);
    });
    if (unanswered !== null) {
      found(tally, `${unanswered.why}, as ${role}; first unanswered: ${waiting.get(unanswered.first)}`);
      socket.destroy();
      return;
    }
  }
  await ending(a, socket, frames.last());
}

async function ending({ tally }: Attack, socket: HostileSocket, last: Last): Promise<void> {
  if (last.code === null) {
    socket.write(last.bytes);
    socket.destroy();
    tally.frames += 1;
    return;
  }
  socket.write(last.bytes);
  const code = await socket.closed();
  tally.frames += 1;
  tally.closes[String(code)] = (tally.closes[String(code)] ?? 0) + 1;
  if (code !== last.code)
    found(tally, `“${last.name}” ended with ${code}, not ${last.code}: ${show(last.bytes)}`);
}

function found(tally: Tally, text: string): void {
  if (tally.findings.length < MOST_FINDINGS) tally.findings.push(text.slice(0, 600));
}

const show = (bytes: Buffer) =>
  bytes
    .subarray(0, 300)
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '.');

/** A client's end of a WebSocket, without a library. */
class HostileSocket {
  readonly #tcp: Socket;
  readonly #patienceMs: number;
  readonly #reader = new FrameReader();
  #closeCode: number | null = null;
  #over = false;
  #welcomed = false;
  #hear: (text: string) => void = () => {};
  #wake = () => {};

  private constructor(tcp: Socket, patienceMs: number, first: Buffer) {
    this.#tcp = tcp;
    this.#patienceMs = patienceMs;
    tcp.on('data', (chunk: Buffer) => this.#took(chunk));
    tcp.on('close', () => {
      this.#over = true;
      this.#wake();
    });
    if (first.length > 0) this.#took(first);
  }

  static open({ port, patienceMs }: Attack): Promise<HostileSocket> {
    return new Promise((resolve, reject) => {
      const tcp = connect({ port, host: '127.0.0.1', noDelay: true });
      let head = Buffer.alloc(0);
      tcp.on('error', () => {});
      tcp.once('close', () => reject(new Error('the upgrade was cut off')));
      const onData = (chunk: Buffer) => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        tcp.off('data', onData);
        tcp.removeAllListeners('close');
        const status = head.subarray(9, 12).toString();
        if (status !== '101') reject(new Error(`the upgrade was answered ${status}`));
        else resolve(new HostileSocket(tcp, patienceMs, head.subarray(end + 4)));
      };
      tcp.on('data', onData);
      tcp.write(
        `GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
          'Sec-WebSocket-Protocol: baton.v1\r\n\r\n',
      );
    });
  }

  write(bytes: Buffer): void {
    this.#tcp.write(bytes);
  }

  destroy(): void {
    this.#tcp.destroy();
  }

  async welcomed(): Promise<void> {
    if (!(await this.#until(() => this.#welcomed))) throw new Error('no welcome');
  }

  /** Waits for an answer to every id; what is missing when the connection ends or patience does. */
  async answered(
    waiting: ReadonlyMap<string, string>,
    each: (is: string, id: string, code: string | undefined) => void,
  ): Promise<{ first: string; why: string } | null> {
    const open = new Set(waiting.keys());
    this.#hear = (text) => {
      const [, is, id, code] = ANSWER.exec(text) ?? [];
      if (is === undefined || id === undefined || !open.delete(id)) return;
      each(is, id, code);
    };
    await this.#until(() => open.size === 0);
    const [first] = open;
    if (first === undefined) return null;
    return {
      first,
      why: this.#over ? `closed with ${this.#closeCode} before all was answered` : 'not answered',
    };
  }

  /** The close code, null when it was cut off or is open after all. */
  async closed(): Promise<number | null> {
    await this.#until(() => this.#closeCode !== null);
    this.#tcp.destroy();
    return this.#closeCode;
  }

  #took(chunk: Buffer): void {
    this.#reader.push(chunk, (opcode, payload) => {
      if (opcode === OPCODE.close) {
        this.#closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
        return;
      }
      if (opcode !== OPCODE.text) return;
      // Answers are short; a view is only in a few of them.
      const text = payload.toString('latin1');
      if (text.startsWith('{"t":"welcome"')) this.#welcomed = true;
      this.#hear(text);
    });
    this.#wake();
  }

  /** False when the connection ended, or patience did, before. */
  async #until(done: () => boolean): Promise<boolean> {
    const deadline = performance.now() + this.#patienceMs;
    while (!done() && !this.#over && performance.now() < deadline) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return done();
  }
}
