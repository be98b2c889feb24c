/** P8: subscribers see every version in order, without gap or duplicate, and nothing that is not committed. */
import { dotted } from '../../../src/machines/step.ts';
import type { Listened, Seen } from '../world/witness.ts';
import { type Evidence, isIssue, issueOf, type Step } from './evidence.ts';

export function subscribers(evidence: Evidence): string[] {
  const { entries, steps, listened } = evidence;
  const byVersion = new Map(steps.map((step) => [`${step.seen.row.actorId}@${step.seen.row.version}`, step]));
  return listened.flatMap((one) => {
    const journal = entries.filter((seen) => wants(one, seen));
    return faults(one, journal, byVersion, evidence).map((text) => `${one.name} (${one.topic}): ${text}`);
  });
}

function wants(one: Listened, { row }: Seen): boolean {
  return one.topic === 'company'
    ? row.companyId === one.companyId && row.actorId.startsWith('i')
    : row.actorId === one.actorId;
}

function faults(
  one: Listened,
  journal: readonly Seen[],
  byVersion: ReadonlyMap<string, Step>,
  { rested, pruned, oldest }: Evidence,
): string[] {
  const found: string[] = [];
  /** Retention has taken it: a journal topic that is read from the beginning need not have it. */
  const gone = (seen: Seen) => seen.row.seq < (oldest.get(seen.row.companyId) ?? 0);
  const kept = (from: number | null, last: number | null, until: number) => {
    if (one.topic !== 'journal' || last !== 0) return from;
    let at = from;
    while (at !== null && journal[at] && journal[at]!.row.version < until && gone(journal[at]!)) at++;
    return at;
  };
  const orderOf = (seen: Seen) => (one.topic === 'company' ? seen.row.seq : seen.row.version);
  let next: number | null = null;
  /** The number sent last on this subscription. */
  let last: number | null = null;
  for (const frame of one.frames) {
    switch (frame.is) {
      case 'opened': {
        if (next !== null) found.push('opened twice');
        if (frame.seq > frame.head) found.push(`opened at ${frame.seq}, the journal is at ${frame.head}`);
        const from = frame.recovered ? (one.since ?? 0) : one.topic === 'journal' ? 0 : frame.seq;
        last = from;
        next = journal.findIndex((seen) => orderOf(seen) > from);
        if (next < 0) next = journal.length;
        break;
      }
      case 'snapshot':
        found.push(...snapshotFaults(frame, journal, byVersion, pruned));
        break;
      case 'change': {
        next = kept(next, last, frame.version);
        const expected = next === null ? undefined : journal[next];
        const order = one.topic === 'company' ? frame.seq : frame.version;
        if (frame.prev !== undefined && frame.prev !== last)
          found.push(`was sent ${order} after ${last}, prev says ${frame.prev}`);
        last = order;
        if (!frame.committed)
          found.push(`was sent ${frame.actorId}@${frame.version} before it was committed`);
        if (!expected || orderOf(expected) !== order) {
          found.push(`was sent ${order}, expected ${expected ? orderOf(expected) : 'nothing more'}`);
          return found;
        }
        found.push(...changeFaults(frame, expected, orderOf(expected), byVersion));
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
  frame: { seq: number; items: readonly string[] },
  journal: readonly Seen[],
  byVersion: ReadonlyMap<string, Step>,
  pruned: ReadonlySet<string>,
): string[] {
  const found: string[] = [];
  const versions = new Map<string, number>();
  for (const { row } of journal) if (row.seq <= frame.seq) versions.set(row.actorId, row.version);
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
  expected: Seen,
  /** What the topic counts by: the company's seq, or versions. */
  order: number,
  byVersion: ReadonlyMap<string, Step>,
): string[] {
  const change = JSON.parse(frame.text) as Record<string, unknown>;
  const { json, row } = expected;
  const found: string[] = [];
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
  if (view) found.push(...viewFaults(view as never, byVersion.get(`${row.actorId}@${row.version}`)));
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
  step: Step | undefined,
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
