/**
 * One connection that is kept up: it opens a socket, says hello, answers pings, and comes back after a loss.
 *
 *     opening ──open──► greeting ──welcome──► open ──lost──► waiting ──delay──► opening
 *        └──────────────────┴── lost ───────────────────────────┘
 *     any ── close(), or a close code that says "do not reconnect" ──► closed
 *
 * Invariants: 1 at most one socket is alive; 2 a frame of a socket that was given up is not delivered; 3 `opened` and
 * `lost` alternate; 4 nothing happens after `closed`.
 */
import { reconnectDelay, returnDelay } from './backoff.ts';
import type { Chance, ClientClock } from './clock.ts';
import type { ServerFrame, Welcome } from './frames.ts';
import { fatalClose, RemoteError } from './remote-error.ts';
import type { SocketLike, SocketOpener } from './socket.ts';

/** From the opening of a socket to the welcome. The server allows 5 s for the hello alone. */
const GREETING_MS = 10_000;
/** Without any frame for so many ping intervals the other side is taken for dead. */
const SILENT_PINGS = 2.5;

export interface Lost {
  /** When the next attempt begins, ms from now. */
  inMs: number;
  why: string;
}

export interface ConnectionOptions {
  url: string;
  token: string | null;
  client: { name: string; version: string };
  clock: ClientClock;
  chance: Chance;
  open: SocketOpener;
  opened(welcome: Welcome): void;
  frame(frame: ServerFrame): void;
  /** An open connection ended; it will be tried again. */
  lost(lost: Lost): void;
  /** An attempt failed before it was open; it will be tried again. */
  failed(lost: Lost): void;
  /** It is over: `error` null when close() was called. */
  closed(error: RemoteError | null): void;
}

type State =
  | { is: 'opening' | 'greeting'; socket: SocketLike | null; cancel: () => void }
  | { is: 'open'; socket: SocketLike; cancel: () => void; heardAt: number; pingMs: number }
  | { is: 'waiting'; cancel: () => void }
  | { is: 'closed' };

export class Connection {
  readonly #o: ConnectionOptions;
  #state: State = { is: 'waiting', cancel: () => {} };
  /** Attempts since the last welcome. */
  #attempt = 0;
  /** What a `bye` announced, for the next delay. */
  #reconnectMs: number | null = null;

  constructor(options: ConnectionOptions) {
    this.#o = options;
    this.#open();
  }

  get isOpen(): boolean {
    return this.#state.is === 'open';
  }

  /** Sends when open; false: it was not. */
  send(frame: object): boolean {
    if (this.#state.is !== 'open') return false;
    this.#state.socket.send(JSON.stringify(frame));
    return true;
  }

  close(): void {
    this.#end(null);
  }

  #open(): void {
    const cancel = this.#o.clock.after(GREETING_MS, () => this.#drop(attempt, 'no welcome within 10 s'));
    const attempt: State = { is: 'opening', socket: null, cancel };
    this.#state = attempt;
    this.#o.open(this.#o.url, 'baton.v1').then(
      (socket) => {
        if (this.#state !== attempt) return quiet(socket);
        attempt.socket = socket;
        this.#listen(socket);
      },
      (error: unknown) => this.#drop(attempt, String(error)),
    );
  }

  #listen(socket: SocketLike): void {
    let why = '';
    socket.onopen = () => {
      const s = this.#state;
      if (s.is !== 'opening' || s.socket !== socket) return;
      s.is = 'greeting';
      const { token, client } = this.#o;
      socket.send(JSON.stringify({ t: 'hello', ...(token === null ? {} : { token }), client }));
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string' && this.#socket() === socket) this.#read(socket, data);
    };
    socket.onerror = (event) => {
      why = event.message ?? '';
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket() !== socket) return;
      const fatal = fatalClose(code, reason) ?? refusedUpgrade(why);
      if (fatal !== null) this.#end(fatal);
      else this.#drop(this.#state, why || `closed with ${code}${reason === '' ? '' : ` ${reason}`}`);
    };
  }

  #read(socket: SocketLike, data: string): void {
    let frame: ServerFrame;
    try {
      frame = JSON.parse(data) as ServerFrame;
    } catch {
      this.#drop(this.#state, 'the other side does not speak JSON');
      return;
    }
    const s = this.#state;
    if (s.is === 'greeting' && frame.t === 'welcome') this.#welcome(socket, s, frame);
    if (s.is !== 'open') return;
    s.heardAt = this.#o.clock.now();
    if (frame.t === 'ping') socket.send('{"t":"pong"}');
    if (frame.t === 'bye') this.#reconnectMs = frame.reconnectMs;
    this.#o.frame(frame);
  }

  #welcome(socket: SocketLike, greeting: { cancel: () => void }, welcome: Welcome): void {
    greeting.cancel();
    this.#attempt = 0;
    const open: State & { is: 'open' } = {
      is: 'open',
      socket,
      cancel: () => {},
      heardAt: this.#o.clock.now(),
      pingMs: welcome.pingMs,
    };
    this.#state = open;
    this.#watch(open);
    this.#o.opened(welcome);
  }

  /** A peer that vanished sends no close: only its silence tells. */
  #watch(open: State & { is: 'open' }): void {
    open.cancel = this.#o.clock.after(open.pingMs, () => {
      const silentMs = this.#o.clock.now() - open.heardAt;
      if (silentMs > open.pingMs * SILENT_PINGS) this.#drop(open, `silent for ${silentMs} ms`);
      else this.#watch(open);
    });
  }

  #socket(): SocketLike | null {
    return 'socket' in this.#state ? this.#state.socket : null;
  }

  /** Gives `from` up and waits for the next attempt; nothing when it was given up already. */
  #drop(from: State, why: string): void {
    if (this.#state !== from || from.is === 'closed' || from.is === 'waiting') return;
    from.cancel();
    if (from.socket !== null) quiet(from.socket);
    const inMs =
      this.#reconnectMs === null
        ? reconnectDelay(this.#attempt, this.#o.chance)
        : returnDelay(this.#reconnectMs, this.#o.chance);
    this.#reconnectMs = null;
    this.#attempt++;
    this.#state = { is: 'waiting', cancel: this.#o.clock.after(inMs, () => this.#open()) };
    if (from.is === 'open') this.#o.lost({ inMs, why });
    else this.#o.failed({ inMs, why });
  }

  #end(error: RemoteError | null): void {
    const s = this.#state;
    if (s.is === 'closed') return;
    s.cancel();
    const socket = this.#socket();
    this.#state = { is: 'closed' };
    if (socket !== null) quiet(socket);
    this.#o.closed(error);
  }
}

/** Closes a socket nobody listens to any more. An error handler stays: `ws` throws without one. */
function quiet(socket: SocketLike): void {
  socket.onmessage = null;
  socket.onclose = null;
  socket.onerror = () => {};
  // Closed as soon as it opens: closing earlier is an error in `ws`.
  socket.onopen = () => socket.close(1000);
  try {
    socket.close(1000);
  } catch {
    // It was not open yet, or is closed already.
  }
}

/** `ws` tells the status of an upgrade that was refused; browsers do not. */
function refusedUpgrade(why: string): RemoteError | null {
  const status = /server response: (40[13])/.exec(why)?.[1];
  if (status === undefined) return null;
  return status === '401'
    ? new RemoteError('UNAUTHENTICATED', 'The server does not accept the token.')
    : new RemoteError('FORBIDDEN', 'The server refuses this Host or Origin.', {
        hint: 'Use an address the server knows as its own, or add the origin to BATON_ALLOWED_ORIGINS.',
      });
}
