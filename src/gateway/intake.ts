/**
 * Whose frame is taken next. One read of a socket brings up to 64 KiB: a client that sends hundreds of frames at once
 * would have all of them answered before anybody else is looked at, and eight such clients made everybody wait for eight
 * reads. So a pass of the event loop spends at most `SLICE_MS` on frames; what is left waits, and is taken round robin, a
 * frame of each connection at a time.
 *
 * - IN1 The frames of one connection are taken in the order they came, and its end after them.
 * - IN2 A connection that has nothing waiting has one frame taken at once in every pass, however busy the others are.
 * - IN3 While something of a connection waits, nothing more is read from it: what waits is bounded by one read.
 *
 * Nothing is refused here, so no well-behaved client loses by it; what limits rates is in rate.ts.
 */
import type { Clock } from '../clock.ts';

/** Time of one pass for frames, ms: some ten of them, so that a pass still makes one commit and one write of many. */
const SLICE_MS = 0.5;

/** The side of a socket that can be told not to read for a while. */
export interface Source {
  pause(): void;
  resume(): void;
}

export class Intake {
  readonly #clock: Clock;
  /** Connections with something waiting, in the order of their turns. */
  #queue: Inbox[] = [];
  /** Counts passes: by it an inbox knows whether it had its frame in this one. */
  #pass = 0;
  #passSince = 0;
  #armed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  inbox(source: Source): Inbox {
    return new Inbox(this, source);
  }

  /** @internal Takes it now where that keeps nobody waiting; else `inbox` is to keep it. */
  admits(inbox: Inbox): boolean {
    if (!this.#armed) this.#arm();
    if (inbox.servedIn !== this.#pass) {
      inbox.servedIn = this.#pass;
      return true;
    }
    return this.#clock.monotonic() - this.#passSince < SLICE_MS;
  }

  /** @internal One that was not admitted: the pass is armed already. */
  enqueue(inbox: Inbox): void {
    this.#queue.push(inbox);
  }

  #arm(): void {
    this.#armed = true;
    this.#pass += 1;
    this.#passSince = this.#clock.monotonic();
    setImmediate(() => this.#serve());
  }

  /** What waited, round after round, until the slice is over; at least one frame. */
  #serve(): void {
    this.#armed = false;
    if (this.#queue.length === 0) return;
    this.#arm();
    do {
      const round = this.#queue;
      this.#queue = [];
      for (let n = 0; n < round.length; n++) {
        const inbox = round[n]!;
        inbox.servedIn = this.#pass;
        if (inbox.takeOne()) this.#queue.push(inbox);
        if (this.#clock.monotonic() - this.#passSince >= SLICE_MS) {
          this.#queue = [...round.slice(n + 1), ...this.#queue];
          return;
        }
      }
    } while (this.#queue.length > 0);
  }
}

/** What came in on one connection and was not taken yet. */
export class Inbox {
  readonly #intake: Intake;
  readonly #source: Source;
  readonly #waiting: (() => void)[] = [];
  /** How many of `#waiting` were taken: shifting a long array would cost its length each time. */
  #taken = 0;
  /** @internal The pass in which it last had a frame taken. */
  servedIn = -1;

  /** @internal */
  constructor(intake: Intake, source: Source) {
    this.#intake = intake;
    this.#source = source;
  }

  /** Something came in: `take` is called now or when its turn comes. It must not throw. */
  push(take: () => void): void {
    if (this.#waiting.length === 0 && this.#intake.admits(this)) {
      take();
      return;
    }
    if (this.#waiting.push(take) > 1) return;
    this.#source.pause();
    this.#intake.enqueue(this);
  }

  /** @internal True: more waits. */
  takeOne(): boolean {
    const take = this.#waiting[this.#taken]!;
    this.#taken += 1;
    const more = this.#taken < this.#waiting.length;
    if (!more) {
      this.#waiting.length = 0;
      this.#taken = 0;
      this.#source.resume();
    }
    take();
    return more;
  }
}
