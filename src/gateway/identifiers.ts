/** Issues by the identifier that people read and say, as `ACME-7`: a company's prefix and an ordinal. */
import type { Router, Shown } from '../supervisor/router.ts';

const IDENTIFIER = /^([A-Z][A-Z0-9]{1,9})-([1-9][0-9]{0,9})$/;

/** The identifier taken apart, or null when `text` is none. */
export function identifierOf(text: string): { prefix: string; ordinal: number } | null {
  const [, prefix, ordinal] = IDENTIFIER.exec(text) ?? [];
  return prefix === undefined ? null : { prefix, ordinal: Number(ordinal) };
}

/** The issue of this identifier in this company, or null. */
export async function issueByIdentifier(
  router: Router,
  company: { readonly id: string; readonly prefix: string },
  text: string,
): Promise<Shown | null> {
  const identifier = identifierOf(text);
  if (identifier === null || identifier.prefix !== company.prefix) return null;
  const { ordinal } = identifier;
  const found = await router.list({ companyId: company.id, kind: 'issue', ordinal, limit: 1 });
  return found.items[0] ?? null;
}
