/**
 * Everything that stays open on the strength of a credential: sockets and long polls. When their key is revoked, or the
 * server stops, they must hear of it.
 *
 * - H1 Every two seconds one call asks the router for all keys in use at once, so a revoked key's holds end within five
 *   seconds, whichever node revoked it (guarantees.md, "credentials").
 * - H2 A sweep that fails is tried again two seconds later; holds are not ended for it.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Router } from '../supervisor/router.ts';

export interface Hold {
  /** Null: on the server's own token or local mode; only the end of the server ends it. */
  readonly keyId: string | null;
  /** Its key is no longer valid. Must not throw. */
  revoked(): void;
  /** The server is stopping. Must not throw. */
  drained(): void;
}

const SWEEP_MS = 2000;

export class Holds {
  readonly #router: Router;
  readonly #clock: Clock;
  readonly #log: FastifyBaseLogger;
  readonly #open = new Set<Hold>();
  #disarm: (() => void) | null = null;
  #over = false;

  constructor(options: { router: Router; clock: Clock; log: FastifyBaseLogger }) {
    this.#router = options.router;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Registers a hold; call the result when it has ended by itself. */
  add(hold: Hold): () => void {
    this.#open.add(hold);
    if (hold.keyId !== null) this.#arm();
    return () => this.#open.delete(hold);
  }

  /** Ends all holds of a key at once: it was revoked on this node. */
  revoke(keyId: string): void {
    for (const hold of [...this.#open]) {
      if (hold.keyId !== keyId) continue;
      this.#open.delete(hold);
      hold.revoked();
    }
  }

  /** Ends all holds: the server stops. */
  drain(): void {
    this.#over = true;
    this.#disarm?.();
    this.#disarm = null;
    for (const hold of [...this.#open]) hold.drained();
  }

  #arm(): void {
    if (this.#disarm !== null || this.#over) return;
    this.#disarm = this.#clock.after(SWEEP_MS, () => {
      this.#sweep()
        .catch((error: unknown) => this.#log.warn({ err: error }, 'revoked keys could not be looked up'))
        .finally(() => {
          this.#disarm = null;
          for (const hold of this.#open) if (hold.keyId !== null) return this.#arm();
        });
    });
  }

  async #sweep(): Promise<void> {
    const ids = new Set<string>();
    for (const { keyId } of this.#open) if (keyId !== null) ids.add(keyId);
    if (ids.size === 0) return;
    for (const id of await this.#router.revoked([...ids])) this.revoke(id);
  }
}
