/**
 * Everything that waits longer than it should, for the page and for the number in the navigation. All issues that can wait
 * are read once, then kept by the changes of the company; which of them are stuck is judged anew every few seconds,
 * because waiting too long is no event.
 *
 * A company in which very many issues wait is not read for a number alone: only the page does that.
 */
import { computed, effect, signal } from '@preact/signals';
import type { Change, Client, Company, Subscription } from '../../../src/client/index.ts';
import { whole } from '../../../src/client/put-aside.ts';
import { type Stuck, stuckSince, WAITING_STATES } from '../../../src/client/stuck.ts';
import type { IssueView, WhyCode } from '../../../src/machines/view.ts';
import { agentOf, readAgents } from '../agents/roster.ts';
import { every, tick } from '../clock.ts';
import { client, company, link } from '../session.ts';

export interface StuckIssue extends Stuck {
  issue: IssueView;
}
type Phase =
  | { is: 'reading'; read: number; of: number }
  | { is: 'ready' }
  /** `of` issues wait: too many to read unasked. */
  | { is: 'unasked'; of: number }
  | { is: 'failed'; why: string };

/** Read without being asked, at most. */
const UNASKED = 3000;
/** Read at all, at most: more would be no help to anybody. */
const MOST = 50_000;
const JUDGE_MS = 2000;
/** Whether an agent is paused or without a worker decides why its queue waits. */
const AGENTS_MS = 10_000;

export const phase = signal<Phase>({ is: 'reading', read: 0, of: 0 });
const waiting = new Map<string, IssueView>();
const judged = signal<readonly StuckIssue[]>([]);

/** By reason, the most urgent first; within it what waits longest first. */
export const stuck = computed(() => judged.value);
/** For the navigation; null: not known. */
export const stuckCount = computed(() => (phase.value.is === 'ready' ? judged.value.length : null));

const wanted = signal(false);

/** The page is open: it is worth reading all of it. */
export function wantStuck(): void {
  if (phase.peek().is !== 'ready') wanted.value = true;
}

function judge(): void {
  const now = tick.peek();
  const found: StuckIssue[] = [];
  for (const issue of waiting.values()) {
    // Its lease is renewed by heartbeats, which are no changes: what is held here is the lease it began with.
    if (issue.substate === 'executing') continue;
    const is = stuckSince(issue, now, { reason: reasonNow(issue) });
    if (is !== null) found.push({ ...is, issue });
  }
  found.sort((a, b) => a.since - b.since);
  const before = judged.peek();
  const isSame =
    found.length === before.length &&
    found.every((one, i) => one.issue === before[i]?.issue && one.reason === before[i]?.reason);
  if (!isSame) judged.value = found;
}

/** A queued issue's view says why as of its version; its agent may have changed since. */
function reasonNow(issue: IssueView): WhyCode {
  const agent = agentOf(issue.assigneeAgentId);
  if (issue.substate !== 'queued' || agent === undefined || issue.why.code === 'quarantined')
    return issue.why.code;
  if (agent.status === 'paused') return 'agent_paused';
  if (agent.status === 'terminated') return 'agent_terminated';
  // A worker that is busy with fewer runs than the agent may have asks for no more, and is there all the same.
  return agent.slots.held === 0 && !agent.slots.online ? 'agent_offline' : 'waiting_for_slot';
}

/** Begins, and begins anew for another company or connection. Called once, by the shell. */
export function watchStuck(): () => void {
  return effect(() => {
    const { value: from } = client;
    const { value: of } = company;
    if (from === null || of === null) return;
    const watch = new Watch(from, of, wanted.value);
    return () => watch.close();
  });
}

class Watch {
  readonly #client: Client;
  readonly #company: Company;
  /** Numbers by id: one whose stored state cannot be read does not say what it is called. */
  #numbers = new Map<string, number>();
  readonly #isWanted: boolean;
  readonly #ends: (() => void)[] = [];
  #subscription: Subscription | null = null;
  #isOver = false;

  constructor(from: Client, of: Company, isWanted: boolean) {
    this.#client = from;
    this.#company = of;
    this.#isWanted = isWanted;
    waiting.clear();
    judged.value = [];
    phase.value = { is: 'reading', read: 0, of: 0 };
    this.#ends.push(every(JUDGE_MS, judge));
    this.#ends.push(
      every(AGENTS_MS, () => {
        if (link.peek().is === 'open' && !document.hidden) void readAgents(from, of.id).catch(() => {});
      }),
    );
    // What could not be read is read when the connection is back.
    this.#ends.push(from.on('open', () => void (phase.peek().is === 'failed' && this.#read())));
    void this.#read();
  }

  close(): void {
    this.#isOver = true;
    for (const end of this.#ends) end();
    this.#subscription?.close();
  }

  async #read(): Promise<void> {
    try {
      const { seq, numbers, ids } = await this.#client.http.call<{
        seq: number;
        numbers: number[];
        ids: string[];
      }>('GET', `/companies/${this.#company.id}/issues/index`, { query: { state: WAITING_STATES } });
      if (this.#isOver) return;
      this.#numbers = new Map(ids.map((id, at) => [id, numbers[at] ?? 0]));
      phase.value = { is: 'reading', read: 0, of: Math.min(numbers.length, MOST) };
      if (numbers.length > UNASKED && !this.#isWanted) {
        phase.value = { is: 'unasked', of: numbers.length };
        return;
      }
      await this.#follow(seq);
      await this.#page(Math.min(numbers.length, MOST));
      if (this.#isOver) return;
      phase.value = { is: 'ready' };
      judge();
    } catch (error) {
      if (!this.#isOver) phase.value = { is: 'failed', why: String((error as Error).message) };
    }
  }

  async #follow(since: number): Promise<void> {
    if (this.#subscription !== null) return;
    const subscription = await this.#client.subscribe(
      `company:${this.#company.id}`,
      { where: { state: [...WAITING_STATES] }, since },
      {
        // The server could not resume: whatever changed meanwhile is read again.
        snapshot: () => void this.#page(MOST).then(judge, () => {}),
        change: (change) => this.#saw((change as Change).issue),
      },
    );
    if (this.#isOver) subscription.close();
    else this.#subscription = subscription;
  }

  async #page(of: number): Promise<void> {
    let read = 0;
    for await (const issue of this.#client.http.issues(this.#company.id, {
      state: WAITING_STATES,
      limit: 500,
    })) {
      if (this.#isOver || ++read > of) return;
      this.#saw(issue);
      if (read % 500 === 0 && phase.peek().is === 'reading') phase.value = { is: 'reading', read, of };
    }
  }

  #saw(issue: IssueView | undefined): void {
    if (issue === undefined || this.#isOver) return;
    const before = waiting.get(issue.id);
    if (before !== undefined && before.version > issue.version) return;
    const canWait = (WAITING_STATES as readonly string[]).includes(issue.state);
    const called = () => `${this.#company.prefix}-${this.#numbers.get(issue.id) ?? 0}`;
    if (canWait) waiting.set(issue.id, whole(issue, called));
    else waiting.delete(issue.id);
  }
}
