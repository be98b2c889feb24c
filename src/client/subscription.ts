/**
 * A subscription that outlives its connection: it remembers the last sequence number it delivered and asks for what
 * came after it whenever it has to start anew (a reconnect, a `reset`, a gap).
 *
 * Invariants: 1 `prev` of every change delivered is the cursor before it; a change that does not fit is not delivered,
 * the subscription starts anew from its cursor instead; 2 frames of an earlier start are ignored (each start has an id
 * of its own); 3 after `close` no handler is called.
 */
import type { AgentView, IssueView } from '../machines/view.ts';
import type { Change, OkFrame, StatsChange } from './frames.ts';
import type { RemoteError } from './remote-error.ts';

export interface Where {
  state?: string[];
  assignee?: string;
  priority?: string[];
}

export interface SubscriptionHandlers {
  /** All there is, as of `seq`: replaces what was known. `more`: page the rest by HTTP. Never on journal topics. */
  snapshot?(items: (IssueView | AgentView)[], at: { seq: number; more: boolean }): void;
  /** One change, in order, without a gap. */
  change(change: Change | StatsChange, prev: number): void;
  /** It stands (again): `recovered` says that only what was missed follows, else a snapshot does. */
  ready?(at: { recovered: boolean; seq: number }): void;
  /** It ended for good; nothing follows. */
  error?(error: RemoteError): void;
}

/** What a subscription needs of its client. */
export interface SubscriptionHost {
  ask(frame: Readonly<Record<string, unknown>>): Promise<OkFrame>;
  send(frame: object): boolean;
  isOpen(): boolean;
  /** Calls `f` after a short while. */
  later(f: () => void): void;
  /** Frames with this sub id go to `to` until it is null. */
  route(subId: string, to: Subscription | null): void;
  nextId(): string;
}

export class Subscription {
  readonly topic: string;
  readonly #where: Where | null;
  readonly #handlers: SubscriptionHandlers;
  readonly #host: SubscriptionHost;
  #cursor: number | null;
  #subId: string | null = null;
  #closed = false;
  /** Settled at the first `ok`, or by the refusal that ended it. */
  readonly standing: Promise<void>;
  #settle!: (error: RemoteError | null) => void;

  constructor(
    host: SubscriptionHost,
    topic: string,
    options: { where?: Where | null; since?: number | null },
    handlers: SubscriptionHandlers,
  ) {
    this.#host = host;
    this.topic = topic;
    this.#where = options.where ?? null;
    this.#cursor = options.since ?? null;
    this.#handlers = handlers;
    this.standing = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === null ? resolve() : reject(error));
    });
  }

  /** The last sequence number delivered (of a journal topic: version); null before the first. */
  get seq(): number | null {
    return this.#cursor;
  }

  /** Starts, or starts anew from the cursor. */
  start(): void {
    if (this.#closed) return;
    if (this.#subId !== null) this.#host.route(this.#subId, null);
    const id = this.#host.nextId();
    this.#subId = id;
    this.#host.route(id, this);
    const since = this.topic.startsWith('stats:') ? null : this.#cursor;
    const where = this.#where === null ? {} : { where: this.#where };
    this.#host.ask({ t: 'sub', id, topic: this.topic, since, ...where }).catch((error: RemoteError) => {
      if (this.#subId !== id) return;
      if (error.retryable) return this.#host.later(() => this.#subId === id && this.start());
      this.#forget();
      this.#settle(error);
      this.#handlers.error?.(error);
    });
  }

  /** Called synchronously with the `ok`, because a snapshot may follow in the same packet. */
  opened(ok: OkFrame): void {
    this.#settle(null);
    this.#handlers.ready?.({ recovered: ok.recovered ?? false, seq: ok.seq ?? 0 });
    if (this.topic.startsWith('journal:')) this.#cursor ??= 0;
  }

  snapshot(items: (IssueView | AgentView)[], at: { seq: number; more: boolean }): void {
    this.#cursor = at.seq;
    this.#handlers.snapshot?.(items, at);
  }

  change(change: Change | StatsChange, prev: number): void {
    if (this.#cursor !== null && prev !== this.#cursor && !this.topic.startsWith('stats:')) {
      if (this.#subId !== null) this.#host.send({ t: 'unsub', id: this.#subId });
      this.start();
      return;
    }
    this.#cursor = this.topic.startsWith('journal:') ? (change as Change).version : change.seq;
    this.#handlers.change(change, prev);
  }

  /** Ends it here and at the server. */
  close(): void {
    if (this.#closed) return;
    if (this.#subId !== null && this.#host.isOpen()) this.#host.send({ t: 'unsub', id: this.#subId });
    this.#forget();
  }

  #forget(): void {
    this.#closed = true;
    if (this.#subId !== null) this.#host.route(this.#subId, null);
    this.#subId = null;
  }
}
