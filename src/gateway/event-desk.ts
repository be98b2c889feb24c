/**
 * A session's events (protocol section 6): to the router and back. This is the hot path: what an event costs here, every
 * event costs, so nothing is parsed twice and an answer is put together from the router's own text.
 *
 * - ED1 Events of one connection reach the router in the order they came, also while the company of one of their issues
 *   is still being looked up: later ones go behind it.
 */
import { isId } from '../ids.ts';
import type { Router } from '../supervisor/router.ts';
import type { Principal } from './auth.ts';
import { acceptedFields, envelope, mayEvent } from './event-door.ts';
import type { Homes } from './homes.ts';
import type { Outbox } from './outbox.ts';
import { errorFrame, notFound, refused } from './problem.ts';
import type { EventFrame } from './protocol.ts';

export interface EventDeskOptions {
  readonly principal: Principal;
  readonly router: Router;
  readonly homes: Homes;
  readonly outbox: Outbox;
  /** Answers the request with what was thrown. */
  readonly failed: (id: string, error: unknown) => void;
  /** A defect of ours: the connection is closed. */
  readonly crashed: (error: unknown) => void;
}

export class EventDesk {
  readonly #options: EventDeskOptions;
  readonly #within: string | null;
  /** The last event that still waits for its place; null: the next one may go at once (ED1). */
  #behind: Promise<void> | null = null;
  #over = false;

  constructor(options: EventDeskOptions) {
    this.#options = options;
    this.#within = options.principal.companyId;
  }

  /** Sends an event; it is answered when the router has. */
  take(frame: EventFrame): void {
    const { homes } = this.#options;
    const { issueId } = frame;
    const isPlaced = this.#within === null ? isId(issueId, 'i') : homes.known(issueId) === this.#within;
    if (isPlaced && this.#behind === null) {
      this.#send(frame);
      return;
    }
    // Looked up now, so that look-ups go together; sent when it is its turn.
    const home = homes.companyOf(issueId, 'i', this.#within);
    const turn = Promise.allSettled([home, this.#behind]).then(([found]) => {
      if (this.#behind === turn) this.#behind = null;
      if (found.status === 'rejected') this.#options.failed(frame.id, found.reason);
      else if (found.value === null) this.#options.failed(frame.id, notFound('issue'));
      else this.#send(frame);
    });
    this.#behind = turn;
    turn.catch(this.#options.crashed);
  }

  /** The connection is gone: what waits is not sent; what was sent stands. */
  close(): void {
    this.#over = true;
  }

  #send({ id, issueId, event, key }: EventFrame): void {
    if (this.#over) return;
    const { principal, router, outbox, failed, crashed } = this.#options;
    try {
      mayEvent(principal, event.type);
    } catch (error) {
      failed(id, error);
      return;
    }
    router
      .send(envelope(principal, issueId, event, key))
      .then(
        (answer) => {
          if (answer.is === 'refused' || answer.is === 'retry') outbox.send(errorFrame(id, refused(answer)));
          else outbox.send(`{"t":"ok","id":${JSON.stringify(id)},${acceptedFields(answer)}}`);
        },
        (error: unknown) => failed(id, error),
      )
      .catch(crashed);
  }
}
