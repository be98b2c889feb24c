/**
 * One connection of `baton.v1` (protocol section 6). Knows no WebSocket library: it is given a wire to write to and is
 * told what came in, so the simulation runs it over a simulated wire.
 *
 * One explicit state:
 * - *greeting*: waits for `hello`. Anything else closes it, 4401: who has not said who they are is not listened to.
 * - *authenticating*: `hello` came, its credential is looked up. Up to 16 further frames wait. Both states together last
 *   at most five seconds, else 4408.
 * - *open*: frames are answered; pinged every 20 s, closed when two pings in a row brought no sign of life.
 * - *closed*: nothing is sent, nothing is listened to, nothing of it stays registered anywhere.
 *
 * Invariants:
 * - SE1 Nothing thrown in here leaves: a throw closes this connection (4500) and no other.
 * - SE2 A frame with an `id` is answered, unless the connection closes first.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { z } from 'zod';
import type { Clock, Random } from '../clock.ts';
import { BatonError } from '../errors.ts';
import type { Router } from '../supervisor/router.ts';
import type { Principal } from './auth.ts';
import type { ChangeFrames } from './change-frames.ts';
import { ClaimDesk } from './claim-desk.ts';
import { EventDesk } from './event-desk.ts';
import type { Homes } from './homes.ts';
import { parseJson } from './json.ts';
import { Outbox, type Wire } from './outbox.ts';
import { badFields, errorFrame, expected, internal, invalid } from './problem.ts';
import {
  CLOSE,
  claimFrame,
  eventFrame,
  FRAME_BYTES,
  helloFrame,
  pongFrame,
  SUBSCRIPTIONS,
  subFrame,
  unsubFrame,
} from './protocol.ts';
import { Bucket, type KeyRates } from './rate.ts';
import type { StatsFeeds } from './stats-feed.ts';
import { Subscriptions } from './subscriptions.ts';

const HELLO_MS = 5000;
const PING_MS = 20_000;
const MISSED_PONGS = 2;
const EARLY_FRAMES = 16;

export interface SessionOptions {
  readonly wire: Wire;
  readonly router: Router;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: FastifyBaseLogger;
  readonly homes: Homes;
  readonly frames: ChangeFrames;
  readonly stats: StatsFeeds;
  /** Frames per second; null: no limit. */
  readonly rateLimit: number | null;
  /** The limit of each key over all of its connections; null: none. */
  readonly keyRates: KeyRates | null;
  /** The principal of `hello`'s token, or, when it has none, of what the upgrade carried. */
  resolve(token: string | null): Promise<Principal | null>;
  /** It is open: `session` may be told that its key was revoked or that the server stops. */
  opened(principal: Principal): void;
  /** Nothing more comes of it. Called once, with the close code it ended with. */
  ended(code: number): void;
}

type Fields = Record<string, unknown>;

type State =
  | { readonly is: 'greeting' }
  | { readonly is: 'authenticating'; readonly early: Fields[] }
  | {
      readonly is: 'open';
      readonly principal: Principal;
      readonly bucket: Bucket | null;
      readonly subscriptions: Subscriptions;
      readonly claims: ClaimDesk;
      readonly events: EventDesk;
    }
  | { readonly is: 'closed' };
type Open = Extract<State, { is: 'open' }>;

export class Session {
  readonly #options: SessionOptions;
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  #state: State = { is: 'greeting' };
  #disarm: () => void;
  /** Pings since the last sign of life. */
  #missed = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#outbox = new Outbox(options.wire, options.clock, () => this.#close(CLOSE.slow, 'too slow'));
    this.#disarm = options.clock.after(HELLO_MS, () => this.#close(CLOSE.helloTimeout, 'no hello'));
  }

  /** Whoever is there has not been let in yet: at most `EARLY_FRAMES` and their `hello` are listened to. */
  get isEarly(): boolean {
    return this.#state.is === 'greeting' || this.#state.is === 'authenticating';
  }

  /** A text frame came in. Never throws. */
  receive(text: string): void {
    try {
      this.#receive(text);
    } catch (error) {
      this.#crash(error);
    }
  }

  /** A binary frame came in: there are none in this protocol. */
  binary(): void {
    this.#close(CLOSE.badFrame, 'frames are text');
  }

  /** The other side, or the library, closed the connection. */
  closed(code: number = CLOSE.normal): void {
    this.#end(code);
  }

  /** The wire has nothing buffered any more: what was held back goes on. Never throws. */
  drained(): void {
    this.#guarded(() => this.#outbox.drained());
  }

  /** Its key is no longer valid. */
  revoked(): void {
    this.#close(CLOSE.unauthenticated, 'the key was revoked');
  }

  /** The server stops. Clients come back after `reconnectMs`, spread so that they do not come at once. */
  bye(): void {
    const reconnectMs = 1000 + Math.round(this.#options.random.u() * 1000);
    this.#outbox.send(JSON.stringify({ t: 'bye', reason: 'draining', reconnectMs }));
    this.#close(CLOSE.draining, 'draining');
  }

  #receive(text: string): void {
    if (this.#state.is === 'closed') return;
    if (text.length * 3 > FRAME_BYTES && Buffer.byteLength(text) > FRAME_BYTES) {
      this.#close(CLOSE.tooLarge, 'frame too large');
      return;
    }
    const parsed = parseJson(text);
    const fault =
      parsed.is === 'hostile' ? badFields([{ path: parsed.path, message: parsed.message }]) : null;
    const frame = parsed.is === 'value' ? asFields(parsed.value) : fault === null ? null : fieldsOf(text);
    if (frame === null) {
      this.#close(CLOSE.badFrame, 'not a JSON object');
      return;
    }
    this.#missed = 0;
    switch (this.#state.is) {
      case 'greeting':
        if (fault !== null) this.#close(CLOSE.badFrame, 'bad frame');
        else if (frame.t === 'hello') this.#hello(frame);
        else this.#close(CLOSE.unauthenticated, 'hello comes first');
        return;
      case 'authenticating':
        if (fault !== null) this.#close(CLOSE.badFrame, 'bad frame');
        else if (this.#state.early.push(frame) > EARLY_FRAMES)
          this.#close(CLOSE.tooFast, 'too many early frames');
        return;
      case 'open':
        this.#take(this.#state, frame, fault);
    }
  }

  // -- hello -----------------------------------------------------------------------------------

  #hello(frame: Fields): void {
    const hello = helloFrame.safeParse(frame);
    if (!hello.success) {
      this.#close(CLOSE.badFrame, 'malformed hello');
      return;
    }
    this.#state = { is: 'authenticating', early: [] };
    this.#options.resolve(hello.data.token ?? null).then(
      (principal) => this.#guarded(() => this.#welcome(principal)),
      (error: unknown) => this.#crash(error),
    );
  }

  #welcome(principal: Principal | null): void {
    if (this.#state.is !== 'authenticating') return;
    if (principal === null) {
      this.#close(CLOSE.unauthenticated, 'no valid credential');
      return;
    }
    const { early } = this.#state;
    const { router, homes, stats, frames, random, log, rateLimit } = this.#options;
    const shared = { principal, router, homes, outbox: this.#outbox };
    const open: Open = {
      is: 'open',
      principal,
      bucket: rateLimit === null ? null : new Bucket(rateLimit, this.#clock.monotonic()),
      subscriptions: new Subscriptions({ ...shared, stats, frames }),
      claims: new ClaimDesk({ ...shared, random, log }),
      events: new EventDesk({
        ...shared,
        failed: (id, error) => this.#fail(id, error),
        crashed: (error) => this.#crash(error),
      }),
    };
    this.#state = open;
    this.#disarm();
    this.#armPing();
    this.#options.opened(principal);
    const { role, agentId, companyId } = principal;
    this.#outbox.send(
      JSON.stringify({
        t: 'welcome',
        node: router.readiness().node,
        now: this.#clock.now(),
        principal: { role, agentId, companyId },
        pingMs: PING_MS,
        limits: { frameBytes: FRAME_BYTES, subscriptions: SUBSCRIPTIONS, eventsPerSecond: rateLimit },
      }),
    );
    if (agentId !== null) open.claims.attach(agentId);
    for (const frame of early) if (this.#state === open) this.#take(open, frame, null);
  }

  #armPing(): void {
    this.#disarm = this.#clock.after(PING_MS, () => {
      if (this.#missed >= MISSED_PONGS) {
        this.#close(CLOSE.slow, 'no pong');
        return;
      }
      this.#missed += 1;
      this.#outbox.send(`{"t":"ping","now":${this.#clock.now()}}`);
      if (this.#state.is === 'open') this.#armPing();
    });
  }

  // -- frames ----------------------------------------------------------------------------------

  /** `fault`: why the frame is refused whatever it asks. */
  #take(open: Open, frame: Fields, fault: BatonError | null): void {
    const taken = open.bucket?.take(this.#clock.monotonic());
    if (taken !== undefined && taken.is !== 'ok') {
      if (taken.is === 'persistent') {
        this.#close(CLOSE.tooFast, 'too fast');
        return;
      }
      this.#slow(frame, tooFast('connection', taken.retryAfterMs));
      return;
    }
    if (open.bucket !== null) {
      const { principal } = open;
      const waitMs = this.#options.keyRates?.wait(principal.keyId, this.#clock.monotonic()) ?? null;
      if (waitMs !== null) {
        this.#slow(frame, tooFast('key', waitMs));
        return;
      }
    }
    if (fault !== null) {
      this.#refuse(frame, fault);
      return;
    }
    switch (frame.t) {
      case 'event':
        this.#parsed(eventFrame, frame, (event) => open.events.take(event));
        return;
      case 'claim':
        this.#parsed(claimFrame, frame, (claim) => this.#answered(claim.id, open.claims.claim(claim)));
        return;
      case 'sub':
        this.#parsed(subFrame, frame, (sub) => this.#answered(sub.id, open.subscriptions.open(sub)));
        return;
      case 'unsub':
        this.#parsed(unsubFrame, frame, ({ id }) => {
          open.subscriptions.close(id);
          this.#outbox.send(`{"t":"ok","id":${JSON.stringify(id)}}`);
        });
        return;
      case 'pong':
        this.#parsed(pongFrame, frame, () => {});
        return;
      default:
        this.#refuse(frame, badFields([{ path: 't', message: 'no such frame, or not now' }]));
    }
  }

  /** A frame over the rate; one without an id expects no answer: it is dropped. */
  #slow(frame: Fields, error: BatonError): void {
    const id = idOf(frame);
    if (id !== null) this.#error(id, error);
  }

  #parsed<S extends z.ZodType>(schema: S, frame: Fields, then: (value: z.infer<S>) => void): void {
    const parsed = schema.safeParse(frame);
    if (parsed.success) then(parsed.data);
    else this.#refuse(frame, invalid(parsed.error));
  }

  // -- refusals and the end --------------------------------------------------------------------

  /** What answers by itself, and may fail. */
  #answered(id: string, doing: Promise<void>): void {
    doing.catch((error: unknown) => this.#fail(id, error));
  }

  /** A frame that is wrong: told so where it has an id, else the end of the connection. */
  #refuse(frame: Fields, error: BatonError): void {
    const id = idOf(frame);
    if (id === null) this.#close(CLOSE.badFrame, 'bad frame');
    else this.#error(id, error);
  }

  #fail(id: string, thrown: unknown): void {
    const known = expected(thrown);
    if (known !== null) {
      this.#error(id, known.error);
      return;
    }
    const requestId = this.#options.random.secret(9);
    this.#options.log.error({ err: thrown, requestId }, 'a frame could not be answered');
    this.#error(id, internal(requestId));
  }

  #error(id: string, error: BatonError): void {
    this.#outbox.send(errorFrame(id, error));
  }

  #guarded(f: () => void): void {
    try {
      f();
    } catch (error) {
      this.#crash(error);
    }
  }

  #crash(error: unknown): void {
    this.#options.log.error({ err: error }, 'a connection failed');
    this.#close(CLOSE.internal, 'internal error');
  }

  #close(code: number, reason: string): void {
    if (this.#state.is === 'closed') return;
    this.#end(code);
    try {
      this.#options.wire.close(code, reason);
    } catch (error) {
      this.#options.log.debug({ err: error }, 'a connection could not be closed');
    }
  }

  #end(code: number): void {
    const state = this.#state;
    if (state.is === 'closed') return;
    this.#state = { is: 'closed' };
    this.#disarm();
    this.#outbox.close();
    if (state.is === 'open') {
      state.subscriptions.closeAll();
      state.claims.close();
      state.events.close();
    }
    this.#options.ended(code);
  }
}

function tooFast(of: 'connection' | 'key', retryAfterMs: number): BatonError {
  return new BatonError('RATE_LIMITED', `More frames than this ${of} may send.`, { retryAfterMs });
}

function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** The fields of a frame refused before it was parsed: only its id is read, by which the refusal is answered. */
function fieldsOf(text: string): Fields | null {
  try {
    return asFields(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The id by which a wrong frame can still be answered. */
function idOf(frame: Fields): string | null {
  const { id } = frame;
  return typeof id === 'string' && id.length > 0 && id.length <= 128 ? id : null;
}
