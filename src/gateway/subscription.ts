/**
 * One subscription of a session: the sink the router writes to, and the slow reader's policy (protocol section 6).
 *
 * - SB1 `prev` is what was sent last on this subscription, so a reader sees that nothing in between was *sent*.
 * - SB2 A state topic of a slow reader conflates: of each actor the latest change is kept and sent in order of seq.
 * - SB3 A journal topic never conflates: past the limit it is reset and over, and the reader goes on from its cursor.
 * - SB4 What a reader costs – the buffer, what is held back, the next frame – stays below MOST_BYTES.
 *
 * Modes: *open* (changes go out), *holding* (entered when the buffer is past SLOW_BYTES, left when it has drained and
 * everything held was sent), *over* (unsubscribed, reset or closed: every call is ignored).
 */
import type { Published, Sink } from '../supervisor/router.ts';
import type { ChangeFrames } from './change-frames.ts';
import { type Held, MOST_BYTES, type Outbox } from './outbox.ts';

/** Bytes of items in one snapshot frame: the rest is paged by HTTP (`more`). */
const SNAPSHOT_BYTES = 4 * 1024 * 1024;

export interface SubscriptionOptions {
  readonly id: string;
  readonly since: number | null;
  /** A journal topic: numbered by version, without views, never conflated. */
  readonly journal: boolean;
  /** Operators see stamps. */
  readonly stamp: boolean;
  readonly outbox: Outbox;
  readonly frames: ChangeFrames;
  /** It is over without having been unsubscribed: its room is free. */
  readonly ended: () => void;
}

export class Subscription implements Sink, Held {
  readonly #id: string;
  readonly #since: number | null;
  readonly #journal: boolean;
  readonly #stamp: boolean;
  readonly #outbox: Outbox;
  readonly #frames: ChangeFrames;
  readonly #ended: () => void;
  readonly #pending = new Map<string, { readonly p: Published; readonly bytes: number }>();
  #pendingBytes = 0;
  #prev = 0;
  #over = false;
  #answered = false;
  #close: (() => void) | null = null;

  constructor(options: SubscriptionOptions) {
    this.#id = JSON.stringify(options.id);
    this.#since = options.since;
    this.#journal = options.journal;
    this.#stamp = options.stamp;
    this.#outbox = options.outbox;
    this.#frames = options.frames;
    this.#ended = options.ended;
  }

  /** Its `ok` was sent. */
  get answered(): boolean {
    return this.#answered;
  }

  /** What ends it at its source. It may be over already: then that is called at once. */
  bound(close: () => void): void {
    if (this.#over) close();
    else this.#close = close;
  }

  opened(to: { recovered: boolean; seq: number }): void {
    if (this.#over) return;
    this.#answered = true;
    // A journal that could not be resumed is sent from its first version on: nothing was before that.
    this.#prev = to.recovered ? (this.#since ?? 0) : this.#journal ? 0 : to.seq;
    this.#outbox.send(`{"t":"ok","id":${this.#id},"recovered":${to.recovered},"seq":${to.seq}}`);
  }

  snapshot(s: { seq: number; items: readonly string[]; more: boolean }): void {
    if (this.#over) return;
    this.#prev = s.seq;
    let bytes = 0;
    let count = 0;
    for (; count < s.items.length; count++) {
      bytes += Buffer.byteLength(s.items[count] as string);
      if (bytes > SNAPSHOT_BYTES && count > 0) break;
    }
    const items = count === s.items.length ? s.items : s.items.slice(0, count);
    const more = s.more || items !== s.items;
    this.#outbox.send(
      `{"t":"snapshot","sub":${this.#id},"seq":${s.seq},"items":[${items.join(',')}],"more":${more}}`,
    );
  }

  change(p: Published): void {
    if (this.#over) return;
    if (this.#pending.size === 0 && this.#outbox.roomy) this.#send(p);
    else if (this.#journal) this.reset('slow');
    else this.#hold(p);
  }

  reset(reason: 'moved' | 'draining' | 'slow'): void {
    if (this.#over) return;
    this.end();
    this.#outbox.send(`{"t":"reset","sub":${this.#id},"reason":"${reason}"}`);
    this.#ended();
  }

  drain(): boolean {
    for (const [actorId, held] of this.#pending) {
      if (!this.#outbox.roomy) return false;
      this.#pending.delete(actorId);
      this.#pendingBytes -= held.bytes;
      this.#send(held.p);
    }
    return this.#pending.size === 0;
  }

  /** Over, silently: unsubscribed, or the connection is gone. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pending.clear();
    this.#pendingBytes = 0;
    this.#outbox.release(this);
    this.#close?.();
    this.#close = null;
  }

  #send(p: Published): void {
    const prev = this.#prev;
    this.#prev = this.#journal ? p.version : p.seq;
    this.#outbox.send(this.#frames.frame(p, this.#id, prev, !this.#journal, this.#stamp));
  }

  #hold(p: Published): void {
    const before = this.#pending.get(p.actorId);
    if (before !== undefined) {
      // Taken out and put in again: the map stays in order of seq.
      this.#pending.delete(p.actorId);
      this.#pendingBytes -= before.bytes;
    }
    const bytes = Buffer.byteLength(p.text({ view: true, stamp: this.#stamp }));
    this.#pending.set(p.actorId, { p, bytes });
    this.#pendingBytes += bytes;
    if (this.#outbox.buffered + this.#pendingBytes > MOST_BYTES) this.reset('slow');
    else this.#outbox.hold(this);
  }
}
