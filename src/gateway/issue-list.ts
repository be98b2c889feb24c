/** Which issues of a company: `GET /companies/:companyId/issues` and `…/issues/index` take the same filters. */
import { z } from 'zod';
import { agentId, priority } from '../machines/events.ts';
import { ISSUE_STATES, ISSUE_SUBSTATES, PRIORITIES } from '../machines/view.ts';
import type { Listing, Router, Shown } from '../supervisor/router.ts';
import { digits, page, queryText, several } from './schemas.ts';

/** What lists may be filtered by: a state, or where within it. */
export const issueStates = z.enum([...ISSUE_STATES, ...ISSUE_SUBSTATES]);

const filter = {
  state: several(issueStates).optional(),
  assignee: queryText.pipe(agentId).optional(),
  priority: several(priority).optional(),
  minAttempt: digits(0).optional(),
  q: queryText
    .pipe(z.string().min(1).max(200))
    .optional()
    .meta({ description: 'Part of the title or the identifier, case ignored.' }),
};

export const indexFilter = z.strictObject(filter);
type Filter = z.infer<typeof indexFilter>;

export const issueFilter = z.strictObject({
  ...page,
  ...filter,
  after: digits(0).optional().meta({
    description: 'Only issues numbered above this: 7 begins behind ACME-7. Not together with cursor.',
  }),
});
export type IssueFilter = z.infer<typeof issueFilter>;

/** Issues in one index at most: some 10 MB. Whoever has more narrows the filter down. */
export const INDEXED = 250_000;

/**
 * A page of issues in order of their number.
 * @returns `after`: the number to go on from, null when there is no more.
 */
export async function listIssues(
  router: Router,
  companyId: string,
  { limit, ...filter }: IssueFilter,
  from: number | undefined,
): Promise<{ items: readonly Shown[]; after: number | null }> {
  const query = { ...listing(companyId, filter), limit: limit + 1 };
  const { items } = await router.list({ ...query, ...(from === undefined ? {} : { after: from }) });
  if (items.length <= limit) return { items, after: null };
  return { items: items.slice(0, limit), after: (items[limit - 1] as Shown).ordinal };
}

/** The index of all that match, as JSON text (protocol section 3). */
export async function indexIssues(router: Router, companyId: string, filter: Filter): Promise<string> {
  const index = await router.index({ ...listing(companyId, filter), limit: INDEXED });
  const { seq, count, ordinals, ids, dues } = index;
  return `{"seq":${seq},"numbers":${ordinals},"ids":${ids},"dues":${dues},"more":${count === INDEXED}}`;
}

function listing(
  companyId: string,
  { state, assignee, priority: names, minAttempt, q }: Filter,
): Omit<Listing, 'limit' | 'after'> {
  return {
    companyId,
    kind: 'issue',
    ...(state === undefined
      ? {}
      : {
          states: state.filter((name) => !name.includes('.')),
          substates: state.filter((name) => name.includes('.')),
        }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(names === undefined ? {} : { priorities: names.map((name) => PRIORITIES.indexOf(name)) }),
    ...(minAttempt === undefined ? {} : { minAttempt }),
    ...(q === undefined ? {} : { text: q }),
  };
}
