/**
 * Requests that wait for an answer on one client. A *repeatable* one (it carries a key, a claimId, or changes nothing)
 * survives the loss of the connection and a refusal that is retryable: it is sent again until its time is up. Any other
 * is rejected then, because nobody knows whether it was accepted.
 */
import { reconnectDelay } from './backoff.ts';
import { type Chance, type ClientClock, pause } from './clock.ts';
import type { OkFrame } from './frames.ts';
import { type RemoteError, remoteError, unanswered } from './remote-error.ts';

interface Pending {
  readonly frame: Readonly<Record<string, unknown>>;
  readonly repeatable: boolean;
  /** Refusals so far, for the delay before it is sent again. */
  refusals: number;
  cancelTimeout: () => void;
  resolve(ok: OkFrame): void;
  reject(error: RemoteError): void;
}

export class Requests {
  readonly #pending = new Map<string, Pending>();
  readonly #clock: ClientClock;
  readonly #chance: Chance;
  readonly #send: (frame: object) => boolean;
  #next = 1;
  #over: RemoteError | null = null;

  constructor(clock: ClientClock, chance: Chance, send: (frame: object) => boolean) {
    this.#clock = clock;
    this.#chance = chance;
    this.#send = send;
  }

  /** Sends `frame` with an id of its own (unless it has one); resolves with its `ok`, rejects with a RemoteError. */
  ask(
    frame: Readonly<Record<string, unknown>>,
    { timeoutMs, repeatable }: { timeoutMs: number; repeatable: boolean },
  ): Promise<OkFrame> {
    return new Promise((resolve, reject) => {
      if (this.#over !== null) return reject(this.#over);
      const id = typeof frame.id === 'string' ? frame.id : `r${this.#next++}`;
      const cancelTimeout = this.#clock.after(timeoutMs, () => {
        this.#pending.delete(id);
        reject(
          unanswered(
            `No answer to ${String(frame.t)} within ${timeoutMs} ms.`,
            'Send it again with the same key: a repeat changes nothing.',
          ),
        );
      });
      const pending = { frame, repeatable, refusals: 0, cancelTimeout, resolve, reject };
      this.#pending.set(id, pending);
      if (!this.#send({ ...frame, id }) && !repeatable) this.#fail(id, pending, notConnected());
    });
  }

  answered(ok: OkFrame): void {
    const pending = this.#take(ok.id);
    pending?.resolve(ok);
  }

  refused(frame: { id?: string } & Record<string, unknown>): void {
    const pending = frame.id === undefined ? undefined : this.#pending.get(frame.id);
    if (pending === undefined) return;
    const id = frame.id as string;
    const error = remoteError(frame);
    if (!error.retryable || !pending.repeatable) {
      this.#fail(id, pending, error);
      return;
    }
    const inMs = error.retryAfterMs ?? reconnectDelay(pending.refusals++, this.#chance);
    void pause(this.#clock, inMs).then(() => {
      if (this.#pending.get(id) === pending) this.#send({ ...pending.frame, id });
    });
  }

  /** The connection is open again: what could be repeated is. */
  reopened(): void {
    for (const [id, pending] of this.#pending) this.#send({ ...pending.frame, id });
  }

  /** The connection is gone: what cannot be repeated is rejected. */
  lost(): void {
    for (const [id, pending] of this.#pending) {
      if (!pending.repeatable) {
        const what = 'The connection was lost before the answer; whether it was accepted is not known.';
        this.#fail(id, pending, unanswered(what, 'Read the issue again before repeating it.'));
      }
    }
  }

  /** Nothing will be answered any more. */
  end(error: RemoteError): void {
    this.#over = error;
    for (const [id, pending] of this.#pending) this.#fail(id, pending, error);
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.cancelTimeout();
    return pending;
  }

  #fail(id: string, pending: Pending, error: RemoteError): void {
    this.#take(id);
    pending.reject(error);
  }
}

function notConnected(): RemoteError {
  return unanswered('Not connected at the moment.', 'It is tried again by itself; send it after that.');
}
