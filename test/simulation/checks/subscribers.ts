/** P8: subscribers see every version in order, without gap or duplicate, and nothing that is not committed. */
import { dotted } from '../../../src/machines/step.ts';
import type { Listened } from '../world/witness.ts';
import { type Evidence, isIssue, issueOf, type Step } from './evidence.ts';
import { type Placed, sends, shows } from './topics.ts';

export function subscribers(evidence: Evidence): string[] {
  const { entries, steps, listened } = evidence;
  if (listened.length === 0) return [];
  const byVersion = new Map(steps.map((step) => [`${step.seen.row.actorId}@${step.seen.row.version}`, step]));
  const placed = entries.map((seen) => ({
    seen,
    step: byVersion.get(`${seen.row.actorId}@${seen.row.version}`) ?? null,
  }));
  return listened.flatMap((one) => {
    const journal = placed.filter((entry) => sends(one, entry));
    return faults(one, journal, byVersion, evidence).map((text) => `${one.name} (${nameOf(one)}): ${text}`);
  });
}

function nameOf({ topic, where }: Listened): string {
  return where === null ? topic : `${topic} ${JSON.stringify(where)}`;
}

function faults(
  one: Listened,
  journal: readonly Placed[],
  byVersion: ReadonlyMap<string, Step>,
  { rested, pruned, oldest }: Evidence,
): string[] {
  const found: string[] = [];
  const byVersions = one.topic === 'journal';
  /** Retention has taken it: a journal topic that is read from the beginning need not have it. */
  const gone = ({ seen }: Placed) => seen.row.seq < (oldest.get(seen.row.companyId) ?? 0);
  const kept = (from: number | null, last: number | null, until: number) => {
    if (!byVersions || last !== 0) return from;
    let at = from;
    while (at !== null && journal[at] && journal[at]!.seen.row.version < until && gone(journal[at]!)) at++;
    return at;
  };
  const orderOf = ({ seen }: Placed) => (byVersions ? seen.row.version : seen.row.seq);
  let next: number | null = null;
  /** The number sent last on this subscription. */
  let last: number | null = null;
  for (const frame of one.frames) {
    switch (frame.is) {
      case 'opened': {
        if (next !== null) found.push('opened twice');
        if (frame.seq > frame.head) found.push(`opened at ${frame.seq}, the journal is at ${frame.head}`);
        const from = frame.recovered ? (one.since ?? 0) : byVersions ? 0 : frame.seq;
        last = from;
        next = journal.findIndex((entry) => orderOf(entry) > from);
        if (next < 0) next = journal.length;
        break;
      }
      case 'snapshot':
        found.push(...snapshotFaults(one, frame, journal, byVersion, pruned));
        break;
      case 'change': {
        next = kept(next, last, frame.version);
        const expected = next === null ? undefined : journal[next];
        const order = byVersions ? frame.version : frame.seq;
        if (frame.prev !== undefined && frame.prev !== last)
          found.push(`was sent ${order} after ${last}, prev says ${frame.prev}`);
        last = order;
        if (!frame.committed)
          found.push(`was sent ${frame.actorId}@${frame.version} before it was committed`);
        if (!expected || orderOf(expected) !== order) {
          found.push(`was sent ${order}, expected ${expected ? orderOf(expected) : 'nothing more'}`);
          return found;
        }
        found.push(...changeFaults(frame, expected, orderOf(expected)));
        next = next! + 1;
        break;
      }
      case 'reset':
        break;
    }
  }
  next = kept(next, last, Number.POSITIVE_INFINITY);
  if (rested && one.open && next !== null && next < journal.length) {
    found.push(`was never sent ${orderOf(journal[next]!)}, the journal ends at ${orderOf(journal.at(-1)!)}`);
  }
  return found;
}

function snapshotFaults(
  one: Listened,
  frame: { seq: number; items: readonly string[] },
  journal: readonly Placed[],
  byVersion: ReadonlyMap<string, Step>,
  pruned: ReadonlySet<string>,
): string[] {
  const found: string[] = [];
  const versions = new Map<string, number>();
  for (const entry of journal) {
    const { actorId, seq, version } = entry.seen.row;
    if (seq > frame.seq) continue;
    if (shows(one, entry)) versions.set(actorId, version);
    else versions.delete(actorId);
  }
  for (const text of frame.items) {
    const item = JSON.parse(text) as { id: string; version: number };
    if (versions.get(item.id) !== item.version) {
      found.push(
        `snapshot ${frame.seq} has ${item.id}@${item.version}, the journal ${versions.get(item.id)}`,
      );
    } else {
      found.push(...viewFaults(item as never, byVersion.get(`${item.id}@${item.version}`)));
    }
    versions.delete(item.id);
  }
  for (const id of versions.keys()) if (!pruned.has(id)) found.push(`snapshot ${frame.seq} is without ${id}`);
  return found;
}

function changeFaults(
  frame: { actorId: string; version: number; text: string },
  { seen: { json, row }, step }: Placed,
  /** What the topic counts by: the company's seq, or versions. */
  order: number,
): string[] {
  const change = JSON.parse(frame.text) as Record<string, unknown>;
  const found: string[] = [];
  if (frame.actorId !== row.actorId)
    found.push(`change ${row.seq} is of ${frame.actorId}, the journal's of ${row.actorId}`);
  for (const [key, value] of [
    ['seq', order],
    ['version', row.version],
    ['type', json.type],
    ['from', json.from],
    ['to', json.to],
    ['at', row.at],
  ] as const) {
    if (change[key] !== value)
      found.push(`change ${row.seq} says ${key} ${change[key]}, the journal ${value}`);
  }
  if (JSON.stringify(change.effects) !== JSON.stringify(json.effects)) {
    found.push(`change ${row.seq} has other effects than the journal`);
  }
  const view = change.issue;
  if (view) found.push(...viewFaults(view as never, step));
  return found;
}

/** A view shows its version: what the state alone decides. */
function viewFaults(
  view: {
    id: string;
    version: number;
    state: string;
    substate: string | null;
    fence: number;
    assigneeAgentId: string | null;
    lock: { runId: string } | null;
  },
  step: Step | null | undefined,
): string[] {
  if (!step || !isIssue(step)) return [];
  const context = issueOf(step.after);
  const shown = [
    view.version,
    view.substate === null ? view.state : `${view.state}.${view.substate}`,
    view.fence,
    view.assigneeAgentId,
    view.lock?.runId ?? null,
  ];
  const is = [
    step.after.version,
    dotted(step.after.state.value),
    context.fence,
    context.assignee,
    context.run ? `${view.id}.${context.run.n}` : null,
  ];
  const same = JSON.stringify(shown) === JSON.stringify(is);
  return same ? [] : [`the view of ${view.id} shows ${JSON.stringify(shown)}, it is ${JSON.stringify(is)}`];
}
