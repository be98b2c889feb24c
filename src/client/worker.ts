/**
 * The worker loop: claims up to `slots` runs by long poll, carries each out, heartbeats while it lives, obeys stops,
 * reports how it ended.
 *
 *     working ──close()──► draining ──last run over──► closed
 *        └── refused for good (revoked key) ──────────► closed
 *
 * Invariants: 1 one claim is outstanding at most, and only while a slot is free; 2 a grant that arrives while draining
 * is still carried out, because it is ours and nobody else will; 3 `stop` for a run this worker does not hold is
 * ignored: another worker of the agent may hold it.
 */
import type { GrantView } from '../machines/view.ts';
import { type Client, type ClientOptions, connect } from './client.ts';
import { browserSafeChance, browserSafeClock, pause } from './clock.ts';
import { Execution, type RunFunction, WORKER_CLOSED } from './execution.ts';
import { isRetryable, RemoteError } from './remote-error.ts';
import type { RunOutcome } from './run-outcome.ts';

export interface WorkerOptions extends ClientOptions {
  /**
   * Id or name of the agent. Not needed with an agent's own key. With an operator's token a key is made for this worker
   * and revoked when it closes.
   */
  agent?: string;
  /** Runs at once, 1..50. Default 1. */
  slots?: number;
  /** How long one claim waits at the server, 0..50,000 ms. Default 25,000. */
  waitMs?: number;
  run: RunFunction;
  /** Told how each run ended. */
  ended?(grant: GrantView, outcome: RunOutcome): void;
}

type State = 'working' | 'draining' | 'closed';

/** Between claims that failed for the moment. */
const CLAIM_AGAIN_MS = 1000;

/** Connects and starts to claim. Rejects as `connect` does, or NOT_FOUND when there is no such agent. */
export async function worker(options: WorkerOptions): Promise<Worker> {
  const client = await connect(options);
  if (client.principal.role === 'agent') return new Worker(client, options, null);
  try {
    const key = await keyFor(client, options.agent);
    const own = await connect({ ...options, token: key.token });
    return new Worker(own, options, async () => {
      await client.http.revokeKey(key.id).catch(() => {});
    });
  } finally {
    client.close();
  }
}

export class Worker {
  readonly client: Client;
  readonly #options: WorkerOptions;
  readonly #slots: number;
  readonly #active = new Map<string, Execution>();
  readonly #clean: (() => Promise<void>) | null;
  #state: State = 'working';
  #wake = () => {};
  #settle!: (error: RemoteError | null) => void;
  /** Resolves once it is closed; rejects when the server refused it for good. */
  readonly closed: Promise<void>;

  /** @internal Use `worker()`. */
  constructor(client: Client, options: WorkerOptions, clean: (() => Promise<void>) | null) {
    this.client = client;
    this.#options = options;
    this.#clean = clean;
    this.#slots = Math.min(50, Math.max(1, Math.trunc(options.slots ?? 1)));
    this.closed = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === null ? resolve() : reject(error));
    });
    this.closed.catch(() => {});
    client.on('stop', ({ runId, cause, graceMs }) => this.#active.get(runId)?.stop(cause, graceMs));
    client.on('closed', ({ error }) => this.#end(error));
    void this.#claims();
  }

  /** Runs in hand. */
  get active(): number {
    return this.#active.size;
  }

  /**
   * Stops claiming, lets the runs in hand finish and reports them, then closes the connection.
   * @param graceMs after so long the runs' signals are aborted; what they throw then is reported as transient, so that
   * the issues are retried. 0: at once, before this returns. Absent: they may take as long as they need
   */
  async close({ graceMs }: { graceMs?: number } = {}): Promise<void> {
    if (this.#state === 'working') this.#state = 'draining';
    const clock = this.#options.clock ?? browserSafeClock;
    const abort = () => {
      for (const run of this.#active.values()) run.stop(WORKER_CLOSED, 0);
    };
    let cancel = () => {};
    if (graceMs !== undefined && graceMs > 0) cancel = clock.after(graceMs, abort);
    else if (graceMs !== undefined) abort();
    this.#wake();
    this.#endIfDrained();
    await this.closed.finally(cancel);
  }

  async #claims(): Promise<void> {
    const clock = this.#options.clock ?? browserSafeClock;
    const chance = this.#options.chance ?? browserSafeChance;
    while (this.#state === 'working') {
      const free = this.#slots - this.#active.size;
      if (free === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        const waitMs = this.#options.waitMs ?? 25_000;
        for (const grant of await this.client.claim({ max: free, waitMs })) this.#take(grant);
      } catch (error) {
        if (!isRetryable(error)) return this.#end(error as RemoteError);
        await pause(clock, CLAIM_AGAIN_MS * (0.5 + chance.u()));
      }
    }
  }

  #take(grant: GrantView): void {
    // A repeated claim returns what it was granted, and that may be in hand already.
    if (this.#active.has(grant.run.id) || this.#state === 'closed') return;
    const { clock = browserSafeClock, chance = browserSafeChance } = this.#options;
    const execution = new Execution(grant, this.client, clock, chance);
    this.#active.set(grant.run.id, execution);
    void execution.carryOut(this.#options.run).then((outcome) => {
      this.#active.delete(grant.run.id);
      this.#options.ended?.(grant, outcome);
      this.#wake();
      this.#endIfDrained();
    });
  }

  #endIfDrained(): void {
    if (this.#state === 'draining' && this.#active.size === 0) this.#end(null);
  }

  #end(error: RemoteError | null): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#wake();
    for (const run of this.#active.values()) run.stop('fenced', 0);
    const clean = this.#clean?.() ?? Promise.resolve();
    void clean.then(() => {
      this.client.close();
      this.#settle(error);
    });
  }
}

async function keyFor(client: Client, agent: string | undefined): Promise<{ id: string; token: string }> {
  const { role, companyId } = client.principal;
  if (role !== 'operator' || agent === undefined) {
    throw new RemoteError(
      'VALIDATION',
      'A worker needs the key of an agent, or an operator token and `agent`.',
    );
  }
  const found = await findAgent(client, companyId, agent);
  if (found === null) throw new RemoteError('NOT_FOUND', `There is no agent ${agent}.`);
  const key = await client.http.createKey(found.companyId, {
    role: 'agent',
    agentId: found.id,
    name: 'worker',
  });
  return { id: key.id, token: key.token ?? '' };
}

async function findAgent(client: Client, companyId: string | null, agent: string) {
  if (companyId !== null) return inCompany(client, companyId, agent);
  for await (const company of client.http.companies()) {
    const found = await inCompany(client, company.id, agent);
    if (found !== null) return found;
  }
  return null;
}

async function inCompany(client: Client, companyId: string, agent: string) {
  for await (const a of client.http.agents(companyId)) {
    if ((a.id === agent || a.name === agent) && a.status !== 'terminated') return a;
  }
  return null;
}
