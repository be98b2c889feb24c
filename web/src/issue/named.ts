/** The server's sentences for people: ids of agents as their names, times as where the viewer is. */
import type { IssueView } from '../../../src/machines/view.ts';
import { agentName } from '../agents/roster.ts';
import { clockTime, dateTime } from '../duration.ts';

const AGENT = /\ba[0-9a-f]{3}[0-9A-Za-z]{8,}\b/g;
const RUN = /\bi[0-9a-f]{3}[0-9A-Za-z]{8,}\.(\d+)\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const DAY_MS = 86_400_000;

export function named(text: string): string {
  return text.replace(RUN, '$1').replace(AGENT, (id) => agentName(id));
}

/** Why it is where it is, as of now: a lease that was renewed since it was told is not said to be over. */
export function sentence({ why }: Pick<IssueView, 'why'>, now: number): string {
  // Of a state that cannot be read every fault is told, a line each: they are among the facts.
  const [first = ''] = why.text.split('\n');
  const text = why.code === 'executing' ? first.replace(/, its lease holds until [^,]*\.$/, '.') : first;
  return named(text).replace(TIME, (iso) => {
    const at = Date.parse(iso);
    return Math.abs(at - now) < DAY_MS ? clockTime(at) : dateTime(at);
  });
}
