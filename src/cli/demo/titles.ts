/** What the demo's issues are about: incidents of a real service desk. */
import { fileURLToPath } from 'node:url';
import type { NewIssue } from '../../machines/events.ts';
import { readIncidents } from '../replay/incident-log.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/incidents.csv.gz', import.meta.url));

export type Errand = Pick<NewIssue, 'title' | 'priority' | 'context'>;

/** The first `count` incidents of the example log, with the priority they had there. Each says which of how many it is. */
export async function errands(count: number): Promise<Errand[]> {
  const incidents = await readIncidents(EXAMPLE, count);
  return incidents.map(({ number, rows }, n) => {
    const last = rows.at(-1);
    const group = rows.findLast((row) => row.group !== null)?.group ?? null;
    return {
      title: `${number}${group === null ? '' : ` for ${group}`}, demo ${n + 1} of ${incidents.length}: ${rows.length} updates, last ${last?.state}`,
      priority: last?.priority ?? 'medium',
      context: { incident: number, group, demo: true },
    };
  });
}
