/** The companies a command is about: the one named by `--company` (id or prefix), else all the credential may see. */
import type { Company, HttpApi } from '../client/http.ts';
import { BatonError } from '../errors.ts';
import { type Call, type Flag, textFlag } from './command.ts';

export const COMPANY_FLAG: Flag = {
  name: 'company',
  value: 'PREFIX',
  meaning: 'one company, by prefix or id',
};

/** @throws BatonError NOT_FOUND when `--company` names none */
export async function companiesOf(http: HttpApi, call: Call): Promise<Company[]> {
  const named = textFlag(call, 'company');
  const found: Company[] = [];
  for await (const company of http.companies()) {
    if (named === undefined || company.id === named || company.prefix === named.toUpperCase())
      found.push(company);
  }
  if (named !== undefined && found.length === 0) {
    throw new BatonError('NOT_FOUND', `There is no company ${named} that this credential may see.`);
  }
  return found;
}

/** `ACME, OPS, …`: twenty at most. */
export function prefixesOf(companies: readonly Company[]): string {
  const prefixes = companies.slice(0, 20).map(({ prefix }) => prefix);
  return `${prefixes.join(', ')}${companies.length > prefixes.length ? ', …' : ''}`;
}

export function noCompany(): BatonError {
  return new BatonError('NOT_FOUND', 'There is no company yet.', {
    hint: 'Make one: baton companies create ACME "Acme Ltd".',
  });
}

/**
 * The one company a command is about: the one named, else the only one there is.
 * @throws BatonError VALIDATION when there are several, NOT_FOUND when there is none
 */
export async function companyOf(http: HttpApi, call: Call): Promise<Company> {
  const [company, another, ...more] = await companiesOf(http, call);
  if (company === undefined) {
    throw noCompany();
  }
  if (another === undefined) return company;
  throw new BatonError('VALIDATION', 'There are several companies.', {
    hint: `Name one with --company: ${prefixesOf([company, another, ...more])}.`,
  });
}
