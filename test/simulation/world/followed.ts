/**
 * What a subscriber follows: a whole company, what is left of it by a filter, an agent, an issue or a journal. Whose issue
 * it is comes out when there is one.
 */
import type { Chance } from './chance.ts';
import type { Listened, Narrowed } from './witness.ts';
import type { Company } from './world.ts';

export type Followed = Pick<Listened, 'topic' | 'actorId' | 'where'>;

/** Of those who do not follow a journal: what they follow, by weight. */
const STATE_TOPICS = { company: 4, narrowed: 3, agent: 3, issue: 1 };
const STATES: NonNullable<Narrowed['state']>[] = [
  ['running'],
  ['scheduled-retry'],
  ['running', 'scheduled-retry'],
  ['idle', 'done'],
];
const PRIORITIES: NonNullable<Narrowed['priority']>[] = [['critical', 'high'], ['medium']];

export function drawStateTopic(chance: Chance, company: Company): Followed {
  const agentOf = () => chance.pick(company.agents).id;
  switch (chance.weighed(STATE_TOPICS)) {
    case 'company':
      return { topic: 'company', actorId: null, where: null };
    case 'narrowed':
      return { topic: 'company', actorId: null, where: drawWhere(chance, agentOf) };
    case 'agent':
      return { topic: 'agent', actorId: agentOf(), where: null };
    case 'issue':
      return { topic: 'issue', actorId: null, where: null };
  }
}

function drawWhere(chance: Chance, agentOf: () => string): Narrowed {
  const state = chance.pick(STATES);
  switch (chance.weighed({ state: 3, assignee: 3, priority: 1, both: 2 })) {
    case 'state':
      return { state };
    case 'assignee':
      return { assignee: agentOf() };
    case 'priority':
      return { priority: chance.pick(PRIORITIES) };
    case 'both':
      return { state, assignee: agentOf() };
  }
}
