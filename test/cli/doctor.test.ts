import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clockOf } from '../../src/cli/doctor/clock.ts';
import { diskFinding, nodeVersion } from '../../src/cli/doctor/machine.ts';
import { serverFindings } from '../../src/cli/doctor/running.ts';
import { VERSION } from '../../src/version.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { baton, type Given } from './world.ts';

const GIB = 1024 ** 3;

describe('a finding', () => {
  it('about the disk is graver the less is free', () => {
    expect([50, 0.5, 0.1].map((n) => diskFinding('/d', n * GIB).is)).toEqual(['ok', 'warning', 'bad']);
  });
  it('about clocks is a warning from a second on, either way', () => {
    expect([0, 999, -999, 1001, -1001].map((ms) => clockOf(ms).is)).toEqual([
      'ok',
      'ok',
      'ok',
      'warning',
      'warning',
    ]);
  });
  it('about an old node is bad', () => {
    expect(['18.20.0', '20.0.0', '24.1.0'].map((v) => nodeVersion(v).is)).toEqual(['bad', 'ok', 'ok']);
  });
  it('about a server that is not there is bad only where somebody named it', () => {
    expect(serverFindings('http://x', null, true)[0]?.is).toBe('bad');
    expect(serverFindings('http://x', null, false)[0]?.is).toBe('warning');
  });
  it('about a server says why it is not ready, and that it is of another version', () => {
    const found = serverFindings('http://x', { version: '9.9.9', ready: false, reason: 'no database' }, true);
    expect(found.map(({ is }) => is)).toEqual(['bad', 'warning']);
    expect(found[0]?.text).toContain('no database');
    expect(found[1]?.text).toContain(VERSION);
  });
  it('that is not well always says what to do', () => {
    const all = [
      diskFinding('/d', 0),
      clockOf(5000),
      nodeVersion('1.0.0'),
      ...serverFindings('http://x', null, true),
    ];
    for (const { todo } of all) expect(todo).not.toBeNull();
  });
});

describe('baton doctor', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());
  const cwd = mkdtempSync(join(tmpdir(), 'baton-doctor-'));
  const doctor = async (argv: string[], given: Given = {}) => {
    const ran = await baton(['doctor', '--port', '0', ...argv], { cwd, ...given });
    return { ...ran, is: Object.fromEntries(ran.lines().map((line) => [line.about, line.is])) };
  };

  it('finds a server and its database in order', async () => {
    const { code, is } = await doctor(['--url', server.url, '--database-url', server.databaseUrl]);
    expect(is).toMatchObject({
      versions: 'ok',
      database: 'ok',
      disk: expect.stringMatching(/ok|warning/),
      clock: 'ok',
      port: 'ok',
      server: 'ok',
      'server version': 'ok',
      leases: 'ok',
      quarantined: 'ok',
    });
    // The tests' clusters run without fsync, and the doctor says so.
    expect(is.durability).toBe('bad');
    expect(code).toBe(1);
  });
  it('finds nothing bad where nothing was started yet', async () => {
    const { code, is } = await doctor([]);
    expect(is).toMatchObject({ database: 'ok', leases: 'unknown', quarantined: 'unknown' });
    expect(is.server).not.toBe('bad');
    expect(code).toBe(0);
  });
  it('finds a server that was named and is not there, and a database that is away, and says what to do', async () => {
    const away = ['--url', 'http://127.0.0.1:1', '--database-url', 'postgres://127.0.0.1:1/x'];
    const { code, is, out } = await doctor(away);
    expect(code).toBe(1);
    expect(is).toMatchObject({ server: 'bad', database: 'bad' });
    expect(out).toContain('baton start');
  });
  it('finds the server of the data directory on whichever port it is', async () => {
    const dataDir = mkdtempSync(join(cwd, 'data-'));
    const { port } = new URL(server.url);
    writeFileSync(join(dataDir, 'url'), `${server.url}\n`);
    const of = async (...flags: string[]) => {
      const ran = await baton(['doctor', '--data-dir', dataDir, ...flags], { cwd });
      return ran.lines().find(({ about }) => about === 'port')?.text;
    };
    expect(await of()).toBe(`${port} is the server’s`);
    expect(await of('--port', port)).toBe(`${port} is the server’s`);
    expect(await of('--port', '0')).toBe('any free one');
  });
  it('finds the database that lies outside the data directory, and the disk it is on', async () => {
    const dataDir = mkdtempSync(join(cwd, 'data-'));
    const place = mkdtempSync(join(tmpdir(), 'baton-elsewhere-'));
    writeFileSync(join(place, 'PG_VERSION'), '15\n');
    writeFileSync(join(dataDir, 'postgres.location'), `${place}\n`);
    const of = async (what: string) => {
      const ran = await baton(['doctor', '--port', '0', '--data-dir', dataDir], { cwd });
      return ran.lines().find(({ about }) => about === what);
    };
    const text = `embedded PostgreSQL 15 in ${place}, outside the data directory; a backup needs both`;
    expect(await of('database')).toMatchObject({ is: 'ok', text });
    expect((await of('disk'))?.text).toMatch(new RegExp(`free under ${place}$`));
    rmSync(place, { recursive: true });
    expect(await of('database')).toMatchObject({ is: 'bad', todo: expect.stringContaining('Copy it back') });
  });
  it('finds a port that somebody else has', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const ran = await baton(['doctor', '--port', String(port), '--url', server.url], { cwd });
    expect(ran.lines().find(({ about }) => about === 'port')).toMatchObject({ is: 'warning' });
    other.close();
  });
  it('shows a line each on a terminal, and below it what to do', async () => {
    const argv = ['doctor', '--port', '0', '--url', 'http://127.0.0.1:1'];
    const { out } = await baton(argv, { cwd, terminal: true, env: { NO_COLOR: '1' } });
    expect(out).toMatch(/ ✓ versions {8}baton /);
    expect(out).toMatch(/ ✗ server .*nobody answers.*\n +→ Start one/);
  });
});
