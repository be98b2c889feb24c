/**
 * An issue as people name it: its id, its identifier (`ACME-7`), or, of the company named by `--company` or the only one
 * there is, its number alone.
 */
import type { HttpApi } from '../client/http.ts';
import { whole } from '../client/put-aside.ts';
import { BatonError } from '../errors.ts';
import { isId } from '../ids.ts';
import type { IssueView } from '../machines/view.ts';
import { type Call, type Flag, textFlag } from './command.ts';
import { companiesOf, noCompany, prefixesOf } from './companies.ts';

const IDENTIFIER = /^([A-Z][A-Z0-9]{1,9})-([1-9]\d*)$/;
const NUMBER = /^[1-9]\d{0,14}$/;

/** Of commands that take such references. */
export const ISSUE_COMPANY_FLAG: Flag = {
  name: 'company',
  value: 'PREFIX',
  meaning: 'the company of the issue, by prefix or id: ID may then be its number alone',
};

/**
 * One whose stored state cannot be read is called as it was asked for.
 * @throws BatonError VALIDATION when `ref` names none, or one of another company; NOT_FOUND when there is none
 */
export async function issueOf(http: HttpApi, call: Call, ref: string): Promise<IssueView> {
  return whole(await issueAt(http, call, ref), () => (isId(ref, 'i') ? ref : ref.toUpperCase()));
}

async function issueAt(http: HttpApi, call: Call, ref: string): Promise<IssueView> {
  const named = textFlag(call, 'company');
  const prefix = IDENTIFIER.exec(ref.toUpperCase())?.[1];
  if (prefix === undefined && !NUMBER.test(ref) && !isId(ref, 'i')) {
    throw new BatonError(
      'VALIDATION',
      `${ref || 'Nothing'} is neither an issue's id nor an identifier such as ACME-7.`,
    );
  }
  if (named === undefined && isId(ref, 'i')) return http.issue(ref);
  const companies = await companiesOf(http, call);
  if (isId(ref, 'i')) {
    const issue = await http.issue(ref);
    if (companies.some(({ id }) => id === issue.companyId)) return issue;
    throw notOf(issue.identifier, companies[0]?.prefix);
  }
  if (prefix !== undefined) {
    const company = companies.find((each) => each.prefix === prefix);
    if (company !== undefined) return http.issueByIdentifier(company.id, ref.toUpperCase());
    if (named !== undefined) throw notOf(ref.toUpperCase(), companies[0]?.prefix);
    throw new BatonError(
      'NOT_FOUND',
      `There is no company with the prefix ${prefix}; \`baton issues\` lists what there is.`,
    );
  }
  const [company, another] = companies;
  if (company === undefined) throw noCompany();
  if (another !== undefined) {
    throw new BatonError('VALIDATION', `Name the company of issue ${ref} with --company.`, {
      hint: `There are ${prefixesOf(companies)}; or write ${company.prefix}-${ref}.`,
    });
  }
  return http.issueByIdentifier(company.id, `${company.prefix}-${ref}`);
}

function notOf(identifier: string, prefix = '?'): BatonError {
  return new BatonError('VALIDATION', `${identifier} is not of company ${prefix}.`, {
    hint: 'Leave --company out, or name the issue’s own.',
  });
}
