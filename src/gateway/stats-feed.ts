/**
 * The topic `stats:<companyId>` (protocol section 6): counts of a company once a second while somebody looks. One call
 * a company and second serves all its readers; a slow reader misses seconds, the latest count wins.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Router, Stats } from '../supervisor/router.ts';
import type { Outbox } from './outbox.ts';

const EVERY_MS = 1000;

type Listener = (stats: Stats) => void;

export class StatsFeeds {
  readonly #router: Router;
  readonly #clock: Clock;
  readonly #log: FastifyBaseLogger;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(options: { router: Router; clock: Clock; log: FastifyBaseLogger }) {
    this.#router = options.router;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** The counts now, then every second to `listener` until the result is called. */
  listen(companyId: string, listener: Listener): () => void {
    let set = this.#listeners.get(companyId);
    if (set === undefined) {
      set = new Set();
      this.#listeners.set(companyId, set);
      this.#arm(companyId, set);
    }
    set.add(listener);
    return () => set.delete(listener);
  }

  #arm(companyId: string, set: Set<Listener>): void {
    this.#clock.after(EVERY_MS, () => {
      if (set.size === 0) {
        if (this.#listeners.get(companyId) === set) this.#listeners.delete(companyId);
        return;
      }
      this.#router
        .stats(companyId)
        .then((stats) => {
          for (const listener of [...set]) listener(stats);
        })
        .catch((error: unknown) => this.#log.debug({ err: error }, 'no stats this second'))
        .finally(() => this.#arm(companyId, set));
    });
  }
}

/** One reader of a company's counts. */
export class StatsSubscription {
  readonly #id: string;
  readonly #outbox: Outbox;
  #prev = 0;
  #stop: (() => void) | null = null;
  #over = false;
  #answered = false;

  constructor(id: string, outbox: Outbox) {
    this.#id = JSON.stringify(id);
    this.#outbox = outbox;
  }

  /** Its `ok` was sent. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Sends the first counts as the snapshot and listens on. */
  open(first: Stats, feeds: StatsFeeds): void {
    if (this.#over) return;
    this.#answered = true;
    this.#prev = first.seq;
    this.#outbox.send(`{"t":"ok","id":${this.#id},"recovered":false,"seq":${first.seq}}`);
    this.#outbox.send(
      `{"t":"snapshot","sub":${this.#id},"seq":${first.seq},"items":[${JSON.stringify(first)}],"more":false}`,
    );
    this.#stop = feeds.listen(first.companyId, (stats) => this.#change(stats));
  }

  end(): void {
    this.#over = true;
    this.#stop?.();
  }

  #change(stats: Stats): void {
    if (this.#over || !this.#outbox.roomy) return;
    const { seq } = stats;
    const change = JSON.stringify({ seq, stats });
    this.#outbox.send(`{"t":"change","sub":${this.#id},"prev":${this.#prev},"change":${change}}`);
    this.#prev = seq;
  }
}
