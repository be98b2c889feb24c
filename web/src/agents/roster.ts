/**
 * The agents of the company, for every page that names one. Read once, then kept by the changes of the company's topic
 * that concern agents; a name that is not known yet is shown as its id.
 */
import { computed, signal } from '@preact/signals';
import type { Client } from '../../../src/client/index.ts';
import type { AgentView } from '../../../src/machines/view.ts';

const agents = signal<ReadonlyMap<string, AgentView>>(new Map());

export const agentsByName = computed(() =>
  [...agents.value.values()].sort((a, b) => a.name.localeCompare(b.name)),
);

export function agentName(id: string | null): string {
  if (id === null) return '';
  return agents.value.get(id)?.name ?? id;
}

/** @public */
export function agentOf(id: string): AgentView | undefined {
  return agents.value.get(id);
}

/** @public */
export function sawAgent(agent: AgentView): void {
  const before = agents.peek().get(agent.id);
  if (before !== undefined && before.version > agent.version) return;
  agents.value = new Map(agents.peek()).set(agent.id, agent);
}

export async function readAgents(from: Client, companyId: string): Promise<void> {
  const found = new Map<string, AgentView>();
  for await (const agent of from.http.agents(companyId)) found.set(agent.id, agent);
  agents.value = found;
}
