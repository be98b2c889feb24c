/** What is said of a start that cannot be: who is in the way, and what to do. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type Server } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { announce } from '../../src/local-access.ts';
import { type Database, openDatabase } from '../../src/persistence/embedded-postgres.ts';
import { baton } from './world.ts';

const open: { close(): unknown }[] = [];
const databases: Database[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) server.close();
  for (const database of databases.splice(0)) await database.stop();
});

const cwd = mkdtempSync(join(tmpdir(), 'baton-start-failure-'));
// Else root's database is kept under /var/lib/baton, where nobody would remove it.
chmodSync(cwd, 0o755);
afterAll(() => rmSync(cwd, { recursive: true }));
const folder = () => mkdtempSync(join(cwd, 'data-'));
const start = (...flags: string[]) => baton(['start', '--no-demo', ...flags], { cwd });

async function listening(server: Server | ReturnType<typeof createServer>): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

const batonThere = () =>
  createHttp((request, response) =>
    response.end(
      JSON.stringify(request.url === '/healthz' ? { ok: true, version: '9.9.9' } : { ready: true }),
    ),
  );

describe('a port that was chosen and is taken', () => {
  it('by a program that is no Baton', async () => {
    const port = await listening(createServer((socket) => socket.end('220 mail\r\n')));
    const { code, err } = await start('--port', String(port), '--data-dir', folder());
    expect(code).toBe(1);
    expect(err).toMatch(
      new RegExp(
        `Port ${port} on 127\\.0\\.0\\.1 is taken by another program, which is no Baton \\(EADDRINUSE\\)\\.\n`,
      ),
    );
    expect(err).toMatch(/Stop that program, or choose another port with --port/);
  });
  it('by another Baton, which is named with its address and its version', async () => {
    const port = await listening(batonThere());
    const { err } = await start('--port', String(port), '--data-dir', folder());
    expect(err).toContain(`Port ${port} on 127.0.0.1 is taken by another Baton server, 9.9.9.`);
    expect(err).toContain(`Open http://127.0.0.1:${port}, or stop it; else choose another port`);
  });
  it('by the Baton of this very data directory', async () => {
    const port = await listening(batonThere());
    const dataDir = folder();
    writeFileSync(join(dataDir, 'url'), `http://127.0.0.1:${port}\n`);
    const { err } = await start(
      '--port',
      String(port),
      '--data-dir',
      dataDir,
      '--database-url',
      'postgres://x/y',
    );
    expect(err).toContain(
      `The Baton server of the data directory ${dataDir} listens on http://127.0.0.1:${port}.`,
    );
  });
});

it('a data directory that a server uses: that is said before anything of the port, with its address', async () => {
  const dataDir = folder();
  databases.push(await openDatabase({ dataDir, log: () => {} }));
  const port = await listening(batonThere());
  await announce(dataDir, `http://127.0.0.1:${port}`);
  const { code, err } = await start('--port', String(port), '--data-dir', dataDir);
  expect(code).toBe(1);
  expect(err).toContain(
    `A Baton server (process ${process.pid}) uses the data directory ${dataDir} and listens on http://127.0.0.1:${port}.`,
  );
  expect(err).toMatch(/Open http:.*, or stop it; for another server beside it choose another data directory/);
}, 60_000);

describe('a data directory that cannot be one', () => {
  it.each([
    ['/proc/foo', /cannot be used: no directory can be made at \/proc\/foo \(ENOENT\)\.\n/],
    ['/etc/passwd', /cannot be used: \/etc\/passwd is a file, not a directory \(EEXIST\)\.\n/],
    ['/etc/passwd/x', /cannot be used: on the way to \/etc\/passwd\/x there is a file.*\(ENOTDIR\)\.\n/],
  ])('%s: a sentence that names it', async (path, sentence) => {
    const { code, err } = await start('--port', '0', '--data-dir', path);
    expect(code).toBe(1);
    expect(err).toContain(`The data directory ${path} cannot be used`);
    expect(err).toMatch(sentence);
    expect(err).toMatch(/\n +Choose a data directory of your own that you may write to with --data-dir\.\n/);
    expect(err).not.toContain('mkdir');
  });
});

it('an address that this machine does not have', async () => {
  const { err } = await start('--host', 'no-such-host.invalid', '--token', 'x', '--data-dir', folder());
  expect(err).toMatch(/This machine has no address no-such-host\.invalid \((ENOTFOUND|EAI_AGAIN)\)/);
});
