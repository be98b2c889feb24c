/** P15: nobody reaches another company's things, and no thing points at one. */
import { type Evidence, isIssue, issueOf, placeOf } from './evidence.ts';

export function tenants({ entries, steps, told }: Evidence): string[] {
  const found: string[] = [];
  const homes = new Map<string, string>();
  for (const { row } of entries) {
    const home = homes.get(row.actorId);
    if (home !== undefined && home !== row.companyId)
      found.push(`${row.actorId} is of ${home} and of ${row.companyId}`);
    homes.set(row.actorId, row.companyId);
  }
  for (const { seen, after } of steps.filter(isIssue)) {
    const { assignee } = issueOf(after);
    if (assignee !== null && homes.get(assignee) !== seen.row.companyId)
      found.push(`${placeOf(seen)} is assigned to ${assignee}, which is not of its company`);
  }
  for (const { by, of, type, actorId, is, code } of told) {
    if (of == null || homes.get(actorId) === of || !homes.has(actorId)) continue;
    if (is !== 'refused' || code !== 'NOT_FOUND')
      found.push(`${by} of ${of} sent ${type} to ${actorId} of another company and was told ${code ?? is}`);
  }
  return found;
}
