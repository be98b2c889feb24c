/** What people are told of their issues and of their mistakes, against a real server. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, office, startServer, type TestServer } from '../support/server.ts';
import { baton, commandLines } from './world.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const { at, shown } = commandLines(() => server);
const identifiers = async (...argv: string[]) =>
  (await at(['issues', ...argv])).lines().map((issue) => issue.identifier);

describe('a name that two agents have', () => {
  it('is refused wherever an agent is named, with both ids; each id works', async () => {
    const desk = await office(server, 'w1', 'w1');
    const [one = '', two = ''] = desk.agents;
    const issue = await desk.issue();
    const of = ['--company', desk.prefix];
    for (const argv of [
      ['assign', issue.identifier, 'w1'],
      ['issue', 'create', 'x', '--assignee', 'w1', ...of],
      ['issues', '--assignee', 'w1', ...of],
      ['agents', 'pause', 'w1', ...of],
      ['keys', 'create', '--agent', 'w1', ...of],
      ['work', '--agent', 'w1', ...of, '--', process.execPath],
      ['mcp', '--agent', 'w1', ...of],
    ]) {
      const [command = '', ...rest] = argv;
      // What follows -- is not baton's.
      const { code, err } = await baton([command, '--url', server.url, ...rest], { terminal: true });
      expect([argv, code, err]).toEqual([
        argv,
        2,
        expect.stringContaining(
          `2 agents of ${desk.prefix} are called w1: name one by its id: ${one} (active), ${two} (active).`,
        ),
      ]);
    }
    expect((await at(['assign', issue.identifier, two])).code).toBe(0);
    expect(await identifiers('--assignee', two, ...of)).toEqual([issue.identifier]);
    expect(await identifiers('--assignee', one, ...of)).toEqual([]);
  });

  it('is said when it comes about, and is one agent again once the other has another name or is terminated', async () => {
    const desk = await office(server, 'w2');
    const of = ['--company', desk.prefix];
    expect(await shown('agents', 'create', 'w2', ...of)).toContain(`Also called w2: ${desk.agents[0]}.`);
    expect((await at(['agents', 'update', desk.agents[0] ?? '', '--name', 'first', ...of])).code).toBe(0);
    expect((await at(['agents', 'pause', 'w2', ...of])).code).toBe(0);
    expect((await at(['agents', 'terminate', 'w2', ...of])).code).toBe(0);
    const { code, err } = await at(['agents', 'pause', 'w2', ...of], { terminal: true });
    expect([code, err]).toEqual([1, expect.stringContaining('Every agent called w2 is terminated: a')]);
    expect(await shown('agents', 'create', 'w2', ...of)).not.toContain('Also called');
  });

  it('in two companies is told apart by --company', async () => {
    const [here, there] = [await office(server, 'w3'), await office(server, 'w3')];
    const { code, err } = await at(['agents', 'pause', 'w3'], { terminal: true });
    expect([code, err]).toEqual([2, expect.stringContaining('2 agents of 2 companies are called w3')]);
    expect(err).toContain(`${here.agents[0]} (${here.prefix}, active)`);
    expect(err).toContain('--company PREFIX');
    expect((await at(['agents', 'pause', 'w3', '--company', there.prefix])).code).toBe(0);
  });
});

describe('an issue, in words', () => {
  it('that waits for its retry: whose the lock is, for what, and until when', async () => {
    const desk = await office(server, 'retta');
    const issue = await desk.issue(desk.agents[0]);
    await desk.fail((await desk.claim(desk.agents[0] ?? '', 1000))!);
    expect(await shown('issue', issue.identifier)).toMatch(
      /lock +reserved for its retry by agent retta \(run i\w+\.2, fence \d+\); released when it is reassigned or cancelled\n/,
    );
    expect(await shown('why', issue.identifier)).toMatch(
      /Next: RETRY\.DUE in .*\. Its lock is reserved for that retry: it keeps nobody out, and is released when/,
    );
    const piped = (await at(['why', issue.identifier])).lines()[0];
    expect(piped).toMatchObject({ nextEvent: 'RETRY.DUE', lock: { mode: 'reserved' } });
  });

  it('at work: its lease ends only if its worker falls silent, and that is not what comes next', async () => {
    const desk = await office(server, 'ann');
    const issue = await desk.issue(desk.agents[0]);
    expect(await shown('issue', issue.identifier)).toMatch(/lock +reserved for its next run by agent ann /);
    await desk.claim(desk.agents[0] ?? '', 1000);
    const why = await shown('why', issue.identifier);
    expect(why).toMatch(/ Its lease ends in \d+ s unless its worker sends a heartbeat\.\n$/);
    expect(why).not.toContain('Next');
    const all = await shown('issue', issue.identifier);
    expect(all).toMatch(/next +its lease ends in \d+ s unless its worker sends a heartbeat\n/);
    expect(all).toMatch(/lock +executing by agent ann .*: only it may report on it\n/);
    expect(all).not.toContain('LEASE.EXPIRED');
    expect((await at(['why', issue.identifier])).lines()[0]).toMatchObject({ nextEvent: 'LEASE.EXPIRED' });
  });

  it('that failed: the code and what was said, on one line', async () => {
    const desk = await office(server, 'fay');
    const issue = await desk.issue(desk.agents[0]);
    const grant = await desk.claim(desk.agents[0] ?? '', 1000);
    await desk.fail(grant!, {
      error: `npm test failed\n\x1b[2J${'x'.repeat(300)}`,
      errorCode: 'exit_1',
      errorFamily: undefined,
    });
    const text = (await desk.get(issue.id)).why.text;
    expect(text).toMatch(/^The last run failed and is not retried: exit_1: npm test failed \[2Jx+…$/);
    expect(text.length).toBeLessThan(250);
    expect(await shown('why', issue.identifier)).toContain('exit_1: npm test failed [2Jx');
  });
});

describe('issues', () => {
  it('are listed with the newest first, of all companies together, page by page', async () => {
    const [one, two] = [await office(server), await office(server)];
    const bulk = async (desk: typeof one, count: number) => {
      const issues = Array.from({ length: count }, (_, n) => ({ title: `Sorted ${n}` }));
      await call(server, 'POST', `/companies/${desk.companyId}/issues/bulk`, { issues });
    };
    await bulk(one, 1000);
    await bulk(two, 1);
    await bulk(one, 1);
    const all = await identifiers('Sorted', '--limit', '0');
    const descending = Array.from({ length: 1000 }, (_, n) => `${one.prefix}-${1000 - n}`);
    expect(all).toEqual([`${one.prefix}-1001`, `${two.prefix}-1`, ...descending]);
    expect(await identifiers('Sorted', '--limit', '3')).toEqual(all.slice(0, 3));
    expect(await shown('issues', 'Sorted', '--limit', '2')).toContain('The newest 2; --limit 0 shows all.');
    // A filter leaves gaps between the numbers.
    expect(await identifiers('Sorted 99', '--limit', '11', '--company', one.prefix)).toEqual(
      [...Array.from({ length: 10 }, (_, n) => 1000 - n), 100].map((n) => `${one.prefix}-${n}`),
    );
  });
});

describe('an issue that cannot be read', () => {
  it('is called what it is called in lists, as it is in JSON, and its refusal is short', async () => {
    const desk = await office(server, 'una');
    const [bad, good] = [await desk.issue(desk.agents[0]), await desk.issue()];
    const of = ['--company', desk.prefix];
    const database = new pg.Client(server.databaseUrl);
    await database.connect();
    await database.query(`update actors set snapshot = '{"value":"idle"}' where id = $1`, [bad.id]);
    await database.end();
    await server.restart();
    const listed = await shown('issues', ...of);
    expect(listed).toMatch(new RegExp(`${bad.identifier} +\\(its stored state cannot`));
    expect(listed).toContain(good.identifier);
    expect((await at(['issues', ...of, '--json'])).lines()).toMatchObject([
      { id: good.id },
      { id: bad.id, why: { code: 'quarantined' } },
    ]);
    const { code, err } = await at(['retry', bad.identifier], { terminal: true });
    expect([code, err]).toEqual([3, expect.stringContaining('it is quarantined: ')]);
    expect(err.split('\n').length).toBeLessThan(7);
    expect(err).toContain('Allowed now: nothing.');
  });
});

describe('a mistake is told in our own words', () => {
  it.each([
    [['issues', '--state', 'foo'], '--state: must be idle, running,'],
    [['issues', '--state', 'idle,,done'], 'not ""'],
    [['issues', '--priority', 'urgent'], '--priority: must be critical, high, medium, low'],
    [['issues', ''], 'TEXT: must be 1 to 200 characters'],
    [['issues', 'x'.repeat(201)], 'not 201'],
    [['keys', 'create', '--name', 'build', 'machine'], 'Unexpected argument "machine"'],
    [['keys', 'create', '--name', 'build', 'machine'], '--name "build machine"'],
    [['issue', 'create', 'Fix', 'login'], 'Text of several words goes in quotes'],
    [['companies', 'create', 'ACME', 'Acme', 'Ltd'], 'Text of several words goes in quotes'],
    [['send', 'ACME-1', 'FOO'], '"FOO" is not an event that one may send.'],
    [['send', 'ACME-1', 'RUN.FAILED', 'fence=1', 'runId=x'], 'error: is missing.'],
    [['send', 'ACME-1', 'WAKE', 'reason=x', 'type=CANCEL'], 'The type is said already: WAKE.'],
    [['companies', 'create'], 'The PREFIX is missing'],
    [['companies', 'create', 'AB', ''], 'name: must not be empty'],
    [['issue', 'create'], 'The title is empty'],
    [['stuck', 'x'], 'Unexpected argument "x".\n       Usage: baton stuck'],
    [[''], 'There is no command "".\n       baton help lists'],
  ])('%j', async (argv, said) => {
    const { code, err } = await at(argv, { terminal: true, env: { NO_COLOR: '1' } });
    expect([code, err]).toEqual([2, expect.stringContaining(said)]);
    expect(err).not.toMatch(/Invalid|Too (big|small)|discriminator|named in detail/);
    expect(err.match(/FORCE_RELEASE/g) ?? []).toHaveLength(argv.includes('FOO') ? 1 : 0);
  });

  it('what to do about a token is said for a command line, and for a program as the server says it', async () => {
    const { code, err } = await at(['issues', '--token', 'wrong'], { terminal: true });
    expect([code, err]).toEqual([1, expect.stringContaining('--token or BATON_TOKEN')]);
    expect(err).not.toContain('Bearer');
    expect((await at(['issues', '--token', 'wrong', '--json'])).err).toContain('Bearer');
  });

  it('of a company without issues says how to make one', async () => {
    const desk = await office(server);
    expect(await shown('issues', '--company', desk.prefix)).toContain('baton issue create');
    expect(await shown('issues', 'x', '--company', desk.prefix)).toBe('No issue matches.\n');
  });
});
