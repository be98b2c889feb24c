/**
 * Runs, wherever they are: those that have not ended are in their issue's state, the others are records. A list walks
 * first one, then the other, with one cursor.
 */
import type { IssueState } from '../machines/issue-context.ts';
import { liveRuns } from '../machines/issue-view.ts';
import type { RunStatus, RunView } from '../machines/view.ts';
import type { Router, Shown } from '../supervisor/router.ts';
import { ANY_ID, cursorOf, NUMBER, pageOf, readCursor } from './cursor.ts';

export interface Page {
  readonly items: readonly string[];
  readonly nextCursor: string | null;
}

/** The runs of an issue that have not ended, oldest first: a detached one, then the current one. */
export function liveOf(issue: Shown): RunView[] {
  const context = issue.state.context as Partial<IssueState>;
  // A quarantined issue's state may be unreadable: it shows no runs rather than none of the list.
  if (typeof context.n !== 'number') return [];
  return liveRuns(context as IssueState);
}

/**
 * A page of an issue's runs, oldest first: ended ones by when they ended, then those that live. A run that ends between
 * two pages is on the second one, as ended.
 */
export async function runsOf(
  router: Router,
  issue: Shown,
  limit: number,
  cursor: string | undefined,
): Promise<Page> {
  const from = cursor === undefined ? null : readCursor(cursor, { e: [NUMBER, ANY_ID], l: [ANY_ID] });
  const live = liveOf(issue);
  if (from?.phase === 'l') {
    const next = live.findIndex((run) => run.id === from.parts[0]) + 1;
    return pageOfLive(live.slice(next), [], limit);
  }
  const after = from === null ? undefined : { at: Number(from.parts[0]), id: from.parts[1] as string };
  const found = pageOf(await router.records(issue.id, 'run', limit + 1, after), limit);
  const ended = found.page.map((line) => line.record);
  const last = found.page.at(-1);
  const resume = last === undefined ? cursor : cursorOf('e', last.at, last.id);
  if (found.more || (live.length > 0 && ended.length === limit)) {
    return { items: ended, nextCursor: resume ?? null };
  }
  return pageOfLive(live, ended, limit);
}

function pageOfLive(live: readonly RunView[], ended: readonly string[], limit: number): Page {
  const { page, more } = pageOf(live, limit - ended.length);
  const items = [...ended, ...page.map((run) => JSON.stringify(run))];
  return { items, nextCursor: more ? cursorOf('l', page.at(-1)?.id ?? '') : null };
}

const LIVE_STATES: Readonly<Partial<Record<RunStatus, readonly string[]>>> = {
  queued: ['running'],
  running: ['running'],
  scheduled_retry: ['scheduled-retry'],
};
/** Issues read per page at most, so that a filter that fits few costs bounded work; the cursor goes on from there. */
const LONGEST_WALK = 5000;

/**
 * A page of a company's runs: those that live in order of their issues, then the ended ones.
 * @param status null: all.
 */
export async function companyRuns(
  router: Router,
  companyId: string,
  status: RunStatus | null,
  limit: number,
  cursor: string | undefined,
): Promise<Page> {
  const from = cursor === undefined ? null : readCursor(cursor, { l: [NUMBER], e: [ANY_ID, ANY_ID], s: [] });
  const items: string[] = [];
  const states = status === null ? ['running', 'scheduled-retry'] : LIVE_STATES[status];
  if (states !== undefined && (from === null || from.phase === 'l')) {
    let after = from === null ? undefined : Number(from.parts[0]);
    for (let walked = 0; ; ) {
      const found = await router.list({
        companyId,
        kind: 'issue',
        states,
        limit: 500,
        ...(after === undefined ? {} : { after }),
      });
      for (const issue of found.items) {
        const runs = liveOf(issue).filter((run) => status === null || run.status === status);
        if (items.length > 0 && items.length + runs.length > limit) {
          return { items, nextCursor: cursorOf('l', after ?? 0) };
        }
        for (const run of runs) items.push(JSON.stringify(run));
        after = issue.ordinal;
      }
      if (found.items.length < 500) break;
      walked += found.items.length;
      if (walked >= LONGEST_WALK) return { items, nextCursor: cursorOf('l', after ?? 0) };
    }
    if (status !== null) return { items, nextCursor: null };
    if (items.length >= limit) return { items, nextCursor: cursorOf('s') };
  }
  const after =
    from?.phase === 'e' ? { actorId: from.parts[0] as string, id: from.parts[1] as string } : undefined;
  const equals = status === null ? null : { key: 'status', value: status };
  const room = limit - items.length;
  const found = pageOf(await router.companyRecords(companyId, 'run', room + 1, equals, after), room);
  const last = found.page.at(-1);
  return {
    items: [...items, ...found.page.map((line) => line.record)],
    nextCursor: found.more && last !== undefined ? cursorOf('e', last.actorId, last.id) : null,
  };
}
