/** What is said when the demo is over: what was done, that it stays, how to go on with work of one's own. */
import type { Company, HttpApi } from '../../client/http.ts';

export async function endingOf(http: HttpApi, { id, prefix }: Company): Promise<string> {
  const { byState } = await http.stats(id);
  const counts = Object.entries(byState).filter(([, n]) => n > 0);
  counts.sort(([, a], [, b]) => b - a);
  const total = counts.reduce((sum, [, n]) => sum + n, 0);
  const were = counts.map(([state, n]) => `${n} ${state}`).join(', ');
  return (
    `over: of ${total} issues in company ${prefix} ${were}; all of it stays. ` +
    'Your own: npx baton companies create WORK, then README.md, "Connect an agent"'
  );
}
