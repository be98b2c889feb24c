/** HTTP requests being answered, so that a stop knows when the last one is. Upgraded connections are not among them. */
import type { FastifyInstance } from 'fastify';

export class InFlight {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** Counts the requests of `app`; must come before the hooks that may answer one. */
  watch(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      if (request.ws) return;
      this.#count += 1;
      // Comes after the answer and after a client that went away alike; fastify's onResponse only after the answer.
      reply.raw.once('close', () => {
        this.#count -= 1;
        if (this.#count === 0) for (const done of this.#waiting.splice(0)) done();
      });
    });
  }

  /** Resolves when no request is being answered. */
  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
