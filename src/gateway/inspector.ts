/**
 * One connection of `GET /inspect/ws` (protocol section 8). Knows no WebSocket library, as session.ts does not.
 *
 * One explicit state:
 * - *greeting*: nobody is known yet. A credential that the upgrade carried, or local mode, opens it at once; else it
 *   waits for `hello` with a token, five seconds at most (4408).
 * - *open*: what is watched is subscribed to, and looked after every two seconds where that may change: companies that
 *   come, partitions that move.
 * - *closed*: nothing is sent, and nothing of it stays registered anywhere.
 *
 * IS1 Nothing is subscribed to, made or sent while no connection is open: who is not watched costs nothing.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Router, Topic } from '../supervisor/router.ts';
import type { Principal } from './auth.ts';
import type { Homes } from './homes.ts';
import { InspectedTopic, LIVE } from './inspected-topic.ts';
import { parseJson } from './json.ts';
import { Outbox, type Wire } from './outbox.ts';
import { CLOSE, helloFrame } from './protocol.ts';

const HELLO_MS = 5000;
const LOOK_MS = 2000;
/** Frames a reader may send in all: one is enough. */
const MOST_FRAMES = 16;
/** Companies that the server's own token watches at once; the others are watched by naming them. */
const MOST_COMPANIES = 200;

export interface InspectorOptions {
  readonly wire: Wire;
  readonly router: Router;
  readonly clock: Clock;
  readonly log: FastifyBaseLogger;
  readonly homes: Homes;
  /** Narrowed to one issue, to one company; null: not. */
  readonly issueId: string | null;
  readonly companyId: string | null;
  /** The machine's definition as JSON text. */
  definition(): string;
  /** The principal of a token; null: of what the upgrade carried. */
  resolve(token: string | null): Promise<Principal | null>;
  opened(principal: Principal): void;
  /** Nothing more comes of it. Called once, with the close code it ended with. */
  ended(code: number): void;
}

type State = { is: 'greeting' } | { is: 'open'; principal: Principal } | { is: 'closed' };

export class Inspector {
  readonly #o: InspectorOptions;
  readonly #outbox: Outbox;
  readonly #topics = new Map<string, InspectedTopic>();
  #state: State = { is: 'greeting' };
  #disarm: () => void;
  #definitionSent = false;
  #frames = 0;

  /** @param carried the upgrade carried a credential: it must be a valid one. */
  constructor(options: InspectorOptions, carried: boolean) {
    this.#o = options;
    this.#outbox = new Outbox(options.wire, options.clock, () => this.#close(CLOSE.slow, 'too slow'));
    this.#disarm = options.clock.after(HELLO_MS, () => this.#close(CLOSE.helloTimeout, 'no hello'));
    this.#admit(null, carried);
  }

  /** A text frame came in: `hello`, which is all that a reader may say. */
  receive(text: string): void {
    this.#frames += 1;
    if (this.#frames > MOST_FRAMES) {
      this.#close(CLOSE.tooFast, 'too many frames');
      return;
    }
    const parsed = parseJson(text);
    const hello = parsed.is === 'value' ? helloFrame.safeParse(parsed.value) : null;
    if (hello === null || !hello.success) this.#close(CLOSE.badFrame, 'only hello may be sent');
    else if (this.#state.is === 'greeting') this.#admit(hello.data.token ?? null, true);
  }

  /** The connection has nothing buffered any more. */
  drained(): void {
    this.#outbox.drained();
  }

  /** The other side, or the library, closed the connection. */
  closed(code: number = CLOSE.normal): void {
    this.#end(code);
  }

  revoked(): void {
    this.#close(CLOSE.unauthenticated, 'the key was revoked');
  }

  draining(): void {
    this.#close(CLOSE.draining, 'draining');
  }

  #admit(token: string | null, mustBe: boolean): void {
    this.#o.resolve(token).then(
      (principal) => {
        if (this.#state.is !== 'greeting') return;
        if (principal !== null) this.#open(principal);
        else if (mustBe) this.#close(CLOSE.unauthenticated, 'no valid credential');
      },
      (error: unknown) => this.#crash(error),
    );
  }

  #open(principal: Principal): void {
    if (principal.role === 'agent') {
      this.#close(CLOSE.forbidden, 'operators and viewers inspect');
      return;
    }
    this.#state = { is: 'open', principal };
    this.#disarm();
    this.#o.opened(principal);
    void this.#look(principal);
  }

  /** Subscribes to what is to be watched and is not yet. */
  async #look(principal: Principal): Promise<void> {
    try {
      const wanted = await this.#wanted(principal);
      if (wanted === null) {
        this.#close(CLOSE.notFound, 'there is no such thing');
        return;
      }
      for (const topic of wanted) if (this.#isOpen()) await this.#watch(topic, principal);
    } catch (error) {
      this.#o.log.debug({ err: error }, 'what is inspected could not be looked up');
    }
    if (this.#isOpen()) this.#disarm = this.#o.clock.after(LOOK_MS, () => void this.#look(principal));
  }

  /** Null: something is named that is not there, or is another company's. */
  async #wanted({ companyId: own }: Principal): Promise<Topic[] | null> {
    const { issueId, companyId, homes, router } = this.#o;
    if (issueId !== null) {
      const home = await homes.companyOf(issueId, 'i', own);
      if (home === null || (companyId !== null && companyId !== home)) return null;
      return [{ is: 'actor', companyId: home, id: issueId }];
    }
    const of = (id: string): Topic => ({ is: 'company', companyId: id, where: { states: LIVE } });
    if (companyId !== null) {
      const mayKnow = own === null || own === companyId;
      return mayKnow && (await router.company(companyId)) !== null ? [of(companyId)] : null;
    }
    if (own !== null) return [of(own)];
    return (await router.companies(MOST_COMPANIES)).map(({ id }) => of(id));
  }

  async #watch(topic: Topic, { role }: Principal): Promise<void> {
    const { router } = this.#o;
    const key = topic.is === 'company' ? topic.companyId : topic.id;
    if (this.#topics.has(key)) return;
    const inspected = new InspectedTopic({
      companyId: topic.companyId,
      outbox: this.#outbox,
      router,
      redact: role !== 'operator',
      definition: () => {
        if (this.#definitionSent) return null;
        this.#definitionSent = true;
        return this.#o.definition();
      },
      ended: () => this.#topics.delete(key),
      tooSlow: () => this.#close(CLOSE.slow, 'too slow'),
    });
    this.#topics.set(key, inspected);
    const subscribed = await router.subscribe(topic, null, inspected).catch((error: unknown) => {
      this.#topics.delete(key);
      throw error;
    });
    if (subscribed.is === 'open') {
      inspected.bound(subscribed.close);
    } else {
      inspected.end();
      this.#topics.delete(key);
    }
  }

  #isOpen(): boolean {
    return this.#state.is === 'open';
  }

  #crash(error: unknown): void {
    this.#o.log.error({ err: error }, 'an inspecting connection failed');
    this.#close(CLOSE.internal, 'internal error');
  }

  #close(code: number, reason: string): void {
    if (this.#state.is === 'closed') return;
    this.#end(code);
    this.#o.wire.close(code, reason);
  }

  #end(code: number): void {
    if (this.#state.is === 'closed') return;
    this.#state = { is: 'closed' };
    this.#disarm();
    this.#outbox.close();
    for (const topic of this.#topics.values()) topic.end();
    this.#topics.clear();
    this.#o.ended(code);
  }
}
