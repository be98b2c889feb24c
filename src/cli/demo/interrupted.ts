/**
 * A demo that was interrupted: its server or its `baton demo` ended while issues were left. Its workers are gone, so those
 * would wait for ever; the next start, or `baton demo`, goes on with them.
 */
import type { Company, HttpApi } from '../../client/http.ts';
import type { Clock } from '../../clock.ts';
import { mayBeUsed } from '../job/worker-key.ts';
import { later } from '../waits.ts';
import { CAST, COMPANY, type Part } from './cast.ts';

const COUNT_MS = 500;
/** States in which an issue of the demo is not at rest. */
const LEFT = ['running', 'scheduled-retry'] as const;

export interface Interrupted {
  readonly company: Company;
  readonly agents: ReadonlyMap<Part, string>;
  /** Ids of the issues that are left, one at least. */
  readonly issues: readonly string[];
}

/** The first one that nobody plays; null: there is none. */
export async function interruptedDemo(http: HttpApi): Promise<Interrupted | null> {
  for await (const company of http.companies()) {
    if (company.name !== COMPANY.name || !COMPANY.prefixes.test(company.prefix)) continue;
    const agents = await castOf(http, company);
    if (agents === null) continue;
    const ids = new Set(agents.values());
    const issues: string[] = [];
    for await (const { id, assigneeAgentId } of http.issues(company.id, { state: LEFT, limit: 500 })) {
      if (ids.has(assigneeAgentId ?? '')) issues.push(id);
    }
    if (issues.length > 0 && !(await isPlayed(http, company, ids))) return { company, agents, issues };
  }
  return null;
}

/** How many issues of a demo's company are left; 0 where the server does not say so soon: whoever asks is ending. */
export async function leftIn(http: HttpApi, { id }: Company, clock: Clock): Promise<number> {
  const counted = http.stats(id).then(
    ({ byState }) => LEFT.reduce((sum, state) => sum + (byState[state] ?? 0), 0),
    () => 0,
  );
  return (await Promise.race([counted, later(clock, COUNT_MS)])) ?? 0;
}

/** `7 issues of company DEMO are left`. */
export function leftText(prefix: string, n: number): string {
  return `${n === 1 ? '1 issue' : `${n} issues`} of company ${prefix} ${n === 1 ? 'is' : 'are'} left`;
}

/** @param how one leaves them as they are */
export function goingOn(prefix: string, n: number, how: string): string {
  return `The demo that was interrupted goes on: ${leftText(prefix, n)}  (${how})`;
}

async function castOf(http: HttpApi, { id }: Company): Promise<Map<Part, string> | null> {
  const agents = new Map<Part, string>();
  for await (const agent of http.agents(id)) {
    const part = CAST.find(({ name }) => name === agent.name);
    if (part !== undefined && agent.status !== 'terminated') agents.set(part, agent.id);
  }
  return agents.size === CAST.length ? agents : null;
}

/** Some worker of its agents has a key that is valid, and its process lives or cannot be looked at from here. */
async function isPlayed(http: HttpApi, { id }: Company, agentIds: ReadonlySet<string>): Promise<boolean> {
  for await (const { agentId, name, revokedAt } of http.keys(id)) {
    if (revokedAt === null && agentIds.has(agentId ?? '') && mayBeUsed(name ?? '')) return true;
  }
  return false;
}
