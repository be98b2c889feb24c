/**
 * What leaves the server (docs/guarantees.md, Security, "output"): secrets are given to a real one, everything goes wrong
 * that can, and all it says – answers, frames, metrics, log, journal, command line – is searched for them.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as later } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { freshDatabase, temporaryDirectory } from '../support/postgres.ts';
import { endAll, spawnListening, spawnServer } from '../support/server-process.ts';

afterAll(endAll);

const OPERATOR = 'canary-operator-2f6b9d1c7a3e';
const PASSWORD = 'canary-password-8c1d4e7f2b90';
const WRONG = 'canary-wrong-5d2e8f1a9b34';
const CONTENT = 'canary-content-7e3f9a2c4d18';
/** What would tell of the inside: statements, tables, files, stacks. */
const INSIDE =
  /\bselect\b.*\bfrom\b|insert into|relation \\*"|run_logs|api_keys|pg_|node_modules|dist\/|\.ts:\d|\.js:\d|file:\/\/|\/tmp\/|at async /i;

interface Said {
  readonly where: string;
  readonly text: string;
}

describe('a server with secrets', () => {
  it('tells none of them, nor its inside, whatever goes wrong', async () => {
    const database = await freshDatabase();
    const directory = await temporaryDirectory();
    const url = `${database.url}&password=${PASSWORD}`;
    const env = { ...process.env, BATON_TOKEN: OPERATOR, DATABASE_URL: url, BATON_DATA_DIR: directory.path };
    const server = await spawnServer({ 'data-dir': directory.path, 'rate-limit': 'off', log: 'trace' }, env);
    const said: Said[] = [];
    const ask = async (method: string, path: string, body: unknown, token: string | null, headers = {}) => {
      const answer = await fetch(`${server.url}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      said.push({ where: `${method} ${path}`, text: `${JSON.stringify([...answer.headers])} ${text}` });
      try {
        return JSON.parse(text) as Record<string, never>;
      } catch {
        return {} as Record<string, never>;
      }
    };
    /** One whose answer may hold what was asked for. */
    const make = async (method: string, path: string, body?: unknown): Promise<Record<string, string>> => {
      const made = await ask(method, path, body, OPERATOR);
      said.pop();
      return made;
    };

    const company = (await make('POST', '/v1/companies', { name: 'Acme', prefix: 'ACME' })).id!;
    const agent = (await make('POST', `/v1/companies/${company}/agents`, { name: 'one' })).id!;
    const keys = [];
    for (const asked of [{ role: 'operator' }, { role: 'viewer' }, { role: 'agent', agentId: agent }]) {
      keys.push((await make('POST', `/v1/companies/${company}/keys`, asked)).token!);
    }
    const issue = (
      await make('POST', `/v1/companies/${company}/issues`, { title: 'x', context: { key: CONTENT } })
    ).id!;
    const secrets = [OPERATOR, PASSWORD, WRONG, ...keys.map((key) => key.split('.')[1]!)];

    // Credentials where they do not belong, and wrong ones.
    for (const token of [WRONG, `${keys[0]}x`, `${keys[0]!.split('.')[0]}.${WRONG}`, 'x'.repeat(600)]) {
      await ask('GET', '/v1/companies', undefined, token);
    }
    for (const path of [
      `/v1/companies?token=${WRONG}`,
      `/v1/issues/${WRONG}`,
      `/${WRONG}`,
      `/v1/ws?token=${WRONG}`,
    ]) {
      await ask('GET', path, undefined, null);
    }
    // Bodies that hold a secret and cannot be read.
    const bodies = [
      `{"name":"${WRONG}"`,
      { x: WRONG },
      `{"name":"\\u0000${WRONG}"}`,
      { name: 1, prefix: WRONG },
    ];
    for (const body of bodies) await ask('POST', '/v1/companies', body, OPERATOR);
    for (const body of bodies) await ask('POST', `/v1/issues/${issue}/events`, body, OPERATOR);
    await ask('POST', '/mcp', `{"jsonrpc":"${WRONG}`, OPERATOR);
    await ask('POST', `/v1/companies/${company}/issues`, { title: 'x' }, OPERATOR, {
      'idempotency-key': 'x'.repeat(200),
    });
    await ask('GET', '/v1/companies', undefined, null, { authorization: `Basic ${WRONG}` });
    await ask('GET', '/v1/companies', undefined, OPERATOR, { origin: `http://${WRONG}.example` });

    // Frames.
    const frames = [
      `{"t":"hello","token":"${WRONG}"}`,
      `{"t":"hello","token":"${keys[1]}","x":"${WRONG}"}`,
      `${WRONG}`,
    ];
    for (const frame of frames) said.push({ where: frame, text: await spoken(server.url, [frame]) });
    const open = `{"t":"hello","token":"${keys[0]}"}`;
    for (const inner of [`"event","event":{"type":"${WRONG}"}`, `"${WRONG}"`, `"sub","topic":"${WRONG}:x"`]) {
      said.push({ where: inner, text: await spoken(server.url, [open, `{"id":"q","t":${inner}}`, 'bye']) });
    }

    // A database that goes wrong under it.
    await query(url, 'alter table run_logs rename to run_logs_gone');
    await query(url, 'alter table api_keys rename to api_keys_gone');
    await ask('GET', `/v1/companies/${company}/keys`, undefined, OPERATOR);
    await ask('POST', `/v1/companies/${company}/keys`, { role: 'viewer', name: 'x' }, OPERATOR);
    await ask('GET', '/v1/companies', undefined, `k000${'0'.repeat(18)}.${WRONG}`);
    for (const { where, text } of said.slice(-3))
      expect(text, where).toMatch(/"code":"(INTERNAL|UNAVAILABLE)"/);
    await query(url, 'alter table api_keys_gone rename to api_keys');
    await query(
      url,
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
    );
    await ask('GET', `/v1/companies/${company}/keys`, undefined, OPERATOR);

    for (const path of ['/metrics', '/healthz', '/readyz', '/openapi.json', '/v1/machines/issue']) {
      await ask('GET', path, undefined, OPERATOR);
    }
    await ask('GET', `/v1/companies/${company}/keys`, undefined, OPERATOR);
    await ask('GET', `/v1/issues/${issue}/journal`, undefined, keys[1]!);

    // The ready line is asked for, and holds the token.
    const log = server
      .output()
      .split('\n')
      .filter((line) => !line.includes('"ready":true'))
      .join('\n');
    expect(log).toContain('"level":');
    const config = spawnSync(process.execPath, ['dist/cli/main.js', 'config'], { env, encoding: 'utf8' });
    expect(config.stdout).toContain('********');
    const dump = await dumped(url);

    for (const secret of secrets) {
      for (const { where, text } of said)
        expect(text.includes(secret), `${secret} in ${where}: ${text}`).toBe(false);
      expect(log.includes(secret), `${secret} in the log`).toBe(false);
      expect((config.stdout + config.stderr).includes(secret), `${secret} in baton config`).toBe(false);
      expect(dump.includes(secret), `${secret} in the database`).toBe(false);
    }
    // What companies write is theirs: neither log nor metrics repeat it.
    expect(log).not.toContain(CONTENT);
    expect(log).not.toMatch(/\b(select|insert into|update) .*\b(from|values|set)\b/i);
    const documents = new Set(['GET /openapi.json', 'GET /v1/machines/issue']);
    for (const { where, text } of said) {
      if (documents.has(where)) continue;
      expect(INSIDE.exec(text.replaceAll(/https?:\/\/[^"]*/g, ''))?.[0], `${where}: ${text}`).toBeUndefined();
    }
    await server.end('SIGTERM');
    await database.drop();
    await directory.remove();
  }, 60_000);
});

describe('a server whose database is away', () => {
  it.each([
    ['behind a socket', (place: string) => `postgresql:///x?host=${encodeURIComponent(place)}&user=`],
    ['on another machine', () => 'postgresql://canary-host.invalid/x?user='],
  ])(
    '%s tells nobody where that is and why it does not answer, and its log once',
    async (_where, urlOf) => {
      const directory = await temporaryDirectory();
      const env = {
        ...process.env,
        BATON_TOKEN: OPERATOR,
        DATABASE_URL: `${urlOf(directory.path)}canary-user&password=${PASSWORD}`,
        BATON_DATA_DIR: directory.path,
      };
      const server = await spawnListening({ log: 'info' }, env);
      const said: Said[] = [];
      const told = () =>
        server
          .output()
          .split('\n')
          .filter((line) => line.includes('"the database does not answer"'));
      for (let n = 0; n < 500 && told().length === 0; n++) await later(20);
      // Several tries more.
      await later(1000);
      const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
      const tool = {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'list_issues', arguments: {} },
      };
      const sub = '{"t":"sub","id":"q","topic":"company:c00012345678901234567890"}';
      const asks = [null, WRONG, OPERATOR].flatMap((token) => {
        const ask = async (path: string, body?: unknown) => {
          const answer = await fetch(`${server.url}${path}`, {
            headers: { ...json, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
            ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
          });
          said.push({ where: path, text: `${JSON.stringify([...answer.headers])} ${await answer.text()}` });
        };
        const hello = JSON.stringify({ t: 'hello', ...(token === null ? {} : { token }) });
        const frames = async () =>
          said.push({ where: 'frames', text: await spoken(server.url, [hello, sub, 'bye']) });
        return [
          ...['/readyz', '/healthz', '/', '/metrics', '/openapi.json', '/v1/companies'].map((path) =>
            ask(path),
          ),
          ask('/v1/companies', { name: 'Acme', prefix: 'ACME' }),
          ask('/mcp', tool),
          frames(),
        ];
      });
      await Promise.all(asks);
      for (const { where, text } of said) {
        if (where === '/readyz') expect(text).toContain('"reason":"the database does not answer"');
        expect(
          /canary-|\.PGSQL|ECONNREFUSED|ENOENT|ENOTFOUND|EAI_AGAIN/.exec(text)?.[0],
          `${where}: ${text}`,
        ).toBeUndefined();
        expect(text.includes(directory.path), `${where}: ${text}`).toBe(false);
      }
      // Whoever runs it is told, once.
      expect(told()).toHaveLength(1);
      expect(told()[0]).toMatch(/ECONNREFUSED|ENOENT|ENOTFOUND|EAI_AGAIN/);
      const log = server
        .output()
        .split('\n')
        .filter((line) => !line.includes('"ready":true'))
        .join('\n');
      for (const secret of [OPERATOR, PASSWORD, WRONG]) expect(log).not.toContain(secret);
      await server.end('SIGTERM');
      await directory.remove();
    },
    60_000,
  );
});

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  await client.query(text);
  await client.end();
}

/** All that is stored, as text. */
async function dumped(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  const texts: string[] = [];
  for (const table of ['actors', 'journal', 'records', 'companies', 'api_keys']) {
    const { rows } = await client.query<{ row: string }>(
      `select row_to_json(t)::text as row from ${table} t`,
    );
    texts.push(...rows.map(({ row }) => row));
  }
  await client.end();
  return texts.join('\n');
}

/** All that a socket says to these frames, its close code last. */
function spoken(url: string, frames: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, 'baton.v1');
    let text = '';
    socket.on('open', () => {
      for (const frame of frames) socket.send(frame);
    });
    socket.on('message', (data) => {
      text += String(data);
    });
    socket.on('close', (code, reason) => resolve(`${text} ${code} ${String(reason)}`));
    socket.on('error', () => {});
  });
}
