/**
 * The agents of the company, for every page that names one. How many slots are held, how many wait and whether a worker
 * asks for work is no event and in no journal, so a page that shows it reads the agents again every few seconds; the
 * others are content with names.
 */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Client } from '../../../src/client/index.ts';
import type { AgentView } from '../../../src/machines/view.ts';
import { every } from '../clock.ts';
import { client, company } from '../session.ts';

const agents = signal<ReadonlyMap<string, AgentView>>(new Map());
/** True once they were read. */
export const agentsAreHere = signal(false);

export const agentsByName = computed(() =>
  [...agents.value.values()].sort((a, b) => a.name.localeCompare(b.name)),
);

export function agentName(id: string | null): string {
  if (id === null) return '';
  return agents.value.get(id)?.name ?? id;
}

export function agentOf(id: string | null): AgentView | undefined {
  return id === null ? undefined : agents.value.get(id);
}

/** An agent as an answer showed it. */
export function sawAgent(agent: AgentView): void {
  const before = agents.peek().get(agent.id);
  if (before !== undefined && before.version > agent.version) return;
  agents.value = new Map(agents.peek()).set(agent.id, agent);
}

export async function readAgents(from: Client, companyId: string): Promise<void> {
  const found = new Map<string, AgentView>();
  for await (const agent of from.http.agents(companyId)) found.set(agent.id, agent);
  agents.value = found;
  agentsAreHere.value = true;
}

/** Reads `what` at once and then every `ms`, one at a time, while the page is visible. */
export function useReading(ms: number, what: (from: Client, companyId: string) => Promise<unknown>): void {
  useEffect(() => {
    const { value: from } = client;
    const { value: of } = company;
    if (from === null || of === null) return;
    let isReading = false;
    const read = () => {
      if (isReading || document.hidden || !from.isOpen) return;
      isReading = true;
      what(from, of.id)
        // Not reached: the connection says so, and the next time comes.
        .catch(() => {})
        .finally(() => {
          isReading = false;
        });
    };
    read();
    return every(ms, read);
  }, [client.value, company.value]);
}
