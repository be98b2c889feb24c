/** The server's sentences for people: ids of agents as their names, of runs as their numbers. */
import type { IssueView } from '../../../src/machines/view.ts';
import { agentName } from '../agents/roster.ts';

const AGENT = /\ba[0-9a-f]{3}[0-9A-Za-z]{8,}\b/g;
const RUN = /\bi[0-9a-f]{3}[0-9A-Za-z]{8,}\.(\d+)\b/g;

export function named(text: string): string {
  return text.replace(RUN, '$1').replace(AGENT, (id) => agentName(id));
}

/** Why it is where it is. Without its lease: that of a view is as old as the view, and heartbeats renew it. */
export function sentence({ why }: Pick<IssueView, 'why'>): string {
  // Of a state that cannot be read every fault is told, a line each: they are among the facts.
  const [first = ''] = why.text.split('\n');
  const text = why.code === 'executing' ? first.replace(/, its lease holds until [^,]*\.$/, '.') : first;
  return named(text.charAt(0).toUpperCase() + text.slice(1));
}
