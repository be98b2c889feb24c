/** Which issues a list shows: what the address says, what the server is asked, and whether an issue that changed fits. */
import { computed } from '@preact/signals';
import type { Where } from '../../../src/client/index.ts';
import type { IssueView, PriorityName } from '../../../src/machines/view.ts';
import { query, setQuery } from '../location.ts';
import { SHOWN } from '../ui/state.tsx';

export const PRIORITIES: readonly PriorityName[] = ['critical', 'high', 'medium', 'low'];
export const STATES: readonly string[] = [...Object.values(SHOWN).map(({ filter }) => filter), 'running'];
export type Order = 'newest' | 'oldest' | 'next';

export interface Filter {
  /** Names of states, `running.queued` among them; empty: all. */
  state: readonly string[];
  assignee: string | null;
  priority: readonly string[];
  minAttempt: number | null;
  q: string;
}

export const filter = computed<Filter>(() => readFilter(query.value));
export const order = computed<Order>(() => {
  const asked = query.value.get('order');
  return asked === 'oldest' || asked === 'next' ? asked : 'newest';
});

/** What the address says, without what makes no sense: somebody may have typed it. Pure. */
function readFilter(params: URLSearchParams): Filter {
  const list = (name: string, known: readonly string[]) =>
    (params.get(name) ?? '').split(',').filter((word) => known.includes(word));
  const attempt = Number.parseInt(params.get('minAttempt') ?? '', 10);
  const assignee = params.get('assignee') ?? '';
  return {
    state: list('state', STATES),
    assignee: /^a[0-9a-f]+$/.test(assignee) ? assignee : null,
    priority: list('priority', PRIORITIES),
    minAttempt: attempt > 0 && Number.isSafeInteger(attempt) ? attempt : null,
    q: (params.get('q') ?? '').trim().slice(0, 200),
  };
}

export function setFilter(change: Partial<Filter>, options?: { replace: boolean }): void {
  const params: Record<string, string | null> = {};
  if (change.state !== undefined) params.state = change.state.join(',');
  if (change.priority !== undefined) params.priority = change.priority.join(',');
  if (change.assignee !== undefined) params.assignee = change.assignee;
  if (change.minAttempt !== undefined)
    params.minAttempt = change.minAttempt === null ? null : String(change.minAttempt);
  if (change.q !== undefined) params.q = change.q;
  setQuery(params, options);
}

export function isFiltered(of: Filter): boolean {
  return Object.keys(paramsOf(of)).length > 0;
}

/** As `GET …/issues` takes it. */
export function paramsOf(of: Filter): Record<string, string | number | readonly string[]> {
  return {
    ...(of.state.length === 0 ? {} : { state: of.state }),
    ...(of.assignee === null ? {} : { assignee: of.assignee }),
    ...(of.priority.length === 0 ? {} : { priority: of.priority }),
    ...(of.minAttempt === null ? {} : { minAttempt: of.minAttempt }),
    ...(of.q === '' ? {} : { q: of.q }),
  };
}

/** What of it the company's topic filters: states without their substates; the rest is looked at here. */
export function whereOf(of: Filter): Where | null {
  const where: Where = {
    ...(of.state.length === 0
      ? {}
      : { state: [...new Set(of.state.map((name) => name.split('.')[0] as string))] }),
    ...(of.assignee === null ? {} : { assignee: of.assignee }),
    ...(of.priority.length === 0 ? {} : { priority: [...of.priority] }),
  };
  return Object.keys(where).length === 0 ? null : where;
}

export function fits(of: Filter, issue: IssueView): boolean {
  const { state, substate, assigneeAgentId, priority, attempt, title, identifier } = issue;
  const isIn = of.state.includes(state) || (substate !== null && of.state.includes(`${state}.${substate}`));
  if (of.state.length > 0 && !isIn) return false;
  if (of.assignee !== null && assigneeAgentId !== of.assignee) return false;
  if (of.priority.length > 0 && !of.priority.includes(priority)) return false;
  if (of.minAttempt !== null && attempt < of.minAttempt) return false;
  const text = of.q.toLowerCase();
  return text === '' || title.toLowerCase().includes(text) || identifier.toLowerCase().includes(text);
}
