/**
 * The log of one run on its way to the server: gathered for a moment, sent in chunks that fit a request, one at a time,
 * in order.
 *
 * Invariants: 1 at most `FULL_BYTES` wait here, whatever the run prints: `add` resolves when there is room again, and
 * who does not wait loses lines, visibly; 2 a log must not cost the run: a chunk the server does not take is given up
 * after `ATTEMPTS`, and the log says so; 3 a run without authority logs nothing more.
 */
import { reconnectDelay } from './backoff.ts';
import { type Chance, type ClientClock, pause, unlikelyTwice } from './clock.ts';
import type { LogLine } from './http.ts';
import { isRetryable, RemoteError } from './remote-error.ts';
import { storable } from './storable.ts';

/** Sends one chunk, under an idempotency key of its own; throws what the server said. */
export type SendLines = (lines: readonly LogLine[], key: string) => Promise<unknown>;

/** Lines are gathered for so long before they are sent. */
const GATHER_MS = 500;
/** A request may have 1,000 lines, a line 16 KiB of text, a body 256 KiB (protocol section 3). */
const CHUNK_LINES = 500;
const CHUNK_BYTES = 128 * 1024;
/** Pieces of at most 8,192 code points: each is one or two of the 16-bit units in which a line's text is counted. */
const PIECES = /[\s\S]{1,8192}/gu;
/** Above this `add` makes its caller wait; at twice this, lines of callers who did not wait are lost. */
const FULL_BYTES = 256 * 1024;
const ATTEMPTS = 5;
const WITHOUT_AUTHORITY: ReadonlySet<string> = new Set([
  'FENCED',
  'NOT_FOUND',
  'FORBIDDEN',
  'UNAUTHENTICATED',
]);

export class RunLog {
  readonly #send: SendLines;
  readonly #clock: ClientClock;
  readonly #chance: Chance;
  #lines: LogLine[] = [];
  #sizes: number[] = [];
  #bytes = 0;
  #lost = 0;
  #cancel = () => {};
  #waiting: (() => void)[] = [];
  #sending: Promise<void> | null = null;
  #closed = false;

  constructor(send: SendLines, clock: ClientClock, chance: Chance) {
    this.#send = send;
    this.#clock = clock;
    this.#chance = chance;
  }

  /** Appends text. Resolves when there is room for more. */
  add(text: string, stream: string): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const at = this.#clock.now();
    for (const piece of storable(text).match(PIECES) ?? ['']) this.#push({ at, stream, text: piece });
    if (this.#lines.length >= CHUNK_LINES || this.#bytes >= CHUNK_BYTES) this.#start();
    else if (this.#sending === null && this.#lines.length === 1) {
      this.#cancel = this.#clock.after(GATHER_MS, () => this.#start());
    }
    if (this.#bytes < FULL_BYTES) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends what is left. Never rejects. */
  async end(): Promise<void> {
    this.#cancel();
    while (this.#lines.length > 0 || this.#sending !== null) {
      this.#start();
      await this.#sending;
    }
  }

  /** The run has lost its authority: what it prints from now on is nobody's. */
  close(): void {
    this.#closed = true;
    this.#cancel();
    this.#take(this.#lines.length);
  }

  #push(line: LogLine): void {
    const size = new TextEncoder().encode(JSON.stringify(line)).length;
    if (this.#bytes + size > 2 * FULL_BYTES) {
      this.#lost++;
      return;
    }
    this.#lines.push(line);
    this.#sizes.push(size);
    this.#bytes += size;
  }

  #start(): void {
    this.#cancel();
    if (this.#lines.length === 0) return;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#lines.length > 0) {
      const lines = this.#chunk();
      const sent = await this.#try(lines);
      if (sent === 'refused') return this.close();
      if (sent === 'lost') this.#lost += lines.length;
      if (sent === 'sent' && this.#lost > 0) {
        const text = `[${this.#lost} lines of this log were lost: the server did not take them in time]`;
        this.#lost = 0;
        this.#push({ at: this.#clock.now(), stream: 'baton', text });
      }
    }
  }

  #chunk(): readonly LogLine[] {
    let count = 0;
    for (let bytes = 0; count < Math.min(this.#lines.length, CHUNK_LINES); count++) {
      bytes += this.#sizes[count] ?? 0;
      if (count > 0 && bytes > CHUNK_BYTES) break;
    }
    return this.#take(count);
  }

  /** Removes the first `count` lines and lets those go on who waited for room. */
  #take(count: number): LogLine[] {
    const lines = this.#lines.splice(0, count);
    for (const size of this.#sizes.splice(0, count)) this.#bytes -= size;
    if (this.#bytes < FULL_BYTES) for (const go of this.#waiting.splice(0)) go();
    return lines;
  }

  async #try(lines: readonly LogLine[]): Promise<'sent' | 'lost' | 'refused'> {
    // One key for all attempts: a chunk whose answer was lost is not stored twice.
    const key = unlikelyTwice(this.#chance);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        await this.#send(lines, key);
        return 'sent';
      } catch (error) {
        if (error instanceof RemoteError && WITHOUT_AUTHORITY.has(error.code)) return 'refused';
        if (!isRetryable(error)) return 'lost';
        if (attempt < ATTEMPTS - 1) await pause(this.#clock, reconnectDelay(attempt, this.#chance));
        if (this.#closed) return 'refused';
      }
    }
    return 'lost';
  }
}
