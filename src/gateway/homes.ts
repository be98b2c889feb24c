/**
 * Which company an actor belongs to. That never changes, so it is remembered: the check of tenants (P15) then costs no
 * read on the event path. What is not there is not remembered, because it may come to be.
 */
import { isId, partitionOf } from '../ids.ts';
import type { Router } from '../supervisor/router.ts';

/** Actors remembered; the oldest go. About 150 bytes each. */
const REMEMBERED = 50_000;

export class Homes {
  readonly #router: Router;
  readonly #companies = new Map<string, string>();

  constructor(router: Router) {
    this.#router = router;
  }

  /** The company of `id` if it is remembered. */
  known(id: string): string | undefined {
    return this.#companies.get(id);
  }

  /**
   * The company of an actor, or null when there is none with this id and letter, or it cannot be in `within`.
   * @param within the only company the asker may see; null: any.
   */
  async companyOf(id: string, letter: string, within: string | null): Promise<string | null> {
    if (!isId(id, letter)) return null;
    const known = this.#companies.get(id);
    if (known !== undefined && (within === null || known === within)) return known;
    if (within !== null && partitionOf(id) !== partitionOf(within)) return null;
    // Asked with one that never is, so that a foreign id – remembered, in memory or not – takes as long as a missing one.
    const [shown] = await Promise.all([this.#router.get(id), this.#router.get(noneBeside(id))]);
    if (shown === null) return null;
    this.learn(id, shown.companyId);
    return within === null || shown.companyId === within ? shown.companyId : null;
  }

  learn(id: string, companyId: string): void {
    if (this.#companies.size >= REMEMBERED) {
      const [oldest] = this.#companies.keys();
      if (oldest !== undefined) this.#companies.delete(oldest);
    }
    this.#companies.set(id, companyId);
  }
}

/** An id of the same letter and partition that nothing has: ids are random, or hashes. */
function noneBeside(id: string): string {
  return `${id.slice(0, 4)}${'0'.repeat(18)}`;
}
