/**
 * What each topic is of (protocol.md section 6), worked out of the replayed journal alone: no filter of the code under test
 * is asked.
 */

import { dotted } from '../../../src/machines/step.ts';
import { PRIORITIES } from '../../../src/machines/view.ts';
import type { Version } from '../../../src/supervisor/resident.ts';
import type { Listened, Narrowed, Seen } from '../world/witness.ts';
import { issueOf, type Step } from './evidence.ts';

/** What a subscription is of: its topic without what it was sent. */
export type Topic = Pick<Listened, 'companyId' | 'topic' | 'actorId' | 'where'>;

/** An entry with what its replay gave; null: it could not be replayed. */
export interface Placed {
  readonly seen: Seen;
  readonly step: Step | null;
}

/** Whether the topic sends this entry: what matched before it or matches after, so that a reader sees it leave. */
export function sends(topic: Topic, { seen, step }: Placed): boolean {
  const { companyId, actorId } = seen.row;
  if (topic.topic === 'journal' || topic.topic === 'issue') return actorId === topic.actorId;
  if (companyId !== topic.companyId) return false;
  if (topic.topic === 'agent' && actorId === topic.actorId) return true;
  if (!actorId.startsWith('i')) return false;
  if (isWhole(topic)) return true;
  return step !== null && (has(topic, step.after) || (step.before !== null && has(topic, step.before)));
}

/** Whether the topic's snapshot shows the actor as of this entry. */
export function shows(topic: Topic, { seen, step }: Placed): boolean {
  if (!seen.row.actorId.startsWith('i')) return false;
  return isWhole(topic) || (step !== null && has(topic, step.after));
}

/** It has all there is, whatever state that is in. */
function isWhole({ topic, where }: Topic): boolean {
  return topic !== 'agent' && where === null;
}

/** Whether an agent's topic or one with a filter has the issue as of this version. */
function has({ actorId, where }: Topic, version: Version): boolean {
  if (where !== null) return within(where, version);
  const { run, assignee, detached } = issueOf(version);
  return (run !== null && assignee === actorId) || detached?.agent === actorId;
}

function within({ state, assignee, priority }: Narrowed, version: Version): boolean {
  const issue = issueOf(version);
  const [name] = dotted(version.state.value).split('.');
  if (state && !state.some((one) => one === name)) return false;
  if (assignee !== undefined && issue.assignee !== assignee) return false;
  return !priority || priority.some((one) => one === PRIORITIES[issue.priority]);
}
