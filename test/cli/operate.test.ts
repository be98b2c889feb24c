/** The commands an operator types, against a real server. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bucketsIn, quantile } from '../../src/cli/commit-latency.ts';
import { statusOf } from '../../src/cli/live-status.ts';
import { call, office, startServer, type TestServer } from '../support/server.ts';
import { baton, commandLines } from './world.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const { at, shown } = commandLines(() => server);

describe('from nothing to work', () => {
  it('company, agent, issue, key: each is made with a command, and each next step is said', async () => {
    const made = await at(['companies', 'create', 'ops', 'Operations']);
    expect(made.lines()).toMatchObject([{ prefix: 'OPS', name: 'Operations' }]);
    expect(await shown('agents', '--company', 'OPS')).toContain('baton agents create');
    await at(['agents', 'create', 'ada', '--company', 'OPS', '--slots', '2']);
    expect(await shown('agents', '--company', 'OPS')).toMatch(/OPS +ada +active +no +0\/2 +0 /);
    const issue = await at([
      'issue',
      'create',
      'Fix login',
      '--assignee',
      'ada',
      '--priority',
      'high',
      '--context',
      '{"a":1}',
    ]);
    expect(issue.lines()).toMatchObject([
      { identifier: 'OPS-1', priority: 'high', state: 'running', context: { a: 1 } },
    ]);
    const key = await at(['keys', 'create', '--agent', 'ada', '--name', 'laptop']);
    const { id, token } = key.lines()[0] as { id: string; token: string };
    expect(token).toContain(id);
    expect(await shown('keys', '--company', 'OPS')).toMatch(
      new RegExp(`OPS +${id} +agent +ada +laptop .* valid`),
    );
    expect(await shown('keys', '--company', 'OPS')).not.toContain(token);
    expect((await at(['keys', 'revoke', id])).code).toBe(0);
    expect(await shown('keys', '--company', 'OPS')).not.toContain(id);
    expect(await shown('keys', '--company', 'OPS', '--all')).toMatch(/revoked 20/);
  });

  it('a title is taken here when the server takes it', async () => {
    const { prefix, companyId } = await office(server);
    for (const title of [' ', 'x'.repeat(500), 'x'.repeat(501), '']) {
      const { status } = await call(server, 'POST', `/companies/${companyId}/issues`, { title });
      const { code } = await at(['issue', 'create', title, '--company', prefix]);
      expect([title.length, code]).toEqual([title.length, status === 201 ? 0 : 2]);
    }
  });

  it('a key used again for another request answers the first, and the other is not carried out', async () => {
    const desk = await office(server);
    const issue = await desk.issue();
    const send = async (...event: string[]) =>
      (await at(['send', issue.id, ...event, '--key', 'once'])).lines()[0];
    expect(await send('PRIORITY', 'priority=high')).toMatchObject({ version: 2, duplicate: false });
    expect(await send('CANCEL')).toMatchObject({ version: 2, duplicate: true, issue: { state: 'idle' } });
    const make = async (title: string) =>
      (await call(server, 'POST', `/companies/${desk.companyId}/issues`, { title }, { key: 'once' })).body;
    const made = await make('one');
    expect(await make('another')).toEqual({ ...made, duplicate: true });
  });

  it('why, issue and stuck call an agent by its name', async () => {
    for (const argv of [
      ['why', 'OPS-1'],
      ['issue', 'OPS-1'],
    ]) {
      expect(await shown(...argv)).toContain('agent ada');
    }
    expect(await shown('stuck', '--company', 'OPS')).toMatch(
      /1 · no worker of its agent asks for work +start one[\s\S]*OPS-1 +Fix login +ada/,
    );
  });

  it('reading is interrupted at once, however much there is', async () => {
    const desk = await office(server, 'page');
    await desk.issue(desk.agents[0]);
    const interrupt = new AbortController();
    interrupt.abort('SIGINT');
    for (const argv of [['issues'], ['stuck']]) {
      const { code, out } = await at([...argv, '--company', desk.prefix], { signal: interrupt.signal });
      expect([code, out]).toEqual([130, '']);
    }
  });

  it('send calls an agent by its name, too', async () => {
    const desk = await office(server, 'hopper');
    const issue = await desk.issue(desk.agents[0]);
    const out = await shown('send', issue.identifier, 'PRIORITY', 'priority=high');
    expect(out).toContain('of agent hopper');
    expect(out).not.toContain(desk.agents[0]);
  });

  it('a sentence that begins with an agent has its name, and so has the history', async () => {
    const desk = await office(server, 'grace');
    const issue = await desk.issue(desk.agents[0]);
    await desk.claim(desk.agents[0] ?? '', 1000);
    const text = (await shown('why', issue.identifier)) + (await shown('issue', issue.identifier));
    expect(text).toContain('Agent grace is executing');
    expect(text).not.toContain(desk.agents[0]);
  });

  it('agents are paused, resumed, changed and terminated', async () => {
    await at(['agents', 'create', 'eve', '--company', 'OPS']);
    const states: string[] = [];
    for (const argv of [
      ['pause', 'eve'],
      ['resume', 'eve'],
      ['update', 'eve', '--slots', '7'],
      ['terminate', 'eve'],
    ]) {
      const [agent] = (await at(['agents', ...argv, '--company', 'OPS'])).lines();
      states.push(`${agent?.status} ${agent?.maxConcurrentRuns}`);
    }
    expect(states).toEqual(['paused 1', 'active 1', 'active 7', 'terminated 7']);
  });

  it('assign, retry and cancel send their events with the reason', async () => {
    const desk = await office(server, 'one', 'two');
    const issue = await desk.issue(desk.agents[0]);
    const { lines } = await at(['assign', issue.identifier, 'two', '--reason', 'one is on holiday']);
    expect(lines()[0]).toMatchObject({ issue: { assigneeAgentId: desk.agents[1] } });
    expect((await at(['assign', issue.id, '--nobody'])).lines()[0]).toMatchObject({
      issue: { assigneeAgentId: null },
    });
    await at(['assign', issue.identifier, desk.agents[1] ?? '']);
    expect(await shown('cancel', issue.identifier)).toBe(`${issue.identifier}: cancelled. Cancelled.\n`);
    for (const ref of [issue.identifier, issue.id]) {
      const refused = await at(['retry', ref]);
      expect([refused.code, refused.err]).toEqual([
        3,
        expect.stringContaining(`baton: ${issue.identifier}: `),
      ]);
    }
    expect((await at(['cancel', 'NOPE-1'])).err.match(/NOPE-1/g)).toHaveLength(1);
    const journal = await desk.journal(issue.id);
    expect(journal.map(({ type }) => type)).toEqual(['CREATED', 'ASSIGN', 'ASSIGN', 'ASSIGN', 'CANCEL']);
  });

  it('a number is an issue of the company that is named, and an identifier of another is refused', async () => {
    const [one, two] = [await office(server), await office(server)];
    const issue = await one.issue();
    const there = await two.issue();
    const of = ['--company', one.prefix.toLowerCase()];
    for (const name of ['why', 'issue']) {
      expect((await at([name, '1', ...of])).lines()[0]).toMatchObject({ id: issue.id });
    }
    const elsewhere = await at(['why', there.identifier, ...of]);
    expect([elsewhere.code, elsewhere.err]).toEqual([
      2,
      expect.stringContaining(`${there.identifier} is not of company ${one.prefix}`),
    ]);
    expect((await at(['why', there.id, ...of])).code).toBe(2);
    expect((await at(['tail', '1', '--since', '0', '--count', '1', ...of])).lines()[0]).toMatchObject({
      issueId: issue.id,
    });
    expect((await at(['send', '1', 'PRIORITY', 'priority=high', ...of])).code).toBe(0);
    expect((await at(['cancel', '1', ...of])).lines()[0]).toMatchObject({ issue: { id: issue.id } });
    expect((await at(['retry', '1', ...of])).code).toBe(3);
    expect((await at(['assign', '1', '--nobody', ...of])).lines()[0]).toMatchObject({ unchanged: true });
  });

  it('many are sent one after the other; one that refuses does not keep the others from it', async () => {
    const desk = await office(server, 'one');
    const [a, b] = [await desk.issue(), await desk.issue()];
    const { code, err, lines } = await at(['cancel', a.identifier, 'NOPE-1', b.identifier, '--json']);
    expect(code).toBe(1);
    expect(lines().map((l) => (l.issue as { identifier: string }).identifier)).toEqual([
      a.identifier,
      b.identifier,
    ]);
    expect(JSON.parse(err)).toMatchObject({
      error: { code: 'NOT_FOUND', message: expect.stringContaining('NOPE-1') },
    });
  });

  it('tail of one issue calls it by its identifier', async () => {
    const desk = await office(server);
    const issue = await desk.issue();
    const out = await shown('tail', issue.identifier, '--since', '0', '--count', '1');
    expect(out).toContain(`${issue.identifier} v1  CREATED`);
    expect(out).not.toContain(issue.id);
  });

  it.each([
    [['agents', 'frobnicate', 'x'], 2, 'create, update, pause, resume, terminate'],
    [['agents', 'pause', 'nobody-there'], 1, 'There is no agent nobody-there'],
    [['agents', 'create', 'x', '--company', 'NOSUCH'], 1, 'no company NOSUCH'],
    [['keys', 'create'], 2, '--role'],
    [['keys', 'create', '--role', 'agent'], 2, '--agent NAME'],
    [['keys', 'revoke'], 2, 'revoke ID'],
    [['keys', 'create', '--role', 'king'], 2, 'operator or agent or viewer'],
    [['assign', 'OPS-1'], 2, 'To whom?'],
    [['assign', 'OPS-1', 'nobody-there'], 1, 'nobody-there'],
    [['issue', 'create', 'x', '--context', '{'], 2, '--context'],
    [['issue', 'create', ''], 2, 'The title is empty'],
    [['why', '1'], 2, 'Name the company of issue 1 with --company'],
    [['why', 'OPS-1', '--company', 'NOSUCH'], 1, 'no company NOSUCH'],
    [['issue', 'OPS-1', 'OPS-2'], 2, 'Unexpected argument "OPS-2"'],
    [['companies', 'drop', 'OPS'], 2, 'create PREFIX'],
    [['issues', '--limit', '-1'], 2, '--limit: must be a whole number from 0, not "-1"'],
    [['tail', '--since', '-5'], 2, '--since: must be a whole number from 0, not "-5"'],
    [['bench', '--seconds', '0'], 2, '--seconds: must be a whole number from 1 to 60'],
    [['demo', '--issues', '3'], 2, '--issues: must be a whole number from 24 to 1000'],
  ])('%j ends with %i and the way out', async (argv, expected, said) => {
    const { code, err } = await at(argv);
    expect([code, err]).toEqual([expected, expect.stringContaining(said)]);
  });
});

describe('what hostile people write', () => {
  const evil = '\x9b2J\x1b[2J\x1b]0;owned\x07\r\u202e\u2028=cmd|calc';
  const controls = /[^\P{Cc}\n]|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

  it('repaints no terminal, whichever command shows it', async () => {
    const desk = await office(server, 'worker');
    const [agent = ''] = desk.agents;
    const issue = await desk.issue(agent, { title: `Title ${evil}`, context: { note: evil } });
    const grant = await desk.claim(agent, 1000);
    await desk.fail(grant!, { error: `Error ${evil}`, errorCode: evil, errorFamily: undefined });
    await desk.send(issue.id, { type: 'COMMENT', body: evil });
    await at(['keys', 'create', '--agent', agent, '--name', `Key ${evil}`]);
    await at(['companies', 'create', `EV${desk.prefix}`.slice(0, 10), `Company ${evil}`]);
    const commands = [
      ['issues', '--company', desk.prefix],
      ['issues', evil],
      ['issue', issue.identifier],
      ['why', issue.identifier],
      ['stuck', '--company', desk.prefix],
      ['keys', '--company', desk.prefix],
      ['companies'],
      ['agents'],
      ['retry', issue.identifier],
      ['tail', issue.identifier, '--since', '0', '--count', '4'],
      ['tail', '--company', desk.prefix, '--since', '0', '--count', '3'],
      ['send', issue.identifier, 'COMMENT', `body=${evil}`],
      ['send', issue.identifier, evil],
      ['issue', evil],
      ['agents', 'pause', evil],
      [evil],
    ];
    for (const argv of commands) {
      const { out, err } = await at(argv, { terminal: true, env: { NO_COLOR: '1' } });
      expect([argv, controls.exec(out + err)?.[0]]).toEqual([argv, undefined]);
      expect(out + err).not.toBe('');
    }
    const { out, lines } = await at(['issues', '--company', desk.prefix, '--json'], { terminal: true });
    expect(controls.exec(out)).toBeNull();
    expect(lines()[0]?.title).toBe(`Title ${evil}`);
  });
});

describe('baton bench', () => {
  it('measures on the server that is named, and says what and where', async () => {
    const { code, lines } = await at(['bench', '--seconds', '1']);
    expect(code).toBe(0);
    const [measured] = lines() as {
      latencyMs: { events: number };
      throughput: { eventsPerSecond: number };
      lifecycle: { issues: number };
    }[];
    expect(measured?.latencyMs.events).toBeGreaterThan(0);
    expect(measured?.throughput.eventsPerSecond).toBeGreaterThan(0);
    expect(measured?.lifecycle.issues).toBeGreaterThan(0);
  });
});

describe('the live line', () => {
  const stats = (byState: Record<string, number>, queued = 0) => ({
    byState,
    bySubstate: { 'running.queued': queued },
    dueInNextHour: 0,
    eventsPerSecond: 1.4,
    transitions: [],
  });
  it('adds up companies, and tells who waits from who runs', () => {
    expect(
      statusOf([stats({ running: 5, done: 2 }, 3), stats({ 'scheduled-retry': 1, running: 1 })], 3.14),
    ).toEqual({
      running: 3,
      queued: 3,
      retrying: 1,
      idle: 0,
      done: 2,
      cancelled: 0,
      eventsPerSecond: 3,
      commitP99Ms: 3.1,
    });
  });
  it('has the p99 of the commits between two readings', async () => {
    const reading = (a: number, b: number, c: number) =>
      `baton_commit_seconds_bucket{le="0.001"} ${a}\nbaton_commit_seconds_bucket{le="0.01"} ${b}\nbaton_commit_seconds_bucket{le="+Inf"} ${c}\n`;
    const before = bucketsIn(reading(1000, 1000, 1000));
    expect(quantile(before, bucketsIn(reading(1090, 1100, 1100)), 0.99)).toBeCloseTo(9.1);
    expect(quantile(before, bucketsIn(reading(1100, 1100, 1100)), 0.5)).toBeCloseTo(0.5);
    expect(quantile(before, bucketsIn(reading(1000, 1000, 1010)), 0.99)).toBe(10);
    expect(quantile(before, before, 0.99)).toBeNull();
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(bucketsIn(text).length).toBeGreaterThan(5);
  });
});

describe('an issue whose stored state cannot be read', () => {
  it('hides no other, is called as it was asked for, and says why it is put aside', async () => {
    const own = await startServer();
    try {
      const { prefix, issue } = await office(own);
      const [bad] = [await issue(undefined), await issue(undefined)];
      const database = new pg.Client({ connectionString: own.databaseUrl });
      await database.connect();
      await database.query(`update actors set snapshot = '{"v":999}' where id = $1`, [bad.id]);
      await database.end();
      await own.restart();
      const seen = async (...argv: string[]) => {
        const { code, out } = await baton([...argv, '--url', own.url], {
          terminal: true,
          env: { NO_COLOR: '1' },
        });
        expect([argv, code]).toEqual([argv, 0]);
        return out;
      };
      const list = await seen('issues');
      for (const name of [`${prefix}-1`, `${prefix}-2`]) expect(list).toContain(name);
      expect(await seen('why', `${prefix}-1`)).toMatch(
        new RegExp(`^${prefix}-1 is idle: .*cannot be read: [^.]*\\n$`),
      );
      expect(await seen('issue', `${prefix}-1`)).toMatch(/why +.*cannot be read[\s\S]*CREATED/);
      expect(await seen('stuck')).toMatch(new RegExp(`put aside[\\s\\S]*${bad.id}.* \\?`));
    } finally {
      await own.stop();
    }
  });
});
