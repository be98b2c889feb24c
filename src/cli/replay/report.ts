/** The last word of a replay: one table, or one JSON object. */
import { emit, paint, plain, type Terminal } from '../terminal.ts';

export interface Report {
  readonly incidents: number;
  readonly rows: number;
  readonly agents: number;
  /** Events sent and acknowledged, creations among them. */
  readonly events: number;
  readonly journalRows: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** From sending to acknowledgement, ms: after the commit, never before. */
  readonly commitMs: { readonly p50: number; readonly p99: number };
  readonly reassignments: number;
  readonly reassignmentsOutOfRetry: number;
  readonly byState: Readonly<Record<string, number>>;
  readonly wrong: number;
  readonly problems: readonly string[];
}

const SHOWN_PROBLEMS = 10;

export function percentile(sorted: readonly number[], share: number): number {
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return Math.round((sorted[at] ?? 0) * 100) / 100;
}

export function tell(terminal: Terminal, report: Report): void {
  emit(terminal, { ...report, problems: report.problems.slice(0, SHOWN_PROBLEMS) });
  if (terminal.json) return;
  const n = (value: number) => value.toLocaleString('en').replaceAll(',', ' ');
  const states = Object.entries(report.byState).map(([state, count]) => `${n(count)} ${state}`);
  const lines: [string, string][] = [
    ['incidents', n(report.incidents)],
    ['rows', n(report.rows)],
    ['agents', n(report.agents)],
    ['events', n(report.events)],
    ['journal rows', n(report.journalRows)],
    ['time', `${report.seconds.toFixed(1)} s`],
    ['events/s', n(Math.round(report.eventsPerSecond))],
    ['commit p50', `${report.commitMs.p50} ms`],
    ['commit p99', `${report.commitMs.p99} ms`],
    ['reassignments', n(report.reassignments)],
    ['  out of a retry', n(report.reassignmentsOutOfRetry)],
    ['final states', states.join(', ')],
    [
      'wrong',
      report.wrong === 0
        ? '0: every state, assignee, priority, lock and journal is as the log says'
        : n(report.wrong),
    ],
  ];
  for (const [name, value] of lines) {
    const colour = name !== 'wrong' ? null : report.wrong === 0 ? 'green' : 'red';
    terminal.out.write(
      `  ${paint(terminal, 'dim', name.padEnd(17))} ${colour === null ? value : paint(terminal, colour, value)}\n`,
    );
  }
  for (const problem of report.problems.slice(0, SHOWN_PROBLEMS))
    terminal.out.write(`    ${plain(problem)}\n`);
  if (report.problems.length > SHOWN_PROBLEMS) {
    terminal.out.write(`    and ${report.problems.length - SHOWN_PROBLEMS} more\n`);
  }
}
