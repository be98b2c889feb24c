/** Healthy clients of another company on the same server: events at a steady pace, and how long each took to be answered. */
import { quantile } from '../../bench/support/statistics.ts';
import { office } from '../support/server.ts';
import { type Frame, RawSocket } from '../support/socket.ts';

export interface Latency {
  readonly events: number;
  /** Ms. */
  readonly p50: number;
  readonly p99: number;
}

export function latencyOf(taken: readonly number[]): Latency {
  return { events: taken.length, p50: quantile(taken, 0.5), p99: quantile(taken, 0.99) };
}

export class Neighbours {
  readonly companyId: string;
  readonly #sockets: readonly RawSocket[];
  readonly #issues: readonly string[];
  #taken: number[] = [];
  #over = false;
  readonly #running: Promise<void>[];
  /** What was answered otherwise than `ok`. */
  readonly refused: Frame[] = [];

  private constructor(companyId: string, sockets: RawSocket[], issues: string[], everyMs: number) {
    this.companyId = companyId;
    this.#sockets = sockets;
    this.#issues = issues;
    this.#running = sockets.map((socket, n) => this.#run(socket, issues[n]!, everyMs, n));
  }

  /** `count` sockets, each with an issue of its own and an event every `everyMs`. */
  static async move(server: { url: string }, count: number, everyMs: number): Promise<Neighbours> {
    const o = await office(server);
    const sockets: RawSocket[] = [];
    const issues: string[] = [];
    for (let n = 0; n < count; n++) {
      issues.push((await o.issue()).id);
      sockets.push(await RawSocket.open(server.url));
    }
    return new Neighbours(o.companyId, sockets, issues, everyMs);
  }

  /** What was measured since the last call. */
  take(): Latency {
    const taken = this.#taken;
    this.#taken = [];
    return latencyOf(taken);
  }

  /** The next `ms`, alone. */
  async measure(ms: number): Promise<Latency> {
    this.#taken = [];
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.take();
  }

  async leave(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
    for (const socket of this.#sockets) socket.close();
  }

  async #run(socket: RawSocket, issueId: string, everyMs: number, offset: number): Promise<void> {
    await new Promise((resolve) =>
      setTimeout(resolve, (everyMs * offset) / Math.max(1, this.#issues?.length ?? 1)),
    );
    for (let n = 0; !this.#over; n++) {
      const since = performance.now();
      const event = { type: 'PRIORITY', priority: n % 2 === 0 ? 'high' : 'low' };
      const answer = await socket.ask({ t: 'event', id: `e${n}`, issueId, event });
      const took = performance.now() - since;
      this.#taken.push(took);
      if (answer.t !== 'ok') this.refused.push(answer);
      socket.forget();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, everyMs - took)));
    }
  }
}
