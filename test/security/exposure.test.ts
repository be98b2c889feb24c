/** Who can reach the server, and what it keeps on disk (docs/guarantees.md, Security, "exposure" and "credentials"). */
import { spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { resolveSettings } from '../../src/config.ts';
import { createRuntime } from '../../src/index.ts';
import { openDatabase } from '../../src/persistence/embedded-postgres.ts';
import { temporaryDirectory } from '../support/postgres.ts';
import { call, office, startServer } from '../support/server.ts';
import { endAll, spawnServer } from '../support/server-process.ts';
import { RawSocket } from '../support/socket.ts';

afterAll(endAll);

describe('a server that other machines could reach', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.com'])(
    'on %s is refused at the start without a token, with what to do',
    (host) => {
      const env = { ...process.env, BATON_TOKEN: '', HOST: '' };
      const run = spawnSync(process.execPath, ['dist/cli/main.js', 'start', '--port', '0', '--host', host], {
        env,
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect(run.status).not.toBe(0);
      expect(run.stderr).toContain('BATON_TOKEN');
      expect(run.stdout).not.toContain('ready');
    },
  );
});

describe('a server with a database of its own', () => {
  it('keeps data and token to itself, and its database off the network', async () => {
    const directory = await temporaryDirectory();
    const dataDir = join(directory.path, 'data');
    const server = await spawnServer({ 'data-dir': dataDir });
    expect((await stat(dataDir)).mode & 0o077).toBe(0);
    expect((await stat(join(dataDir, 'token'))).mode & 0o077).toBe(0);
    expect((await readFile(join(dataDir, 'token'), 'utf8')).trim().length).toBeGreaterThanOrEqual(32);
    expect(await readFile(join(dataDir, 'url'), 'utf8')).toBe(`${server.url}\n`);
    expect((await stat(join(dataDir, 'url'))).mode & 0o077).toBe(0);
    expect(await server.end('SIGTERM')).toBe(0);
    // Nobody is sent to an address where somebody else may listen by now.
    await expect(stat(join(dataDir, 'url'))).rejects.toThrow('ENOENT');
    const database = await openDatabase({ dataDir, log: () => {} });
    const client = new pg.Client(database.url);
    await client.connect();
    const { rows } = await client.query<{ listen_addresses: string }>('show listen_addresses');
    expect(rows).toEqual([{ listen_addresses: '' }]);
    await client.end();
    await database.stop();
    await directory.remove();
  }, 60_000);

  it('is found by its data directory also where it was started with a token, which is not kept there', async () => {
    const directory = await temporaryDirectory();
    const dataDir = join(directory.path, 'data');
    const token = 'a-token-of-the-operator-of-this-server';
    const server = await spawnServer({ 'data-dir': dataDir, token });
    await expect(stat(join(dataDir, 'token'))).rejects.toThrow('ENOENT');
    const asked = (env: NodeJS.ProcessEnv) =>
      spawnSync(process.execPath, ['bin/baton.mjs', 'companies', '--data-dir', dataDir, '--json'], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
        timeout: 20_000,
      });
    expect(asked({ BATON_TOKEN: token })).toMatchObject({ status: 0, stderr: '' });
    expect(asked({ BATON_TOKEN: '' }).stderr).toContain('UNAUTHENTICATED');
    expect(await server.end('SIGTERM')).toBe(0);
    await directory.remove();
  }, 60_000);
});

describe('a key', () => {
  it('has a secret of 128 bits or more, never the same', async () => {
    const server = await startServer();
    const o = await office(server, 'one');
    const secrets = new Set<string>();
    for (let n = 0; n < 20; n++) {
      const made = await call<{ token: string }>(server, 'POST', `/companies/${o.companyId}/keys`, {
        role: 'viewer',
      });
      secrets.add(made.body.token.split('.')[1]!);
    }
    expect(secrets.size).toBe(20);
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{22,}$/);
    await server.stop();
  });

  it('revoked while its socket is open closes it within five seconds, on whichever node', async () => {
    const server = await startServer();
    const o = await office(server, 'one');
    const directory = await temporaryDirectory();
    const flags = { port: '0', 'data-dir': directory.path, 'database-url': server.databaseUrl, log: 'fatal' };
    const { settings } = resolveSettings({ flags, env: {}, file: {} });
    const other = await createRuntime(settings, { log: pino({ level: 'silent' }), say: () => {} });
    const key = await call<{ id: string; token: string }>(server, 'POST', `/companies/${o.companyId}/keys`, {
      role: 'viewer',
    });
    const here = await RawSocket.open(server.url, key.body.token);
    const there = await RawSocket.open(other.url, key.body.token);
    await call(server, 'DELETE', `/keys/${key.body.id}`);
    expect((await here.ended(5000)).code).toBe(4401);
    expect((await there.ended(5000)).code).toBe(4401);
    for (const { url } of [server, other]) {
      expect((await call({ url }, 'GET', '/companies', undefined, { token: key.body.token })).status).toBe(
        401,
      );
    }
    await other.stop();
    await server.stop();
    await directory.remove();
  }, 30_000);
});
