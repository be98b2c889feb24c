/**
 * The advisory lock of a node: a *hint* that its process lives, nothing more (guarantees.md, Fencing). A connection of
 * its own holds it; when the process dies the server frees it within milliseconds, and others need not wait for the
 * TTL. Ownership is the epoch alone: a lock lost by a broken connection costs at most a needless, safe takeover, and the
 * node that lost it hears so at once and serves nothing until it knows what is still its own.
 */
import pg from 'pg';
import { connection, type DatabaseOptions } from './pool.ts';

/** First key of the locks, so that other users of the database are not met: "bato" in ASCII. */
export const LOCK_CLASS = 0x6261746f;

type State =
  | { is: 'free' }
  | { is: 'taking'; node: string; outcome: Promise<boolean> }
  | { is: 'held'; node: string; client: pg.Client }
  | { is: 'closed' };

export class NodeLock {
  readonly #options: DatabaseOptions;
  #state: State = { is: 'free' };
  #told: () => void = () => {};

  constructor(options: DatabaseOptions) {
    this.#options = options;
  }

  /** Hears when the lock was lost under us. */
  onLost(listener: () => void): void {
    this.#told = listener;
  }

  /** Whether the lock of `node` is held now, as far as is known here. */
  holds(node: string): boolean {
    return this.#state.is === 'held' && this.#state.node === node;
  }

  /** Takes the lock of `node` unless it is held. Answers whether it is held now; never throws. */
  async hold(node: string): Promise<boolean> {
    if (this.#state.is === 'taking') {
      if (this.#state.node === node) return this.#state.outcome;
      await this.#state.outcome;
    }
    const state = this.#state;
    if (state.is === 'closed') return false;
    if (state.is === 'held') {
      if (state.node === node) return true;
      this.#state = { is: 'free' };
      await state.client.end().catch(() => {});
    }
    const outcome = this.#take(node);
    this.#state = { is: 'taking', node, outcome };
    return outcome;
  }

  async #take(node: string): Promise<boolean> {
    const client = new pg.Client(connection(this.#options));
    client.on('error', (error) => this.#options.onTrouble?.(error));
    client.once('end', () => this.#lost(client));
    try {
      await client.connect();
      const answer = await client.query<{ held: boolean }>(
        'select pg_try_advisory_lock($1, hashtext($2)) as held',
        [LOCK_CLASS, node],
      );
      if (answer.rows[0]?.held !== true) throw new Error('another session holds the lock');
    } catch {
      client.end().catch(() => {});
      if (this.#state.is === 'taking') this.#state = { is: 'free' };
      return false;
    }
    if (this.#closed()) {
      await client.end().catch(() => {});
      return false;
    }
    this.#state = { is: 'held', node, client };
    return true;
  }

  #closed(): boolean {
    return this.#state.is === 'closed';
  }

  /**
   * The connection ended under us: whoever looks now takes us for gone. It is told, so that a beat says that we live, and
   * the lock is taken again.
   */
  #lost(client: pg.Client): void {
    const state = this.#state;
    if (state.is !== 'held' || state.client !== client) return;
    this.#state = { is: 'free' };
    this.#told();
    void this.hold(state.node);
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { is: 'closed' };
    if (state.is === 'taking') await state.outcome;
    if (state.is === 'held') await state.client.end().catch(() => {});
  }
}
