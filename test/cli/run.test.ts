import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { eventOf } from '../../src/cli/send-command.ts';
import { startedAt } from '../../src/process-identity.ts';
import { StandIn } from '../client/stand-in.ts';
import { baton } from './world.ts';

describe('help', () => {
  it('lists every command, and every command has an example', async () => {
    const { code, out } = await baton(['help']);
    expect(code).toBe(0);
    for (const command of COMMANDS) {
      expect(out).toContain(`  ${command.name}`);
      const help = await baton([command.name, '--help']);
      expect(help.code).toBe(0);
      expect(help.out).toMatch(/Examples?:\n {2}(\w+=\S+ )?baton /);
    }
  });
  it('is what docs/cli.md says', async () => {
    const { out } = await baton(['help', '--markdown']);
    const said = readFileSync('docs/cli.md', 'utf8').split('\n---\n\n')[1];
    expect(said, 'node scripts/cli-docs.mjs writes it anew').toBe(out);
  });
  it('tells the version of package.json', async () => {
    expect((await baton(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong usage ends with exit code 2 and the way out', () => {
  it.each([
    [['isues'], 'Did you mean issues'],
    [['frobnicate'], 'baton help lists'],
    [['issues', '--colour'], "Unknown option '--colour'"],
    [['issue'], 'baton issue ID'],
    [['why', 'a', 'b'], 'Unexpected argument "b"'],
    [['why', 'not/an/id'], 'neither an issue'],
    [['issues', '--limit', 'many'], '--limit'],
    [['--token', 'sesame', 'issues'], 'The command comes before its options, and so before --token.'],
    [['--url=http://sesame', 'issues'], 'and so before --url.'],
    [['why', 'fix', 'login'], 'Text of several words goes in quotes.'],
    [
      ['why', 'ACME-1', '--company', '--quiet'],
      "Option '--company' argument is ambiguous.\n       Usage: baton why",
    ],
    [['issues', '--url', 'nowhere'], '--url'],
    [['replay', '--limit', '0'], '--limit'],
    [['start', '--port', '99999'], 'a whole number from 0 to 65535'],
    [['start', '--host', '0.0.0.0'], 'BATON_TOKEN'],
    [['config', '--lease-ms', 'x'], '--lease-ms'],
  ])('baton %j', async (argv, said) => {
    const { code, out, err } = await baton(argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(said);
    expect(err).not.toContain('sesame');
  });
  it('a wrong baton.config.json is named', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'baton-cli-'));
    writeFileSync(join(cwd, 'baton.config.json'), '{"prot": 1}');
    const { code, err } = await baton(['config'], { cwd });
    expect(code).toBe(2);
    expect(err).toContain('"prot"');
  });
});

describe('baton config', () => {
  it('prints one line an option when piped, a table on a terminal, and never a secret', async () => {
    const env = { BATON_TOKEN: 'sesame-open', PORT: '4311' };
    const piped = await baton(['config'], { env });
    expect(piped.lines()).toContainEqual({
      key: 'port',
      value: '4311',
      origin: 'environment',
      env: 'PORT',
      flag: '--port',
    });
    const shown = await baton(['config', '--lease-ms', '5000'], { env, terminal: true });
    expect(shown.out).toMatch(/BATON_LEASE_MS +5000 +flag/);
    expect(piped.out + shown.out).not.toContain('sesame-open');
  });
});

describe('an event on the command line', () => {
  it('is JSON or key=value, its type in any case', () => {
    expect(eventOf('retry.now', [])).toEqual({ type: 'RETRY.NOW' });
    expect(eventOf('WAKE', ['reason=ask again', 'human=true', 'payload={"a":1}'])).toEqual({
      type: 'WAKE',
      reason: 'ask again',
      human: true,
      payload: { a: 1 },
    });
    expect(eventOf('priority', ['{"priority":"high"}'])).toEqual({ type: 'PRIORITY', priority: 'high' });
  });
  it('is refused here when the server would refuse it', () => {
    expect(() => eventOf('xstate.init', [])).toThrow();
    expect(() => eventOf('PRIORITY', ['priority=urgent'])).toThrow(/priority/);
    // The types there are stand in the hint, and only there.
    expect(() => eventOf('FOO', [])).toThrow(/^"FOO" is not an event that one may send\.$/);
    expect(() => eventOf('COMPLETE', ['nonsense'])).toThrow(/key=value/);
  });
});

describe('against a server', () => {
  let server: StandIn;
  const issue = {
    id: 'i0000000000001',
    companyId: 'c0000000000001',
    identifier: 'ACME-7',
    title: 'Fix \x1b[2Jlogin',
    priority: 'high',
    state: 'scheduled-retry',
    substate: null,
    assigneeAgentId: 'a0000000000001',
    version: 3,
    attempt: 1,
    maxAttempts: 4,
    lock: null,
    detached: null,
    run: null,
    wakes: [],
    lastError: null,
    why: { code: 'backoff', text: 'It waits for its retry.' },
    nextEvent: 'RETRY.DUE',
    nextAt: 1,
    createdAt: 0,
  };
  const list = (items: unknown[]) => ({ status: 200, body: { items, nextCursor: null } });

  beforeEach(async () => {
    server = await StandIn.start();
    server.http = ({ url, method }) => {
      if (url === '/v1/companies') return list([{ id: 'c0000000000001', prefix: 'ACME', name: 'Acme' }]);
      if (url.includes('/agents')) return list([{ id: 'a0000000000001', name: 'claude' }]);
      if (url.includes('/journal')) {
        return list([
          {
            seq: 1,
            version: 1,
            type: 'CREATED',
            from: null,
            to: 'idle',
            at: 0,
            actor: { kind: 'operator', id: 'k1' },
            effects: [],
          },
        ]);
      }
      if (method === 'POST') {
        return {
          status: 409,
          body: { code: 'NOT_ALLOWED', detail: 'not now', allowed: ['REOPEN'], retryable: false },
        };
      }
      if (url.startsWith('/v1/companies/c0000000000001/issues/index')) {
        return { status: 200, body: { seq: 1, numbers: [7], ids: [issue.id], dues: [1], more: false } };
      }
      if (url.startsWith('/v1/companies/c0000000000001/issues?')) return list([issue]);
      if (url.includes('/issues/')) return { status: 200, body: issue };
      return { status: 404, body: { code: 'NOT_FOUND', detail: 'nothing here' } };
    };
  });
  afterEach(() => server.stop());
  const at = (...argv: string[]) => [...argv, '--url', server.url];

  it('issues are NDJSON when piped and a table on a terminal, with hostile titles disarmed', async () => {
    expect((await baton(at('issues'))).lines()).toEqual([issue]);
    const { out } = await baton(at('issues'), { terminal: true, env: { NO_COLOR: '1' } });
    expect(out).toContain('ACME-7');
    expect(out).toContain('Fix �[2Jlogin');
    expect(out).toContain('claude');
    expect(out).not.toContain('\x1b');
  });
  it('an issue is found by identifier as by id', async () => {
    await baton(at('why', 'acme-7'));
    expect(server.requests.at(-1)?.url).toBe('/v1/companies/c0000000000001/issues/ACME-7');
    const { code, out } = await baton(at('why', issue.id), { terminal: true });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^ACME-7 is scheduled-retry: It waits for its retry\. Next: RETRY\.DUE .* ago\. Its lock is reserved for that retry.*\n$/,
    );
    const shown = await baton(at('issue', issue.id), { terminal: true, env: { NO_COLOR: '1' } });
    expect(shown.out).toMatch(/attempt +1 of 4[\s\S]*CREATED/);
  });
  it('a refusal by the state is exit code 3, with what to do; as JSON with --json', async () => {
    const { code, err } = await baton(at('send', 'ACME-7', 'complete'));
    expect(code).toBe(3);
    expect(err).toMatch(/baton: not now\n +Allowed now: REOPEN\.\n/);
    const asJson = await baton(at('send', 'ACME-7', 'complete', '--json'));
    expect(JSON.parse(asJson.err)).toMatchObject({ error: { code: 'NOT_ALLOWED', allowed: ['REOPEN'] } });
  });
  it('what does not exist is exit code 1', async () => {
    expect((await baton(at('why', 'OTHER-1'))).code).toBe(1);
  });
  it('a server that is not there is exit code 4', async () => {
    for (const command of [['issues'], ['tail'], ['why', 'ACME-1']]) {
      const { code, err } = await baton([...command, '--url', 'http://127.0.0.1:1']);
      expect(code).toBe(4);
      expect(err).toContain('baton start');
    }
  });
  describe('in the data directory of a local server', () => {
    let cwd: string;
    const sent = () => server.requests.at(-1)?.headers.authorization;
    const announced = (url: string) => {
      writeFileSync(join(cwd, 'token'), 'left-by-the-server\n');
      writeFileSync(join(cwd, 'url'), `${url}\n`);
    };
    beforeEach(() => {
      cwd = mkdtempSync(join(tmpdir(), 'baton-cli-'));
    });

    it('the server is found on whatever port, and its token with it', async () => {
      announced(server.url);
      expect((await baton(['issues', '--data-dir', '.'], { cwd })).code).toBe(0);
      expect(sent()).toBe('Bearer left-by-the-server');
      await baton(['issues'], { cwd, env: { BATON_DATA_DIR: '.', BATON_TOKEN: 'from-env' } });
      expect(sent()).toBe('Bearer from-env');
      await baton(['issues', '--data-dir', '.', '--token', 'from-flag'], { cwd });
      expect(sent()).toBe('Bearer from-flag');
    });
    it('the same server by another name of this machine gets the token too', async () => {
      announced(server.url);
      await baton(['issues', '--data-dir', '.', '--url', server.url.replace('127.0.0.1', 'localhost')], {
        cwd,
      });
      expect(sent()).toBe('Bearer left-by-the-server');
    });
    it('any other server does not get its token', async () => {
      for (const url of ['http://127.0.0.1:1', server.url.replace('127.0.0.1', '192.0.2.1')]) {
        announced(url);
        expect((await baton(at('issues', '--data-dir', '.'), { cwd })).code).toBe(0);
        expect(sent()).toBeUndefined();
      }
    });
    it('a server that lives and does not answer is named, with what to do instead of starting another', async () => {
      announced('http://127.0.0.1:1');
      const hung = { pid: process.pid, started: startedAt(process.pid) };
      writeFileSync(join(cwd, 'url.lock'), JSON.stringify(hung));
      const of = ['--data-dir', '.'];
      for (const command of [['issues'], ['tail'], ['why', 'ACME-1'], ['cancel', 'ACME-1', 'ACME-2']]) {
        const { code, err } = await baton([...command, ...of], { cwd, terminal: true });
        expect([command, code, err]).toEqual([
          command,
          4,
          expect.stringMatching(
            `process ${process.pid} holds ${cwd} and does not answer[^]*kill -CONT ${process.pid}`,
          ),
        ]);
        expect(err).not.toContain('Start a server');
      }
      const findings = (await baton(['doctor', ...of], { cwd })).lines();
      expect(findings.find(({ about }) => about === 'server')).toMatchObject({
        is: 'bad',
        text: expect.stringContaining(`process ${process.pid} holds ${cwd}`),
      });
      // Another server is not the one of this folder, and one that was killed lives no more.
      const other = ['--url', 'http://127.0.0.1:2'];
      expect((await baton(['issues', ...of, ...other], { cwd })).err).toContain('Start a server');
      writeFileSync(join(cwd, 'url.lock'), JSON.stringify({ ...hung, started: 'long ago' }));
      expect((await baton(['issues', ...of], { cwd })).err).toContain('Start a server');
    }, 60_000);
    it('a token without an address goes nowhere', async () => {
      writeFileSync(join(cwd, 'token'), 'left-by-the-server\n');
      await baton(at('issues', '--data-dir', '.'), { cwd });
      expect(sent()).toBeUndefined();
    });
  });

  it('tail prints changes until it has seen enough', async () => {
    const change = {
      seq: 9,
      version: 4,
      issueId: issue.id,
      type: 'EDIT',
      from: 'idle',
      to: 'idle',
      at: 0,
      effects: [],
    };
    server.answers.sub = (f) => [
      { t: 'ok', id: f.id, recovered: true, seq: 8 },
      { t: 'change', sub: f.id, prev: 8, change },
    ];
    const { code, out } = await baton(at('tail', '--since', '8', '--count', '1'));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(change);
    expect(server.of('sub')[0]).toMatchObject({ topic: 'company:c0000000000001', since: 8 });
  });
  it('tail says that there are more companies than it can follow, and what to do', async () => {
    const companies = Array.from({ length: 129 }, (_, n) => ({ id: `c${n}`, prefix: `C${n}`, name: 'One' }));
    server.http = () => list(companies);
    const { code, err } = await baton(at('tail'), { terminal: true, env: { NO_COLOR: '1' } });
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('129 companies, and 128 can be followed at once.'),
    ]);
    expect(err).toContain('--company: C0, C1,');
    expect(err).toContain('C19, ….');
    expect(server.of('sub')).toEqual([]);
  });
  it('tail ends with 130 when it is interrupted', async () => {
    server.answers.sub = (f) => ({ t: 'ok', id: f.id, recovered: true, seq: 8 });
    const interrupt = new AbortController();
    const ran = baton(at('tail'), { signal: interrupt.signal });
    await server.until(() => server.of('sub').length === 1);
    interrupt.abort('SIGINT');
    expect((await ran).code).toBe(130);
  });
});
