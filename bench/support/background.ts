/** A steady trickle of events from outside: so many a second, whatever their answers take (an open loop). */
import { BenchSocket } from './bench-socket.ts';
import { quantile } from './statistics.ts';

const TICK_MS = 5;
const CONNECTIONS = 4;

export class Background {
  readonly #sockets: BenchSocket[];
  readonly #timer: NodeJS.Timeout;
  readonly #since = performance.now();
  readonly #taken: number[] = [];
  #sent = 0;
  #failed: Error | null = null;

  private constructor(sockets: BenchSocket[], issues: readonly string[], perSecond: number) {
    this.#sockets = sockets;
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#since) / 1000) * perSecond;
      while (this.#sent < due) this.#send(issues);
    }, TICK_MS);
  }

  static async start(url: string, issues: readonly string[], perSecond: number): Promise<Background> {
    const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => BenchSocket.open(url)));
    return new Background(sockets, issues, perSecond);
  }

  /** @throws Error when one of its events failed. */
  stop(): { perSecond: number; p50: number; p99: number } {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.close();
    if (this.#failed) throw this.#failed;
    const seconds = (performance.now() - this.#since) / 1000;
    return {
      perSecond: Math.round(this.#taken.length / seconds),
      p50: quantile(this.#taken, 0.5),
      p99: quantile(this.#taken, 0.99),
    };
  }

  #send(issues: readonly string[]): void {
    const n = this.#sent++;
    const priority = Math.floor(n / issues.length) % 2 === 0 ? 'high' : 'low';
    const since = performance.now();
    this.#sockets[n % CONNECTIONS]!.event(
      issues[n % issues.length]!,
      `{"type":"PRIORITY","priority":"${priority}"}`,
    ).then(
      () => this.#taken.push(performance.now() - since),
      (error: Error) => {
        this.#failed ??= error;
      },
    );
  }
}
