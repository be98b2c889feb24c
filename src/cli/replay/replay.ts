/** A whole replay, in order: hire the agents, make the issues, play them all, check them all, report. */
import { type Client, connect } from '../../client/client.ts';
import type { HttpApi } from '../../client/http.ts';
import type { Call } from '../command.ts';
import { freshCompany } from '../fresh-company.ts';
import { progressing } from '../progress.ts';
import { atOnce } from './at-once.ts';
import { check } from './check.ts';
import { Crew } from './crew.ts';
import type { Host } from './host.ts';
import { type Plan, totalsOf } from './plan.ts';
import { type Play, Player } from './player.ts';
import { percentile, type Report } from './report.ts';

/** Incidents being played at a time. */
const PLAYING = 256;
/** Operator's sockets: the rate limit is per connection. */
const OPERATORS = 4;
/** Issues made in one request: one turn of the server, in which nobody else's events are served. */
const BULK = 100;

export async function replay(call: Call, host: Host, plans: readonly Plan[], rows: number): Promise<Report> {
  const { clock, random, signal } = call;
  const { url, token } = host;
  const crew = new Crew();
  const operators: Client[] = [];
  try {
    for (let i = 0; i < OPERATORS; i++) {
      operators.push(await connect({ url, token, connectTimeoutMs: 0, clock, chance: random }));
    }
    const http = (operators[0] as Client).http;
    const company = await freshCompany(http, 'Replay of an event log', 'INC');
    const names = namesOf(plans);
    const where = { http, url, companyId: company.id, clock, chance: random };
    await progressing(call, 'hiring  ', names.length, (bar) => crew.hire(names, where, (n) => bar.at(n)));
    signal.throwIfAborted();

    const begunAt = clock.monotonic();
    const plays = await create(http, company.id, plans, crew);
    const player = new Player(operators, crew, clock, signal);
    await playAll(call, player, plays);
    const seconds = (clock.monotonic() - begunAt) / 1000;

    const verdict = await progressing(call, 'checking', plays.length, (bar) =>
      check(http, company.id, plays, crew.agents, (n) => bar.at(n)),
    );
    const latencies = player.latencies.sort((a, b) => a - b);
    const events = latencies.length + plays.length;
    const { reassignments, outOfRetry } = totalsOf(plans);
    return {
      incidents: plays.length,
      rows,
      agents: names.length,
      events,
      journalRows: verdict.journalRows,
      seconds,
      eventsPerSecond: events / seconds,
      commitMs: { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
      reassignments,
      reassignmentsOutOfRetry: outOfRetry,
      byState: countBy(plans.map((p) => p.final.state)),
      wrong: verdict.wrong.length,
      problems: verdict.wrong,
    };
  } finally {
    crew.close();
    for (const operator of operators) operator.close();
  }
}

async function playAll(call: Call, player: Player, plays: readonly Play[]): Promise<void> {
  const total = plays.reduce((sum, { plan }) => sum + plan.steps.length, 0);
  await progressing(call, 'playing ', total, async (bar) => {
    const play = async (one: Play, from: number, to: number, waits: boolean) => {
      await player.play(one, from, to, waits);
      bar.at(player.steps);
    };
    await atOnce(PLAYING, plays, (one) => play(one, 0, one.plan.rest, true));
    const unfinished = plays.filter(({ plan }) => plan.rest < plan.steps.length);
    await atOnce(PLAYING, unfinished, (one) => play(one, one.plan.rest, one.plan.steps.length, false));
  });
}

/** All issues, at rest: nobody is woken before the first row is played. */
async function create(http: HttpApi, companyId: string, plans: readonly Plan[], crew: Crew): Promise<Play[]> {
  const plays: Play[] = [];
  for (let from = 0; from < plans.length; from += BULK) {
    const some = plans.slice(from, from + BULK);
    const asked = some.map(({ number, birth }) => ({
      title: number,
      priority: birth.priority,
      assigneeAgentId: birth.assignee === null ? null : (crew.agents.get(birth.assignee) as string),
      context: { ...birth.context },
      wake: false,
    }));
    const { items } = await http.createIssues(companyId, asked);
    const byTitle = new Map(items.map((issue) => [issue.title, issue.id]));
    for (const plan of some) {
      plays.push({ plan, issueId: byTitle.get(plan.number) as string, acks: [], problem: null });
    }
  }
  return plays;
}

function namesOf(plans: readonly Plan[]): string[] {
  const names = new Set<string>();
  for (const { birth, steps } of plans) {
    if (birth.assignee !== null) names.add(birth.assignee);
    for (const step of steps) if (step.do === 'assign' && step.to !== null) names.add(step.to);
  }
  return [...names];
}

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
