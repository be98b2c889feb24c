/**
 * Issues with the newest first. The server lists them in order of their number; which there are it tells at once, by
 * its index, and so they are read from the far end, a window at a time.
 */
import type { Company, HttpApi, IssueIndex, IssueQuery } from '../client/http.ts';
import type { IssueView } from '../machines/view.ts';

/** Issues a window: a page is larger, for those that begin to match between the index and the page. */
const WINDOW = 450;
const PAGE_SLACK = 50;

export type Filter = Omit<IssueQuery, 'limit' | 'after'>;

/** An issue as the server shows it: one that cannot be read does not say what it is called. */
export interface Found {
  readonly issue: IssueView;
  readonly identifier: string;
}

export interface Listed {
  /** False: there are more than an index holds (250,000), and the oldest come first. */
  readonly isNewestFirst: boolean;
  /** How many match, or that an index holds. */
  readonly count: number;
  readonly issues: AsyncIterable<Found>;
}

/**
 * The issues of a company that match.
 * @param most of them that will be read: windows need not be larger
 */
export async function newestFirst(
  http: HttpApi,
  company: Company,
  filter: Filter,
  most: number,
): Promise<Listed> {
  const index = await http.issueIndex(company.id, filter);
  const issues = index.more
    ? oldestFirst(http, company, filter)
    : windows(http, company, filter, index, most);
  return { isNewestFirst: !index.more, count: index.numbers.length, issues };
}

async function* oldestFirst(http: HttpApi, { id }: Company, filter: Filter): AsyncIterable<Found> {
  for await (const issue of http.issues(id, { ...filter, limit: 500 })) {
    yield { issue, identifier: issue.identifier ?? issue.id };
  }
}

async function* windows(
  http: HttpApi,
  company: Company,
  filter: Filter,
  { numbers, ids }: IssueIndex,
  most: number,
): AsyncIterable<Found> {
  const size = Math.min(WINDOW, most);
  for (let end = numbers.length; end > 0; end -= size) {
    const start = Math.max(0, end - size);
    const after = numbers[start - 1] ?? 0;
    const { items } = await http.issuePage(company.id, { ...filter, after, limit: size + PAGE_SLACK });
    const known = new Map(ids.slice(start, end).map((id, i) => [id, numbers[start + i]]));
    const isNewest = end === numbers.length;
    for (const issue of items.reverse()) {
      const number = known.get(issue.id);
      // What began to match since the index was read: with the newest window what is new is told, too.
      if (number === undefined && !isNewest) continue;
      yield { issue, identifier: issue.identifier ?? `${company.prefix}-${number ?? '?'}` };
    }
  }
}

/** Several lists as one, the newest of all first. */
export async function* merged(lists: readonly AsyncIterable<Found>[]): AsyncIterable<Found> {
  const heads: { found: Found; rest: AsyncIterator<Found> }[] = [];
  const pull = async (rest: AsyncIterator<Found>) => {
    const { done, value } = await rest.next();
    if (done !== true) heads.push({ found: value, rest });
  };
  for (const list of lists) await pull(list[Symbol.asyncIterator]());
  while (heads.length > 0) {
    heads.sort((a, b) => madeAt(b.found) - madeAt(a.found));
    const [next] = heads.splice(0, 1);
    if (next === undefined) return;
    yield next.found;
    await pull(next.rest);
  }
}

/** Not known of an issue that cannot be read: it goes first, and holds up no other of its company. */
function madeAt({ issue }: Found): number {
  return issue.createdAt ?? Number.MAX_SAFE_INTEGER;
}
