/** What the server says in the end against what the log says: every state, assignee, priority, lock and journal. */
import type { Change } from '../../client/frames.ts';
import type { HttpApi } from '../../client/http.ts';
import type { IssueView } from '../../machines/view.ts';
import { atOnce } from './at-once.ts';
import type { Ack, Play } from './player.ts';

/** Journals read at a time. */
const READING = 32;

export interface Verdict {
  /** Journal rows of all incidents together. */
  readonly journalRows: number;
  /** One sentence for each thing that is wrong. */
  readonly wrong: readonly string[];
}

export async function check(
  http: HttpApi,
  companyId: string,
  plays: readonly Play[],
  agents: ReadonlyMap<string, string>,
  checked: (n: number) => void,
): Promise<Verdict> {
  const views = new Map<string, IssueView>();
  for await (const issue of http.issues(companyId, { limit: 500 })) views.set(issue.id, issue);
  const wrong: string[] = [];
  let journalRows = 0;
  let done = 0;
  await atOnce(READING, plays, async (play) => {
    const journal: Change[] = [];
    for await (const change of http.journal(play.issueId)) journal.push(change);
    journalRows += journal.length;
    const view = views.get(play.issueId);
    const faults = [
      ...(play.problem === null ? [] : [play.problem]),
      ...(view === undefined ? ['the issue is gone'] : viewFaults(play, view, agents)),
      ...journalFaults(journal, view?.version ?? 0, play.acks),
    ];
    wrong.push(...faults.map((fault) => `${play.plan.number}: ${fault}`));
    checked(++done);
  });
  return { journalRows, wrong };
}

export function viewFaults(
  { plan }: Pick<Play, 'plan'>,
  view: IssueView,
  agents: ReadonlyMap<string, string>,
): string[] {
  const { state, assignee, priority } = plan.final;
  const agentId = assignee === null ? null : (agents.get(assignee) ?? 'nobody hired');
  const faults: string[] = [];
  if (view.state !== state) faults.push(`its state is ${view.state}, the log says ${state}`);
  if (view.assigneeAgentId !== agentId)
    faults.push(`its assignee is ${view.assigneeAgentId}, the log says ${assignee}`);
  if (view.priority !== priority) faults.push(`its priority is ${view.priority}, the log says ${priority}`);
  const holds = view.state === 'running' || view.state === 'scheduled-retry';
  if (!holds && view.lock !== null) faults.push(`it is ${view.state} and yet locked by ${view.lock.runId}`);
  if (holds && view.lock?.agentId !== agentId) {
    faults.push(`its lock is ${view.lock === null ? 'free' : view.lock.agentId}, not its assignee's`);
  }
  return faults;
}

/** Versions 1..n without a gap, everything acknowledged in its place, and reassignments that left no retry behind. */
export function journalFaults(journal: readonly Change[], version: number, acks: readonly Ack[]): string[] {
  const faults: string[] = [];
  const gap = journal.findIndex((row, i) => row.version !== i + 1);
  if (gap >= 0) faults.push(`its journal has ${journal[gap]?.version} where version ${gap + 1} should be`);
  if (journal.length !== version)
    faults.push(`its journal has ${journal.length} rows, its version is ${version}`);
  for (const ack of acks) {
    const row = journal[ack.version - 1];
    if (row?.type !== ack.type) {
      faults.push(
        `line ${ack.line}: ${ack.type} was acknowledged as version ${ack.version}, the journal has ${row?.type ?? 'nothing'}`,
      );
    } else if (ack.outOfRetry) {
      const effects = row.effects.map((e) => e.type);
      const missing = ['retry.cancelled', 'run.cancelled', 'lock.released'].filter(
        (e) => !effects.includes(e),
      );
      if (missing.length > 0)
        faults.push(`line ${ack.line}: the reassignment did not cause ${missing.join(', ')}`);
    }
  }
  return faults;
}
