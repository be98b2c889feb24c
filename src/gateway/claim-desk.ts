/**
 * A session's claims (protocol section 6): long polls that are answered with grants, and the way `stop` frames reach the
 * worker. Every claim still waiting is withdrawn when the connection closes; a grant already made stands.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { Random } from '../clock.ts';
import { BatonError } from '../errors.ts';
import type { Router, WorkerSession } from '../supervisor/router.ts';
import type { Principal } from './auth.ts';
import type { Homes } from './homes.ts';
import type { Outbox } from './outbox.ts';
import { badFields, notFound, refused } from './problem.ts';
import type { ClaimFrame } from './protocol.ts';

/** Claims that may wait at once on one connection: more than any worker has slots. */
const MOST_CLAIMS = 256;

export interface ClaimDeskOptions {
  readonly principal: Principal;
  readonly router: Router;
  readonly homes: Homes;
  readonly random: Random;
  readonly outbox: Outbox;
  readonly log: FastifyBaseLogger;
}

export class ClaimDesk {
  readonly #options: ClaimDeskOptions;
  readonly #worker: WorkerSession;
  readonly #attached = new Map<string, Promise<{ detach(): void }>>();
  /** Request ids of claims not answered yet. */
  readonly #waiting = new Map<string, { withdraw(): void }>();
  #over = false;

  constructor(options: ClaimDeskOptions) {
    this.#options = options;
    this.#worker = { send: (frame) => options.outbox.send(JSON.stringify(frame)) };
  }

  /** Registers this connection for the frames owed to an agent's workers. Once per agent. */
  attach(agentId: string): void {
    if (this.#attached.has(agentId)) return;
    const attached = this.#options.router.attach(agentId, this.#worker);
    this.#attached.set(agentId, attached);
    attached.catch((error: unknown) => {
      // The next claim, or the next connection, tries again; stops to come reach the session by its grants.
      this.#attached.delete(agentId);
      this.#options.log.warn({ err: error, agentId }, 'a worker session could not be attached');
    });
  }

  /** Answers `{ grants }` itself. @throws BatonError FORBIDDEN, VALIDATION, NOT_FOUND, or what the router says. */
  async claim(frame: ClaimFrame): Promise<void> {
    const { principal, router, homes, random, outbox } = this.#options;
    const { id, claimId = random.secret(16), max = 1, waitMs = 0 } = frame;
    const pool = frame.agentId ?? principal.agentId;
    if (principal.role === 'viewer') throw new BatonError('FORBIDDEN', 'A viewer only reads.');
    if (pool === null) {
      throw badFields([{ path: 'agentId', message: 'an operator says for which agent it claims' }]);
    }
    if (this.#waiting.has(id)) throw badFields([{ path: 'id', message: 'a claim of this id is waiting' }]);
    if (this.#waiting.size >= MOST_CLAIMS) {
      throw new BatonError('VALIDATION', `At most ${MOST_CLAIMS} claims wait at once on a connection.`);
    }
    this.#waiting.set(id, { withdraw() {} });
    try {
      const companyId = await homes.companyOf(pool, 'a', principal.companyId);
      if (companyId === null) throw notFound('agent');
      if (principal.agentId !== null && pool !== principal.agentId) {
        throw new BatonError('FORBIDDEN', 'An agent acts only for itself.');
      }
      if (this.#over) return;
      this.attach(pool);
      const session = this.#worker;
      const { answer, withdraw } = router.claim({ pool, companyId, claimId, max, waitMs, session });
      this.#waiting.set(id, { withdraw });
      const claimed = await answer;
      if (claimed.is !== 'granted') throw refused(claimed);
      outbox.send(`{"t":"ok","id":${JSON.stringify(id)},"grants":[${claimed.grants.join(',')}]}`);
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** The connection is gone. */
  close(): void {
    this.#over = true;
    for (const claim of this.#waiting.values()) claim.withdraw();
    this.#waiting.clear();
    for (const attached of this.#attached.values()) attached.then((to) => to.detach()).catch(() => {});
    this.#attached.clear();
  }
}
