/**
 * Issues with the newest first. The server lists them in order of their number; which there are it tells at once, by
 * its index, and so they are read from the far end, a window at a time.
 */
import type { HttpApi, IssueQuery } from '../client/http.ts';
import type { IssueView } from '../machines/view.ts';

/** Issues a window: a page is larger, for those that begin to match between the index and the page. */
const WINDOW = 450;
const PAGE_SLACK = 50;

export type Filter = Omit<IssueQuery, 'limit' | 'after'>;

export interface Listed {
  /** False: there are more than an index holds (250,000), and the oldest come first. */
  readonly isNewestFirst: boolean;
  /** How many match, or that an index holds. */
  readonly count: number;
  readonly issues: AsyncIterable<IssueView>;
}

/**
 * The issues of a company that match.
 * @param most of them that will be read: windows need not be larger
 */
export async function newestFirst(
  http: HttpApi,
  companyId: string,
  filter: Filter,
  most: number,
): Promise<Listed> {
  const { numbers, more } = await http.issueIndex(companyId, filter);
  const issues = more
    ? http.issues(companyId, { ...filter, limit: 500 })
    : windows(http, companyId, filter, numbers, most);
  return { isNewestFirst: !more, count: numbers.length, issues };
}

async function* windows(
  http: HttpApi,
  companyId: string,
  filter: Filter,
  numbers: readonly number[],
  most: number,
): AsyncIterable<IssueView> {
  const size = Math.min(WINDOW, most);
  for (let end = numbers.length; end > 0; end -= size) {
    const after = numbers[end - size - 1] ?? 0;
    const { items } = await http.issuePage(companyId, { ...filter, after, limit: size + PAGE_SLACK });
    const last = end === numbers.length ? Number.POSITIVE_INFINITY : (numbers[end - 1] ?? 0);
    // Of the newest window also what has come since; of others what belongs to them.
    yield* items.filter((issue) => !(numberOf(issue) > last)).reverse();
  }
}

/** 7 of `ACME-7`; NaN of an issue whose stored state cannot be read. */
function numberOf({ identifier }: Partial<IssueView>): number {
  return Number(identifier?.split('-').at(-1));
}

/** Several lists as one, the newest of all first. */
export async function* merged(lists: readonly AsyncIterable<IssueView>[]): AsyncIterable<IssueView> {
  const heads: { issue: IssueView; rest: AsyncIterator<IssueView> }[] = [];
  const pull = async (rest: AsyncIterator<IssueView>) => {
    const { done, value } = await rest.next();
    if (done !== true) heads.push({ issue: value, rest });
  };
  for (const list of lists) await pull(list[Symbol.asyncIterator]());
  while (heads.length > 0) {
    heads.sort((a, b) => b.issue.createdAt - a.issue.createdAt);
    const [next] = heads.splice(0, 1);
    if (next === undefined) return;
    yield next.issue;
    await pull(next.rest);
  }
}
