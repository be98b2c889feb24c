/** What the doctor sees of a running server, through its public doors. */
import type { Client } from '../../client/client.ts';
import { whole } from '../../client/put-aside.ts';
import type { IssueView } from '../../machines/view.ts';
import { VERSION } from '../../version.ts';
import { bad, type Finding, ok, unknown, warning } from './finding.ts';

const LATE_MS = 5000;
const NAMED = 5;

export interface Health {
  readonly version: string | null;
  readonly ready: boolean;
  readonly reason: string | null;
}

/** Null: nobody answers there. */
export async function healthOf(url: string, withinMs = LATE_MS): Promise<Health | null> {
  try {
    const answer = (path: string) => fetch(`${url}${path}`, { signal: AbortSignal.timeout(withinMs) });
    const health = (await (await answer('/healthz')).json()) as { ok?: boolean; version?: string };
    if (health.ok !== true) return null;
    const ready = (await (await answer('/readyz')).json()) as { ready?: boolean; reason?: string };
    return { version: health.version ?? null, ready: ready.ready === true, reason: ready.reason ?? null };
  } catch {
    return null;
  }
}

/** @param silent of a server whose process lives: what there is to say of it where nobody answers */
export function serverFindings(
  url: string,
  health: Health | null,
  isNamed: boolean,
  silent: { what: string; todo: string } | null = null,
): Finding[] {
  if (health === null) {
    if (silent !== null) return [bad('server', `nobody answers at ${url}: ${silent.what}`, silent.todo)];
    const todo = 'Start one with `baton start`, or name another with --url.';
    const text = `nobody answers at ${url}`;
    return [isNamed ? bad('server', text, todo) : warning('server', text, todo)];
  }
  const { version, ready, reason } = health;
  return [
    ready
      ? ok('server', `${url} is ready`)
      : bad(
          'server',
          `${url} is not ready: ${reason}`,
          'Its log says more; it goes on by itself when that is over.',
        ),
    version === VERSION
      ? ok('server version', `${version}, as this command`)
      : warning('server version', `${version}; this command is ${VERSION}`, 'Use the same version of both.'),
  ];
}

const OPEN = ['idle', 'running', 'scheduled-retry'] as const;

/** How many actors the server has put aside, agents among them; 0 where its metrics are not for us. */
export async function quarantinedOf(url: string, token: string | null): Promise<number> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/metrics`, { headers, signal: AbortSignal.timeout(LATE_MS) });
  return Number(/^baton_quarantined (\d+)$/m.exec(await answer.text())?.[1] ?? 0);
}

/**
 * Leases and quarantined actors, from what the server shows of its issues.
 * @param putAside by the server's own count: there may be agents among them, which no issue shows
 * @param at told how many of how many open issues were read
 */
export async function workFindings(
  client: Client,
  putAside: number,
  at: (read: number, total: number) => void,
): Promise<Finding[]> {
  const now = client.serverNow();
  let read = 0;
  let total = 0;
  const late: IssueView[] = [];
  const quarantined: IssueView[] = [];
  let executing = 0;
  for await (const { id } of client.http.companies()) {
    const { byState } = await client.http.stats(id);
    for (const state of OPEN) total += byState[state] ?? 0;
    for await (const issue of client.http.issues(id, { state: OPEN, limit: 500 })) {
      at(++read, total);
      if (issue.why.code === 'quarantined') quarantined.push(whole(issue, () => issue.id));
      const until = issue.state === 'running' ? (issue.run?.leaseUntil ?? null) : null;
      if (until === null) continue;
      executing++;
      if (now - until > LATE_MS) late.push(issue);
    }
  }
  return [
    late.length === 0
      ? ok('leases', `${executing} runs are executing, none beyond its lease`)
      : bad(
          'leases',
          `${late.length} of ${executing} runs are beyond their lease: ${namesOf(late)}`,
          'The server does not keep up with its timers: see its log and the load of the machine, then restart it.',
        ),
    quarantined.length === 0 && putAside === 0
      ? ok('quarantined', 'no issue and no agent is put aside')
      : bad(
          'quarantined',
          `${Math.max(quarantined.length, putAside)} actors are put aside: ${namesOf(quarantined) || 'agents'}`,
          '`baton why ID` and the server’s log have the cause; a version that mends it takes them up again.',
        ),
  ];
}

export const UNSEEN: readonly Finding[] = ['leases', 'quarantined'].map((about) =>
  unknown(about, 'not seen: there is no server to ask', 'Run this again when one is up.'),
);

function namesOf(issues: readonly IssueView[]): string {
  const names = issues.slice(0, NAMED).map(({ identifier }) => identifier);
  return issues.length > NAMED ? `${names.join(', ')} …` : names.join(', ');
}
