/**
 * The typed client of `baton.v1` for Node and browsers: one connection that is kept up, requests that survive its loss
 * where that is safe, subscriptions that resume, and thin HTTP calls beside it.
 */
import type { AgentEvent, IssueEvent } from '../machines/events.ts';
import type { GrantView, IssueView } from '../machines/view.ts';
import {
  browserSafeChance,
  browserSafeClock,
  type Chance,
  type ClientClock,
  unlikelyTwice,
} from './clock.ts';
import { Connection, type Lost } from './connection.ts';
import type { Principal, ServerFrame, StopFrame, Welcome } from './frames.ts';
import { HttpApi } from './http.ts';
import { Listeners } from './listeners.ts';
import { RemoteError, unanswered } from './remote-error.ts';
import { Requests } from './requests.ts';
import { addressesOf, openSocket, type SocketOpener } from './socket.ts';
import { Subscription, type SubscriptionHandlers, type Where } from './subscription.ts';

export interface ClientOptions {
  /** `http://…` or `ws://…`; in a browser the page's own origin when absent. */
  url?: string;
  token?: string | null;
  /** What the server's log calls this client. */
  client?: { name: string; version: string };
  /** How long a request may take in all, repeats included. Default 30,000 ms. */
  requestTimeoutMs?: number;
  /**
   * How long the first connection is tried before connect() rejects. Default 15,000 ms; 0: the first failure is final.
   * Afterwards a lost connection is tried for ever.
   */
  connectTimeoutMs?: number;
  clock?: ClientClock;
  chance?: Chance;
  open?: SocketOpener;
  fetch?: typeof fetch;
}

export interface EventOptions {
  /**
   * Idempotency key. One is made up when absent, so that the event can be sent again after a lost connection; null
   * sends none, and a loss then rejects.
   */
  key?: string | null;
  expectedVersion?: number;
  timeoutMs?: number;
}

export interface EventAnswer {
  version: number;
  issue: IssueView;
  duplicate: boolean;
  unchanged: boolean;
}

export interface ClientEvents {
  /** A run of this worker must end. */
  stop: StopFrame;
  open: Welcome;
  lost: Lost;
  bye: { reason: string; reconnectMs: number };
  /** The client is over: `error` null after close(). */
  closed: { error: RemoteError | null };
}

const BROKEN_SUBSCRIPTION_MS = 1000;

/**
 * Connects, and resolves once the server has said welcome.
 * @throws RemoteError UNAUTHENTICATED, FORBIDDEN or VALIDATION when the server refuses for good; UNAVAILABLE when it
 * is not reached within `connectTimeoutMs`
 */
export async function connect(options: ClientOptions = {}): Promise<Client> {
  const client = new Client(options);
  await client.welcomed;
  return client;
}

export class Client {
  readonly http: HttpApi;
  readonly #clock: ClientClock;
  readonly #chance: Chance;
  readonly #timeoutMs: number;
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #routes = new Map<string, Subscription>();
  readonly #listeners = new Listeners<ClientEvents>();
  #welcome: Welcome | null = null;
  #skewMs = 0;
  #nextSub = 1;
  /** @internal What connect() waits for. */
  readonly welcomed: Promise<void>;

  constructor(options: ClientOptions) {
    const url = options.url ?? (globalThis as { location?: { origin: string } }).location?.origin;
    if (url === undefined) {
      throw new RemoteError('VALIDATION', 'connect() needs a url, for instance http://127.0.0.1:4300.');
    }
    this.#clock = options.clock ?? browserSafeClock;
    this.#chance = options.chance ?? browserSafeChance;
    this.#timeoutMs = options.requestTimeoutMs ?? 30_000;
    const token = options.token ?? null;
    const addresses = addressesOf(url);
    this.http = new HttpApi({
      url: addresses.http,
      token,
      clock: this.#clock,
      chance: this.#chance,
      timeoutMs: this.#timeoutMs,
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    });
    this.#requests = new Requests(this.#clock, this.#chance, (frame) => this.#connection.send(frame));
    this.welcomed = this.#firstWelcome(options.connectTimeoutMs ?? 15_000, url);
    this.#connection = new Connection({
      url: addresses.ws,
      token,
      client: options.client ?? { name: 'baton-client', version: '0.1.0' },
      clock: this.#clock,
      chance: this.#chance,
      open: options.open ?? openSocket,
      opened: (welcome) => this.#opened(welcome),
      frame: (frame) => this.#frame(frame),
      lost: (lost) => {
        this.#requests.lost();
        this.#listeners.tell('lost', lost);
      },
      failed: (lost) => this.#listeners.tell('lost', lost),
      closed: (error) => this.#ended(error),
    });
  }

  /** Who the server takes this client for. */
  get principal(): Principal {
    if (this.#welcome === null) throw new RemoteError('UNAVAILABLE', 'Not connected yet.');
    return this.#welcome.principal;
  }

  get limits(): Welcome['limits'] | null {
    return this.#welcome?.limits ?? null;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  /** The server's clock as far as it is known, epoch ms: for countdowns. */
  serverNow(): number {
    return this.#clock.now() + this.#skewMs;
  }

  /**
   * How long the server takes to answer at the moment, ms by the client's clock. It is asked to end a subscription that
   * is none, which changes nothing (protocol section 6, invalid sequences).
   * @throws RemoteError UNAVAILABLE when it is not connected or no answer came
   */
  async roundTrip(): Promise<number> {
    const askedAt = this.#clock.now();
    await this.#requests.ask({ t: 'unsub' }, { timeoutMs: this.#timeoutMs, repeatable: false });
    return this.#clock.now() - askedAt;
  }

  /**
   * Sends an event and resolves after its commit. With a key (made up when absent) it is sent again over reconnects
   * and retryable refusals until `timeoutMs` (default `requestTimeoutMs`) is up.
   * @throws RemoteError with the server's code, or UNAVAILABLE when no answer came
   */
  async event(
    issueId: string,
    event: IssueEvent | AgentEvent,
    options: EventOptions = {},
  ): Promise<EventAnswer> {
    const isBeat = event.type === 'RUN.HEARTBEAT';
    const key = options.key === undefined && !isBeat ? unlikelyTwice(this.#chance) : options.key;
    const { expectedVersion } = options;
    const ok = await this.#requests.ask(
      {
        t: 'event',
        ...(typeof key === 'string' ? { key } : {}),
        issueId,
        event: expectedVersion === undefined ? event : { ...event, expectedVersion },
      },
      { timeoutMs: options.timeoutMs ?? this.#timeoutMs, repeatable: typeof key === 'string' },
    );
    return {
      version: ok.version ?? 0,
      issue: ok.issue as IssueView,
      duplicate: ok.duplicate ?? false,
      unchanged: ok.unchanged ?? false,
    };
  }

  /**
   * Follows `topic` (`company:<id>`, `issue:<id>`, `agent:<id>`, `stats:<companyId>`, `journal:<issueId>`), resuming by
   * its cursor after every reconnect and reset. Resolves once the server has accepted it.
   * @param since the seq (journal topics: version) to resume from; null or absent: a snapshot first
   */
  async subscribe(
    topic: string,
    options: { where?: Where | null; since?: number | null },
    handlers: SubscriptionHandlers,
  ): Promise<Subscription> {
    const subscription = new Subscription(
      {
        ask: (frame) => this.#requests.ask(frame, { timeoutMs: this.#timeoutMs, repeatable: false }),
        send: (frame) => this.#connection.send(frame),
        isOpen: () => this.#connection.isOpen,
        later: (f) => void this.#clock.after(this.#chance.u() * BROKEN_SUBSCRIPTION_MS, f),
        route: (id, to) => void (to === null ? this.#routes.delete(id) : this.#routes.set(id, to)),
        nextId: () => `s${this.#nextSub++}`,
      },
      topic,
      options,
      handlers,
    );
    subscription.start();
    await subscription.standing;
    return subscription;
  }

  /**
   * Asks for work: resolves with what is grantable now, else with the first grant, else with [] after `waitMs`. A claim
   * whose answer was lost is repeated with its `claimId` and then returns what it was granted.
   * @param waitMs 0..50,000, default 25,000
   * @param agentId only for operators
   */
  async claim(
    options: { max?: number; waitMs?: number; claimId?: string; agentId?: string } = {},
  ): Promise<GrantView[]> {
    const waitMs = options.waitMs ?? 25_000;
    const ok = await this.#requests.ask(
      {
        t: 'claim',
        claimId: options.claimId ?? unlikelyTwice(this.#chance),
        max: options.max ?? 1,
        waitMs,
        ...(options.agentId === undefined ? {} : { agentId: options.agentId }),
      },
      { timeoutMs: waitMs + this.#timeoutMs, repeatable: true },
    );
    return ok.grants ?? [];
  }

  /** Listens; returns the way to stop listening. */
  on<K extends keyof ClientEvents>(name: K, f: (event: ClientEvents[K]) => void): () => void {
    return this.#listeners.on(name, f);
  }

  /** Ends it: outstanding requests reject, nothing is delivered afterwards. */
  close(): void {
    this.#connection.close();
  }

  #firstWelcome(timeoutMs: number, url: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let why = 'no answer';
      const giveUp = () => {
        reject(
          unanswered(
            `Cannot connect to ${url} (${why}).`,
            'Start a server with `baton start`, or name another with --url or BATON_URL.',
          ),
        );
        this.#connection.close();
      };
      const cancel = timeoutMs > 0 ? this.#clock.after(timeoutMs, giveUp) : () => {};
      const off = [
        this.on('open', () => settle(resolve)),
        this.on('closed', ({ error }) => settle(() => error !== null && reject(error))),
        this.on('lost', (lost) => {
          why = lost.why;
          if (timeoutMs === 0) settle(giveUp);
        }),
      ];
      function settle(f: () => void) {
        cancel();
        for (const stop of off) stop();
        f();
      }
    });
  }

  #opened(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#skewMs = welcome.now - this.#clock.now();
    this.#requests.reopened();
    for (const subscription of [...this.#routes.values()]) subscription.start();
    this.#listeners.tell('open', welcome);
  }

  #frame(frame: ServerFrame): void {
    switch (frame.t) {
      case 'ok':
        this.#routes.get(frame.id)?.opened(frame);
        this.#requests.answered(frame);
        break;
      case 'error':
        this.#requests.refused(frame);
        break;
      case 'snapshot':
        this.#routes.get(frame.sub)?.snapshot(frame.items, { seq: frame.seq, more: frame.more });
        break;
      case 'change':
        this.#routes.get(frame.sub)?.change(frame.change, frame.prev);
        break;
      case 'reset':
        this.#routes.get(frame.sub)?.start();
        break;
      case 'stop':
        this.#listeners.tell('stop', frame);
        break;
      case 'ping':
        this.#skewMs = frame.now - this.#clock.now();
        break;
      case 'bye':
        this.#listeners.tell('bye', frame);
        break;
    }
  }

  #ended(error: RemoteError | null): void {
    this.#routes.clear();
    this.#requests.end(error ?? unanswered('The client was closed.', 'Connect again.', { over: true }));
    this.#listeners.tell('closed', { error });
  }
}
