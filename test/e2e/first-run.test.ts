/** What a person meets who types one command: the demo, nothing left behind, and what can go wrong. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import type { Change } from '../../src/client/frames.ts';
import { connection } from '../../src/persistence/pool.ts';
import { freshDatabase } from '../support/postgres.ts';
import { processesWith } from '../support/processes.ts';
import { call, until } from '../support/server.ts';

type Line = Record<string, unknown> & { step?: string; msg?: string; url?: string; issue?: string | null };

const running = new Set<ChildProcess>();
const rooms: string[] = [];
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  for (const room of rooms.splice(0)) await rm(room, { recursive: true, force: true });
});

/**
 * The built command, becoming nobody when it first makes a directory: until then it loads its own files, and the clone may
 * lie where only root reads.
 * @param room a folder to write the program to
 */
async function asNobody(room: string): Promise<string> {
  const program = join(room, 'as-nobody.mjs');
  await writeFile(
    program,
    `import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
for (const [where, name] of [[fs.promises, 'mkdir'], [fs, 'mkdirSync']]) {
  const make = where[name];
  where[name] = (...args) => {
    if (process.getuid() === 0) {
      process.setgid(65534);
      process.setuid(65534);
    }
    return make(...args);
  };
}
syncBuiltinESMExports();
await import(${JSON.stringify(pathToFileURL(resolve('dist/cli/main.js')).href)});
`,
  );
  return program;
}

/** The built command, with its output. */
function start(flags: string[], how: { env?: Record<string, string>; program?: string } = {}) {
  const child = spawn(
    process.execPath,
    [how.program ?? 'dist/cli/main.js', 'start', '--port', '0', '--log', 'error', ...flags],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, ...how.env },
    },
  );
  running.add(child);
  const exited = once(child, 'exit').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const lines = (): Line[] =>
    out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  return {
    lines,
    errors: () => err,
    exited,
    step: async (name: string): Promise<Line> => {
      const found = () => lines().find((line) => line.step === name);
      return (
        (await until(
          async () => found(),
          (line) => line !== undefined,
          60_000,
        )) ?? { msg: err }
      );
    },
    async end(signal: NodeJS.Signals) {
      child.kill(signal);
      return await exited;
    },
  };
}

async function dataDir(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'baton-first-'));
  rooms.push(path);
  return path;
}

describe('a first start', () => {
  it('shows a retry counting down, a reassignment out of it and a lost run taken over; killed, it leaves nothing', async () => {
    const dir = await dataDir();
    const server = start(['--data-dir', dir]);
    const { url = '' } = await server.step('ready');
    expect(server.lines().map((line) => line.step)).toEqual(
      expect.arrayContaining(['database', 'schema', 'recovered', 'demo', 'ready']),
    );
    expect((await server.step('demo')).msg).toContain('3 agents are working on 24 issues');

    // A viewer has seen it after about 15 s; a machine that does ten other things at once takes longer.
    const seen = await until(() => journals({ url }), isWhole, 90_000);
    expect(isWhole(seen)).toBe(true);
    expect(await processesWith(url)).not.toEqual([]);

    // Whoever looks at the terminal alone has been told, in a few lines that name the issue.
    const told = server.lines().filter(({ event }) => event !== undefined);
    for (const what of ['retrying', 'killed', 'lost', 'taken over', 'reassigned']) {
      const line = told.find(({ event }) => event === what);
      expect(line?.msg).toMatch(new RegExp(`^${line?.issue} `));
    }
    expect(told.length).toBeLessThan(12);

    await server.end('SIGKILL');
    const left = await until(
      () => processesWith(url),
      (pids) => pids.length === 0,
      10_000,
    );
    expect(left).toEqual([]);

    // What was left of it is gone on with, not begun anew; nobody's key of before is valid then. A stop leaves no database.
    const again = start(['--data-dir', dir]);
    const { url: there = '' } = await again.step('ready');
    expect((await again.step('demo')).msg).toMatch(
      /interrupted goes on: \d+ issues of company DEMO are left/,
    );
    expect(await companyIds({ url: there })).toHaveLength(1);
    // Four workers, and each has revoked what its agent's killed ones had left.
    expect(
      await until(
        () => validKeys({ url: there }),
        (n) => n === 4,
        20_000,
      ),
    ).toBe(4);
    expect(await again.end('SIGTERM')).toBe(0);
    expect(again.lines().at(-2)?.msg).toMatch(
      /^interrupted: \d+ issues of company DEMO are left; the next start/,
    );
    expect(again.lines().at(-1)).toMatchObject({ step: 'stopped' });
    expect(await processesWith(dir)).toEqual([]);
  }, 180_000);

  it('stopped in the middle of its demo it ends in time and leaves nothing', async () => {
    const server = start(['--data-dir', await dataDir()]);
    const { url = '' } = await server.step('ready');
    await until(
      () => processesWith(url),
      (pids) => pids.length > 4,
      10_000,
    );
    expect(await server.end('SIGTERM')).toBe(0);
    expect(await processesWith(url)).toEqual([]);
  }, 120_000);

  it('stops, its database too, when the terminal it was started on is closed', async () => {
    const dir = await dataDir();
    const server = start(['--data-dir', dir, '--no-demo']);
    await server.step('ready');
    expect(await server.end('SIGHUP')).toBe(0);
    expect(server.lines().at(-1)).toMatchObject({ step: 'stopped' });
    expect(await processesWith(dir)).toEqual([]);
  }, 120_000);

  it('has no demo with a database that is somebody’s own, and says why when asked for one', async () => {
    const database = await freshDatabase();
    const dir = await dataDir();
    const server = start(['--data-dir', dir, '--demo'], { env: { DATABASE_URL: database.url } });
    const { url = '' } = await server.step('ready');
    expect((await server.step('demo')).msg).toMatch(/not run.*baton demo/);
    expect((await call<{ items: unknown[] }>({ url }, 'GET', '/companies')).body.items).toEqual([]);
    expect(await server.end('SIGTERM')).toBe(0);
    await database.drop();
  }, 120_000);
});

describe('baton demo', () => {
  it('interrupted says what is left and leaves no key, and the next one goes on with it', async () => {
    const server = start(['--data-dir', await dataDir(), '--no-demo']);
    const { url = '' } = await server.step('ready');
    const told = async () => {
      const child = spawn(process.execPath, ['dist/cli/main.js', 'demo', '--url', url], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env.PATH },
      });
      running.add(child);
      let out = '';
      child.stdout.on('data', (text) => {
        out += text;
      });
      const keys = () => validKeys({ url });
      // All four work: now somebody has seen enough.
      await until(keys, (n) => n === 4, 20_000);
      child.kill('SIGINT');
      expect((await once(child, 'exit'))[0]).toBe(130);
      running.delete(child);
      expect(await keys()).toBe(0);
      const lines = out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { text: string }).text);
      return [lines[0], lines.at(-1)];
    };
    const goesOn = /^Interrupted: \d+ issues of company DEMO are left; baton demo goes on with them\.$/;
    const [begun, interrupted] = await told();
    expect(begun).toBe('Three agents are working on 24 issues of company DEMO.');
    expect(interrupted).toMatch(goesOn);
    const [resumed, again] = await told();
    expect(resumed).toMatch(/^The demo that was interrupted goes on: \d+ issues of company DEMO are left/);
    expect(again).toMatch(goesOn);
    expect(await server.end('SIGTERM')).toBe(0);
  }, 120_000);
});

/** A database that is away, at the start or later, is no such failure: see crash.test.ts. */
describe('a start that cannot be', () => {
  it('a port that was chosen and is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const dir = await dataDir();
    const server = start(['--data-dir', dir, '--port', String(port), '--no-demo']);
    expect(await server.exited).toBe(1);
    expect(server.errors()).toMatch(/EADDRINUSE[\s\S]*another port with --port/);
    // Nothing was made for a server that cannot be.
    expect(await readdir(dir)).toEqual([]);
    other.close();
  }, 90_000);

  it('a database that a newer version has made', async () => {
    const database = await freshDatabase();
    const dir = await dataDir();
    const first = start(['--data-dir', dir, '--database-url', database.url]);
    await first.step('ready');
    await first.end('SIGTERM');
    const client = new pg.Client(connection({ url: database.url }));
    await client.connect();
    await client.query("insert into baton_migrations (number, name, checksum) values (9999, 'future', 'x')");
    await client.end();
    const server = start(['--data-dir', dir, '--database-url', database.url]);
    expect(await server.exited).toBe(1);
    expect(server.errors()).toMatch(/9999_future[\s\S]*Start the newer version/);
    await database.drop();
  }, 90_000);

  it('a data directory that may not be written to', async () => {
    const room = await dataDir();
    await chmod(room, 0o755);
    const closed = join(room, 'closed');
    await mkdir(closed, { mode: 0o555 });
    // Root may write anywhere, so there the server is somebody else's.
    const how = process.getuid?.() === 0 ? { program: await asNobody(room) } : {};
    const server = start(['--data-dir', join(closed, 'data'), '--no-demo'], how);
    expect(await server.exited).toBe(1);
    expect(server.errors()).toMatch(/EACCES[\s\S]*--data-dir/);
  }, 90_000);

  it('a data directory where there can be none', async () => {
    const server = start(['--data-dir', '/proc/no-such/data', '--no-demo']);
    expect(await server.exited).toBe(1);
    expect(server.errors()).toMatch(/--data-dir/);
  }, 90_000);

  it('an address others reach, without a token', async () => {
    const server = start(['--data-dir', await dataDir(), '--host', '0.0.0.0']);
    expect(await server.exited).toBe(2);
    expect(server.errors()).toContain('set BATON_TOKEN');
  }, 90_000);
});

async function companyIds(server: { url: string }): Promise<string[]> {
  const { body } = await call<{ items: { id: string }[] }>(server, 'GET', '/companies');
  return body.items.map(({ id }) => id);
}

/** How many keys nobody has revoked. */
async function validKeys(server: { url: string }): Promise<number> {
  let valid = 0;
  for (const id of await companyIds(server)) {
    const path = `/companies/${id}/keys`;
    const { body } = await call<{ items: { revokedAt: number | null }[] }>(server, 'GET', path);
    valid += body.items.filter(({ revokedAt }) => revokedAt === null).length;
  }
  return valid;
}

async function journals(server: { url: string }): Promise<Change[][]> {
  const all: Change[][] = [];
  for (const id of await companyIds(server)) {
    const issues = await call<{ items: { id: string }[] }>(
      server,
      'GET',
      `/companies/${id}/issues?limit=100`,
    );
    for (const issue of issues.body.items) {
      const journal = await call<{ items: Change[] }>(server, 'GET', `/issues/${issue.id}/journal`);
      all.push(journal.body.items);
    }
  }
  return all;
}

/** All that a first look is to show is in the journals. */
function isWhole(all: readonly Change[][]): boolean {
  const happened = (test: (change: Change, journal: readonly Change[]) => boolean) =>
    all.some((journal) => journal.some((change) => test(change, journal)));
  return (
    happened(({ type, to }) => type === 'RUN.FAILED' && to === 'scheduled-retry') &&
    happened(({ type }) => type === 'RETRY.DUE') &&
    happened(({ type, from, effects }) => {
      return type === 'ASSIGN' && from === 'scheduled-retry' && effects.some((e) => e.type === 'run.queued');
    }) &&
    happened(({ type, version }, journal) => {
      return type === 'LEASE.EXPIRED' && journal.some((c) => c.type === 'GRANT' && c.version > version);
    })
  );
}
