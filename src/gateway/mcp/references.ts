/**
 * Things as people and models name them. Over HTTP a path holds an id; a model has read `ACME-7` and `codex-1` in a
 * sentence, so tools take those as well. What cannot be told apart from what does not exist is `NOT_FOUND` (P15).
 */

import { BatonError } from '../../errors.ts';
import { isId, issueOfRun, LETTER } from '../../ids.ts';
import type { AgentView } from '../../machines/view.ts';
import type { Router, Shown } from '../../supervisor/router.ts';
import { identifierOf, issueByIdentifier } from '../identifiers.ts';
import { badFields, notFound } from '../problem.ts';
import type { ToolCall } from './tool.ts';

type Company = NonNullable<Awaited<ReturnType<Router['company']>>>;

/** Rows read at once where a list has to be walked. */
const PAGE = 500;
/** Companies named in a hint. */
const SHOWN_COMPANIES = 10;
/** Ids in the answer to a name that several agents have. */
const SHOWN_AGENTS = 20;

/** The company a call is about: the key's own, the named one, or the only one there is. @throws BatonError */
export async function companyOf({ principal, doors }: ToolCall, named: string | undefined): Promise<string> {
  const { router } = doors;
  if (principal.companyId !== null) {
    const own = await router.company(principal.companyId);
    if (named !== undefined && named !== own?.id && named !== own?.prefix) throw notFound('company');
    return principal.companyId;
  }
  if (named !== undefined) {
    const found = isId(named, LETTER.company) ? await router.company(named) : await byPrefix(router, named);
    if (found === null) throw notFound('company');
    return found.id;
  }
  const some = await router.companies(SHOWN_COMPANIES + 1);
  const [only] = some;
  if (only !== undefined && some.length === 1) return only.id;
  if (only === undefined) throw new BatonError('NOT_FOUND', 'There is no company yet.');
  const names = some.slice(0, SHOWN_COMPANIES).map(({ prefix, name }) => `${prefix} (${name})`);
  throw new BatonError('VALIDATION', 'company: this credential is of every company, so say which.', {
    errors: [{ path: 'company', message: 'required' }],
    hint: `One of ${names.join(', ')}${some.length > SHOWN_COMPANIES ? ', …' : ''}.`,
  });
}

/** The id of the issue named by its id or its identifier. @throws BatonError NOT_FOUND */
export async function issueOf({ principal, doors }: ToolCall, named: string): Promise<string> {
  const { router, homes } = doors;
  const identifier = identifierOf(named);
  if (identifier === null) {
    if ((await homes.companyOf(named, LETTER.issue, principal.companyId)) === null) throw notFound('issue');
    return named;
  }
  const company =
    principal.companyId === null
      ? await byPrefix(router, identifier.prefix)
      : await router.company(principal.companyId);
  const found = company === null ? null : await issueByIdentifier(router, company, named);
  if (found === null) throw notFound('issue');
  return found.id;
}

/** The issue as committed. @throws BatonError NOT_FOUND */
export async function shownIssue(call: ToolCall, named: string): Promise<Shown> {
  const issue = await call.doors.router.get(await issueOf(call, named));
  if (issue === null) throw notFound('issue');
  return issue;
}

/** The issue of a run the caller may know of. @throws BatonError NOT_FOUND */
export async function issueOfCallersRun({ principal, doors }: ToolCall, runId: string): Promise<string> {
  const issueId = issueOfRun(runId);
  const company =
    issueId === null ? null : await doors.homes.companyOf(issueId, LETTER.issue, principal.companyId);
  if (issueId === null || company === null) throw notFound('run');
  return issueId;
}

/**
 * The id of the agent named by its id or its name within a company: the only one of that name, or the only one that is
 * not terminated – nothing keeps two from one name.
 * @param path the field that named it
 * @throws BatonError NOT_FOUND, VALIDATION
 */
export async function agentOf(
  { doors }: ToolCall,
  companyId: string,
  named: string,
  path = 'agentId',
): Promise<string> {
  const { router, homes } = doors;
  if ((await homes.companyOf(named, LETTER.agent, companyId)) !== null) return named;
  const found: { id: string; status: AgentView['status'] }[] = [];
  for (let after: number | undefined; ; ) {
    const { items } = await router.list({
      companyId,
      kind: 'agent',
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    for (const { id, view } of items) {
      const agent = JSON.parse(view) as AgentView;
      if (agent.name === named) found.push({ id, status: agent.status });
    }
    if (items.length < PAGE) break;
    after = items.at(-1)?.ordinal;
  }
  if (found.length === 0) throw notFound('agent');
  const living = found.filter(({ status }) => status !== 'terminated');
  const several = living.length === 0 ? found : living;
  const [only] = several;
  if (only !== undefined && several.length === 1) return only.id;
  const ids = several.slice(0, SHOWN_AGENTS).map(({ id, status }) => `${id} (${status})`);
  const list = `${ids.join(', ')}${several.length > SHOWN_AGENTS ? ', …' : ''}`;
  throw badFields([
    {
      path,
      message: `${several.length} agents of this company are called ${JSON.stringify(named)}: name one by its id: ${list}`,
    },
  ]);
}

async function byPrefix(router: Router, prefix: string): Promise<Company | null> {
  for (let after: { createdAt: number; id: string } | undefined; ; ) {
    const rows = await router.companies(PAGE, after);
    const found = rows.find((row) => row.prefix === prefix);
    if (found !== undefined) return found;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return null;
    after = { createdAt: last.createdAt, id: last.id };
  }
}
