/**
 * The people of a log as agents: one agent with 50 slots for each assignee, one worker session with a key of its own for
 * each agent. A worker does nothing by itself: it holds a run until the player says how it ends.
 */

import type { EventAnswer } from '../../client/client.ts';
import type { HttpApi } from '../../client/http.ts';
import { TransientError, type Worker, worker } from '../../client/index.ts';
import type { RunOutcome, RunResult } from '../../client/run-outcome.ts';
import type { Clock, Random } from '../../clock.ts';
import { atOnce } from './at-once.ts';

/** Most slots an agent may have (domain.md section 1). */
const SLOTS = 50;
/** Agents, keys and sessions are made so many at a time. */
const HIRING = 16;
/** A retry that waits for the next activity, whenever that is. */
const FAR_AWAY = '2100-01-01T00:00:00Z';

/** A granted run in a worker's hand: ends once, as the player says. */
export interface Hand {
  fail(): Promise<EventAnswer>;
  succeed(resolution: 'done' | 'open'): Promise<EventAnswer>;
}

interface Held {
  settle(result: RunResult): void;
  fail(error: Error): void;
  ended: Promise<RunOutcome>;
}

export class Crew {
  /** Assignee's name → agent id. */
  readonly agents = new Map<string, string>();
  readonly #workers: Worker[] = [];
  readonly #held = new Map<string, Held>();
  readonly #waiting = new Map<string, (held: Held) => void>();
  readonly #outcomes = new Map<string, (outcome: RunOutcome) => void>();

  async hire(
    names: readonly string[],
    at: { http: HttpApi; url: string; companyId: string; clock: Clock; chance: Random },
    hired: (n: number) => void,
  ): Promise<void> {
    const { http, url, companyId, clock, chance } = at;
    await atOnce(HIRING, names, async (name) => {
      const settings = { name, adapterType: 'process', maxConcurrentRuns: SLOTS, wakeOnDemand: false };
      const agent = await http.createAgent(companyId, settings);
      const key = await http.createKey(companyId, { role: 'agent', agentId: agent.id, name: 'replay' });
      const working = await worker({
        url,
        token: key.token ?? null,
        slots: SLOTS,
        clock,
        chance,
        run: (grant, { signal }) => this.#hold(grant.run.id, signal),
        ended: (grant, outcome) => this.#outcomes.get(grant.run.id)?.(outcome),
      });
      this.agents.set(name, agent.id);
      this.#workers.push(working);
      hired(this.#workers.length);
    });
  }

  /** Resolves when the run has been granted to its worker. Rejects when `signal` aborts first. */
  async granted(runId: string, signal: AbortSignal): Promise<Hand> {
    const held = this.#held.get(runId) ?? (await this.#offer(runId, signal));
    const outcome = async () => {
      const ended = await held.ended;
      this.#held.delete(runId);
      if (ended.is === 'succeeded' || ended.is === 'failed') return ended.answer;
      throw new Error(ended.is === 'refused' ? ended.error.message : 'the run was stopped');
    };
    return {
      fail: () => {
        held.fail(new TransientError('waiting for somebody else', { retryNotBefore: FAR_AWAY }));
        return outcome();
      },
      succeed: (resolution) => {
        held.settle({ resolution });
        return outcome();
      },
    };
  }

  /** Hangs up. Runs still in hand are lost to their leases, as those of any worker that goes away. */
  close(): void {
    for (const { client } of this.#workers) client.close();
  }

  #hold(runId: string, signal: AbortSignal): Promise<RunResult> {
    return new Promise((settle, fail) => {
      const ended = new Promise<RunOutcome>((resolve) => {
        this.#outcomes.set(runId, (outcome) => {
          this.#outcomes.delete(runId);
          resolve(outcome);
        });
      });
      const held = { settle, fail, ended };
      signal.addEventListener('abort', () => {
        this.#held.delete(runId);
        settle({});
      });
      this.#held.set(runId, held);
      this.#waiting.get(runId)?.(held);
    });
  }

  #offer(runId: string, signal: AbortSignal): Promise<Held> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.delete(runId);
        reject(signal.reason);
      };
      this.#waiting.set(runId, (held) => {
        this.#waiting.delete(runId);
        signal.removeEventListener('abort', giveUp);
        resolve(held);
      });
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
