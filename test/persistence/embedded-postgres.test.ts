/** The embedded database as a person meets it: first start, second start, kills of either side, two servers at once. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase, openEmbedded } from '../../src/persistence/embedded-postgres.ts';
import { alive } from '../../src/persistence/os-process.ts';
import { npmBinaries, systemBinaries } from '../../src/persistence/postgres-binaries.ts';
import { temporaryDirectory } from '../support/postgres.ts';

let root: Awaited<ReturnType<typeof temporaryDirectory>>;
let dataDir: string;
let said: string[];
const open: Database[] = [];

beforeEach(async () => {
  root = await temporaryDirectory();
  dataDir = join(root.path, 'data');
  said = [];
});

afterEach(async () => {
  for (const database of open.splice(0)) await database.stop();
  await root.remove();
});

async function start(dir = dataDir): Promise<Database> {
  const database = await openDatabase({ dataDir: dir, log: (line) => said.push(line) });
  open.push(database);
  return database;
}

async function query<T extends pg.QueryResultRow>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

/** The process id of the database that serves the data dir. */
const postmasterPid = async (dir = dataDir): Promise<number> =>
  Number((await readFile(join(dir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);

async function eventually(what: () => Promise<boolean> | boolean): Promise<void> {
  for (let n = 0; n < 400; n++) {
    if (await what()) return;
    await sleep(25);
  }
  throw new Error(`did not come true: ${what}`);
}

describe('embedded PostgreSQL', () => {
  it('starts durable and private, keeps its data over a stop, and leaves no process', async () => {
    const first = await start();
    expect(first.how).toMatch(/^(system|npm)$/);
    expect(first.product).toMatch(/^PostgreSQL \d+/);
    await query(first.url, 'create table kept as select 42 as n');
    const settings = await query<{ name: string; setting: string }>(
      first.url,
      `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'listen_addresses', 'jit')`,
    );
    expect(Object.fromEntries(settings.map((s) => [s.name, s.setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      listen_addresses: '',
      jit: 'off',
    });
    expect((await stat(join(dataDir, 'postgres'))).mode & 0o777).toBe(0o700);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    const pid = await postmasterPid();
    await Promise.all([first.stop(), first.stop()]);
    expect(alive(pid)).toBe(false);
    const second = await start();
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }]);
    expect(said).toEqual([]);
  });

  it('uses the database it is told and stops nothing then', async () => {
    const { url } = await start();
    const told = await openDatabase({ databaseUrl: url, dataDir: join(root.path, 'unused'), log: () => {} });
    expect([told.how, told.url]).toEqual(['DATABASE_URL', url]);
    await told.stop();
    expect(await query(url, 'select 1 as n')).toEqual([{ n: 1 }]);
    const away = 'postgresql://127.0.0.1:1/none';
    const refused = openDatabase({ databaseUrl: away, dataDir, log: () => {} });
    await expect(refused).rejects.toThrow(/DATABASE_URL does not answer/);
  });

  it('comes back by itself when the database process is killed, with what was committed', async () => {
    const { url } = await start();
    await query(url, 'create table kept as select 1 as n');
    const pid = await postmasterPid();
    process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      const rows = await query(url, 'select n from kept').catch(() => []);
      return rows.length === 1 && (await postmasterPid()) !== pid;
    });
    expect(said.join()).toContain('ended unexpectedly');
  });

  it('stops cleanly while it is coming back', async () => {
    const database = await start();
    process.kill(await postmasterPid(), 'SIGKILL');
    await eventually(() => said.length > 0);
    await database.stop();
    const pid = await postmasterPid().catch(() => 0);
    expect(pid === 0 || !alive(pid)).toBe(true);
  });

  describe('after its Baton was killed', () => {
    let owner: ChildProcess;

    /** A process of its own that opens the data dir and says so. */
    async function elsewhere(): Promise<ChildProcess> {
      const program = join(import.meta.dirname, '..', 'support', 'open-database.mjs');
      const child = fork(program, [dataDir], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      const [message] = (await once(child, 'message')) as [{ url?: string; error?: string }];
      if (message.error !== undefined) throw new Error(message.error);
      return child;
    }

    beforeEach(async () => {
      owner = await elsewhere();
    });

    it('the database that is left is used on, and stopped in the end', async () => {
      const pid = await postmasterPid();
      owner.kill('SIGKILL');
      await once(owner, 'exit');
      expect(alive(pid)).toBe(true);
      const database = await start();
      expect(await postmasterPid()).toBe(pid);
      expect(said.join()).toContain('still running');
      expect(await query(database.url, 'select 1 as n')).toEqual([{ n: 1 }]);
      await database.stop();
      await eventually(() => !alive(pid));
    });

    it('a database that was killed with it recovers', async () => {
      owner.kill('SIGKILL');
      process.kill(await postmasterPid(), 'SIGKILL');
      await once(owner, 'exit');
      const database = await start();
      expect(await query(database.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    });

    it('an adopted database that dies comes back as well', async () => {
      owner.kill('SIGKILL');
      await once(owner, 'exit');
      const { url } = await start();
      const pid = await postmasterPid();
      process.kill(pid, 'SIGKILL');
      await eventually(async () => (await query(url, 'select 1 as n').catch(() => [])).length === 1);
      expect(await postmasterPid()).not.toBe(pid);
    });

    it('a second server on the data dir is refused while the first lives', async () => {
      await expect(start()).rejects.toThrow(`Another Baton server (process ${owner.pid}) uses the data dir`);
      owner.kill('SIGTERM');
      await once(owner, 'exit');
      await start();
    });
  });

  it('refuses a second server in the same process', async () => {
    await start();
    await expect(start()).rejects.toThrow(/Another Baton server/);
  });

  it('says what to do when the data dir is of a PostgreSQL that is not here', async () => {
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '99\n');
    await expect(start()).rejects.toThrow(
      /made by PostgreSQL 99; found: .* Install PostgreSQL 99, or choose/,
    );
    await expect(
      openEmbedded({ dataDir: join(root.path, 'x'), log: () => {} }, async () => []),
    ).rejects.toThrow(/There is no PostgreSQL \(14 or later\)/);
  });

  it('is not led astray by a process id in postmaster.pid that is somebody else by now', async () => {
    const database = await start();
    await database.stop();
    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), `${process.pid}\n${dataDir}\n`);
    const second = await start();
    expect(await query(second.url, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('puts the socket elsewhere when the path is too long for one', async () => {
    const { url } = await start(join(root.path, 'long'.repeat(30)));
    expect(decodeURIComponent(url).length).toBeLessThan(150);
    expect(await query(url, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it("runs npm's PostgreSQL as well as the machine's", async () => {
    const npm = await npmBinaries();
    expect(npm.length + (await systemBinaries()).length).toBeGreaterThan(0);
    if (npm.length === 0) return; // no package for this platform: the machine's own is tested above
    const database = await openEmbedded({ dataDir, log: (line) => said.push(line) }, async () => npm);
    open.push(database);
    expect(database.how).toBe('npm');
    expect(await query(database.url, "select lower('Ä') as l")).toEqual([{ l: 'ä' }]);
  });

  it('goes elsewhere, and says so, when an unprivileged user may not reach the data dir', async () => {
    if (process.getuid?.() !== 0) return expect(process.getuid?.()).toBeGreaterThan(0); // only root lends its database
    await chmod(root.path, 0o700);
    const { url } = await start();
    expect(said.join()).toMatch(/may not pass .* so the database is kept in \/var\/lib\/baton\//);
    await query(url, 'create table kept as select 1 as n');
    await open.pop()!.stop();
    said = [];
    const again = await start();
    expect(await query(again.url, 'select n from kept')).toEqual([{ n: 1 }]);
    const note = join(dataDir, 'postgres.location');
    const place = (await readFile(note, 'utf8')).trim();
    expect([again.place, again.isElsewhere]).toEqual([place, true]);
    // Whoever sees only this start is told as well.
    expect(said.join()).toMatch(
      /may not pass .* kept in \/var\/lib\/baton\/.*, outside the data directory; .*postgres\.location names it\. A backup needs both/,
    );
    // A copy of the data dir names the same database: two servers must not share it.
    const copy = join(root.path, 'copy');
    await cp(dataDir, copy, { recursive: true, filter: (path) => !path.endsWith('lock') });
    await expect(start(copy)).rejects.toThrow(/Another Baton server/);
    await open.pop()!.stop();
    // And one that was copied to another machine has none, which must not look as if nothing had ever been there.
    await rename(place, `${place}.away`);
    await expect(start()).rejects.toThrow(
      /is in \/var\/lib\/baton\/.*there it is not.*Copy it back from the backup/,
    );
    await rename(`${place}.away`, place);
    await start();
    await open.pop()!.stop();
    await rm(place, { recursive: true });
  });
});
