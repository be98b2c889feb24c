/**
 * Which issues of a company (`GET /companies/:companyId/issues`). The store knows an issue's state but not its
 * substate, so a list asked for `running.queued` reads `running` and leaves out what does not fit.
 */
import { z } from 'zod';
import { agentId, priority } from '../machines/events.ts';
import { dotted } from '../machines/step.ts';
import { PRIORITIES } from '../machines/view.ts';
import type { Listing, Router, Shown } from '../supervisor/router.ts';
import { page, queryText, several } from './schemas.ts';

export const STATES = ['idle', 'running', 'scheduled-retry', 'cancelled', 'done'] as const;
const SUBSTATES = ['running.queued', 'running.executing', 'running.stopping'] as const;
/** What lists may be filtered by: a state, or where within it. */
export const issueStates = z.enum([...STATES, ...SUBSTATES]);

export const issueFilter = z.strictObject({
  ...page,
  state: several(issueStates).optional(),
  assignee: queryText.pipe(agentId).optional(),
  priority: several(priority).optional(),
  minAttempt: z.coerce.number().int().min(0).optional(),
  q: queryText
    .pipe(z.string().min(1).max(200))
    .optional()
    .meta({ description: 'Part of the title or the identifier, case ignored.' }),
});
export type IssueFilter = z.infer<typeof issueFilter>;

/** Rows read per page at most, so that a rare substate among many running issues costs bounded work. */
const LONGEST_WALK = 5000;

/**
 * A page of issues in order of their ordinal.
 * @returns `after`: the ordinal to go on from, null when there is no more.
 */
export async function listIssues(
  router: Router,
  companyId: string,
  filter: IssueFilter,
  from: number | undefined,
): Promise<{ items: Shown[]; after: number | null }> {
  const { limit, state, assignee, priority: names, minAttempt, q } = filter;
  const query: Omit<Listing, 'after'> = {
    companyId,
    kind: 'issue',
    limit: limit + 1,
    ...(state === undefined
      ? {}
      : { states: [...new Set(state.map((name) => name.split('.')[0] as string))] }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(names === undefined ? {} : { priorities: names.map((name) => PRIORITIES.indexOf(name)) }),
    ...(minAttempt === undefined ? {} : { minAttempt }),
    ...(q === undefined ? {} : { text: q }),
  };
  const wanted = state?.some((name) => name.includes('.')) ? new Set<string>(state) : null;
  const items: Shown[] = [];
  let after = from;
  for (let walked = 0; walked < LONGEST_WALK; ) {
    const found = await router.list({ ...query, ...(after === undefined ? {} : { after }) });
    for (const issue of found.items) {
      if (wanted !== null && !fits(wanted, issue)) {
        after = issue.ordinal;
      } else if (items.length === limit) {
        return { items, after: (items.at(-1) as Shown).ordinal };
      } else {
        items.push(issue);
        after = issue.ordinal;
      }
    }
    if (found.items.length < query.limit) return { items, after: null };
    walked += found.items.length;
  }
  return { items, after: after ?? null };
}

function fits(wanted: ReadonlySet<string>, issue: Shown): boolean {
  const name = dotted(issue.state.value);
  return wanted.has(name) || wanted.has(name.split('.')[0] as string);
}
