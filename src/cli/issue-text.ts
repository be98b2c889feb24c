/** Issues, their times and their history as text. */
import type { Change } from '../client/frames.ts';
import type { IssueView } from '../machines/view.ts';

/** `running.queued`, `done` … */
export function stateOf(issue: IssueView): string {
  return issue.substate === null ? issue.state : `${issue.state}.${issue.substate}`;
}

/** `4 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return join(Math.floor(s / 60), 'min', s % 60, 's');
  if (s < 86_400) return join(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'min');
  return join(Math.floor(s / 86_400), 'd', Math.floor((s % 86_400) / 3600), 'h');
}

function join(a: number, aUnit: string, b: number, bUnit: string): string {
  return b === 0 ? `${a} ${aUnit}` : `${a} ${aUnit} ${b} ${bUnit}`;
}

/** `in 2 min`, `4 s ago`. */
export function relative(at: number, now: number): string {
  return at > now ? `in ${duration(at - now)}` : `${duration(now - at)} ago`;
}

/** `2026-11-24 18:52:10`, in the time zone of this machine. */
export function timeOf(at: number): string {
  const time = new Date(at);
  const day = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(twoDigits).join('-');
  return `${day} ${clockTime(at)}`;
}

/** `18:52:10`, in the time zone of this machine. */
export function clockTime(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(':');
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}

const ISO = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
const DAY_MS = 86_400_000;

/** A sentence of the server's with its times as one reads them here; the date only where it is another day. */
export function withLocalTimes(text: string, now: number): string {
  return text.replace(ISO, (iso) => {
    const at = Date.parse(iso);
    const isToday = Math.abs(at - now) < DAY_MS && new Date(at).getDate() === new Date(now).getDate();
    return isToday ? clockTime(at) : timeOf(at);
  });
}

/** What moves an issue next without anybody asking, or null. */
export function nextOf(issue: IssueView, now: number): string | null {
  const { nextEvent, nextAt } = issue;
  if (nextEvent === null) return null;
  if (nextEvent === LEASE_EXPIRED) return leaseOf(issue, now);
  if (nextEvent === 'GRANT') return 'GRANT, once a worker of its agent has a free slot for it';
  return nextAt === null ? nextEvent : `${nextEvent} ${relative(nextAt, now)}`;
}

/** The same as a sentence of its own, or ''. */
export function nextSentence(issue: IssueView, now: number): string {
  const next = nextOf(issue, now);
  if (next === null) return '';
  const isLease = issue.nextEvent === LEASE_EXPIRED;
  return isLease ? `${next.charAt(0).toUpperCase()}${next.slice(1)}.` : `Next: ${next}.`;
}

const LEASE_EXPIRED = 'LEASE.EXPIRED';

/** Not said to come: the worker of a healthy run renews its lease again and again. */
function leaseOf({ run, nextAt }: IssueView, now: number): string {
  const whose = run === null ? 'the old run’s' : 'its';
  if (nextAt === null) return `${whose} lease holds for as long as its worker sends heartbeats`;
  return nextAt > now
    ? `${whose} lease ends in ${duration(nextAt - now)} unless its worker sends a heartbeat`
    : `${whose} lease ended ${duration(now - nextAt)} ago: the run is about to be given up`;
}

/** Who holds an issue and what that means, or null. `reserved` refuses nobody: it says whose turn it is. */
export function lockOf({ lock, state }: IssueView, nameOf: (id: string) => string): string | null {
  if (lock === null) return null;
  const whose = `agent ${nameOf(lock.agentId)}`;
  const run = `run ${lock.runId}, fence ${lock.fence}`;
  if (lock.mode === 'executing') return `executing by ${whose} (${run}): only it may report on it`;
  const forWhat = state === 'scheduled-retry' ? 'for its retry' : 'for its next run';
  return `reserved ${forWhat} by ${whose} (${run}); released when it is reassigned or cancelled`;
}

/**
 * One journal row on one line: `7  RUN.FAILED  running.executing → scheduled-retry  run.failed, retry.scheduled`.
 * @param names of agents, by id
 */
export function changeCells(change: Change, names: ReadonlyMap<string, string>): string[] {
  return [
    timeOf(change.at),
    String(change.version),
    change.type,
    change.from === null || change.from === change.to ? change.to : `${change.from} → ${change.to}`,
    `${change.actor.kind} ${names.get(change.actor.id) ?? change.actor.id}`,
    change.effects.map((e) => e.type).join(', '),
  ];
}

export const CHANGE_COLUMNS = [
  { head: 'TIME' },
  { head: 'V', align: 'right' as const },
  { head: 'EVENT' },
  { head: 'STATE', flexible: true },
  { head: 'BY', optional: true },
  { head: 'EFFECTS', flexible: true },
];
