/**
 * What an operator asks of issues, and how it went. Nothing is shown as done before the server has committed it: until
 * then an issue is *pending*; a refusal says the server's code and hint and, where the issue has moved on, what it is now.
 */
import { signal } from '@preact/signals';
import type { Client, RemoteError } from '../../../src/client/index.ts';
import type { IssueEvent } from '../../../src/machines/events.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { pageClock } from '../clock.ts';

export type Ask =
  | { is: 'cancel' }
  | { is: 'retry-now' }
  /** Null: nobody. */
  | { is: 'assign'; agentId: string | null };

export const WORDS: Readonly<Record<Ask['is'], { verb(what: string): string; doing: string; done: string }>> =
  {
    cancel: { verb: (what) => `Cancel ${what}`, doing: 'cancelling', done: 'cancelled' },
    'retry-now': { verb: (what) => `Retry ${what} now`, doing: 'retrying now', done: 'queued to run now' },
    assign: { verb: (what) => `Reassign ${what}`, doing: 'reassigning', done: 'reassigned' },
  };

export interface Target {
  id: string;
  identifier: string;
  /** As it was seen when it was decided; null: it was not seen, the state alone judges. */
  version: number | null;
}

export interface Refused {
  target: Target;
  error: RemoteError;
  /** The issue as it is now, where it could be read. */
  now: IssueView | null;
}

export interface Outcome {
  done: number;
  /** Accepted without effect: they were already as was asked. */
  unchanged: number;
  refused: readonly Refused[];
}

/** Id of an issue → what is being asked of it and not confirmed yet. */
export const pending = signal<ReadonlyMap<string, Ask['is']>>(new Map());

/** Sent at once at most, so that a bulk of thousands does not fill the server's queue. */
const AT_ONCE = 16;
const FRAME_MS = 16;

/** Would this change an issue as it is? For the count that is shown before; the server judges. Pure. */
export function applies(ask: Ask['is'], { state, assigneeAgentId }: IssueView): boolean {
  switch (ask) {
    case 'retry-now':
      // An idle one is woken by it as a person would (domain.md section 2), if somebody is there to be woken.
      return state === 'scheduled-retry' || (state === 'idle' && assigneeAgentId !== null);
    case 'cancel':
      return state !== 'cancelled' && state !== 'done';
    case 'assign':
      return true;
  }
}

/**
 * Sends it to each, and answers when all have answered.
 * @param seen is told each issue as an answer showed it
 * @param progress is told how many have answered
 */
export async function send(
  client: Client,
  ask: Ask,
  targets: readonly Target[],
  { seen, progress }: { seen(issue: IssueView): void; progress(answered: number): void },
): Promise<Outcome> {
  mark(targets, ask.is);
  const refused: Refused[] = [];
  let done = 0;
  let unchanged = 0;
  let next = 0;
  const work = async () => {
    for (let target = targets[next++]; target !== undefined; target = targets[next++]) {
      try {
        const answer = await client.event(target.id, eventOf(ask), versionOf(target));
        if (answer.unchanged) unchanged++;
        else done++;
        seen(answer.issue);
      } catch (error) {
        const now = await client.http.issue(target.id).catch(() => null);
        if (now !== null) seen(now);
        refused.push({ target, error: error as RemoteError, now });
      } finally {
        answered(target);
        progress(done + unchanged + refused.length);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, targets.length) }, work));
  return { done, unchanged, refused };
}

function eventOf(ask: Ask): IssueEvent {
  switch (ask.is) {
    case 'cancel':
      return { type: 'CANCEL' };
    case 'retry-now':
      return { type: 'RETRY.NOW' };
    case 'assign':
      return { type: 'ASSIGN', agentId: ask.agentId };
  }
}

function versionOf({ version }: Target): { expectedVersion?: number } {
  return version === null ? {} : { expectedVersion: version };
}

function mark(targets: readonly Target[], as: Ask['is']): void {
  const next = new Map(pending.peek());
  for (const { id } of targets) next.set(id, as);
  pending.value = next;
}

const settled = new Set<string>();

/** Of thousands, those that are answered within a frame leave together. */
function answered({ id }: Target): void {
  if (settled.size === 0) pageClock.after(FRAME_MS, settle);
  settled.add(id);
}

function settle(): void {
  const next = new Map(pending.peek());
  for (const id of settled) next.delete(id);
  settled.clear();
  pending.value = next;
}
