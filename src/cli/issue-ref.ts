/** An issue as people name it: its id, or its identifier (`ACME-7`) in whichever company has that prefix. */
import type { HttpApi } from '../client/http.ts';
import { BatonError } from '../errors.ts';
import { isId } from '../ids.ts';
import type { IssueView } from '../machines/view.ts';

const IDENTIFIER = /^([A-Z][A-Z0-9]{1,9})-([1-9]\d*)$/;

/** @throws BatonError VALIDATION when `ref` is neither, NOT_FOUND when there is none */
export async function issueOf(http: HttpApi, ref: string): Promise<IssueView> {
  if (isId(ref, 'i')) return http.issue(ref);
  const prefix = IDENTIFIER.exec(ref.toUpperCase())?.[1];
  if (prefix === undefined) {
    throw new BatonError('VALIDATION', `${ref} is neither an issue's id nor an identifier such as ACME-7.`);
  }
  for await (const company of http.companies()) {
    if (company.prefix === prefix) return http.issueByIdentifier(company.id, ref.toUpperCase());
  }
  throw new BatonError(
    'NOT_FOUND',
    `There is no company with the prefix ${prefix}; \`baton issues\` lists what there is.`,
  );
}
