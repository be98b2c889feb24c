/**
 * A disk that is full under the journal. Whoever may mount (root) gets a small file system for it, which really runs
 * full; elsewhere the database itself answers what a full disk makes it answer – SQLSTATE 53100, and the statement is
 * undone –, raised by a trigger on the journal.
 */
import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CampaignPostgres } from './postgres.ts';

const run = promisify(execFile);

export interface FullDisk {
  /** How it is made: for the report. */
  readonly by: 'small file system' | 'answer of the database';
  fill(): Promise<void>;
  /** How often the database refused a statement for it within `ms`. */
  refusals(ms: number): Promise<number>;
  free(): Promise<void>;
  remove(): Promise<void>;
}

export async function fullDisk(postgres: CampaignPostgres): Promise<FullDisk> {
  return (await smallFileSystem(postgres)) ?? answered(postgres);
}

async function smallFileSystem(postgres: CampaignPostgres): Promise<FullDisk | null> {
  const place = await mkdtemp(join(tmpdir(), 'baton-disk-'));
  const [{ bytes }] = (await postgres.query<{ bytes: string }>(
    "select pg_total_relation_size('journal') as bytes",
  )) as [{ bytes: string }];
  const size = Math.ceil(Number(bytes) / 2 ** 20) + 8;
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}m,mode=0700`, 'tmpfs', place]);
  } catch {
    await rm(place, { recursive: true, force: true });
    return null;
  }
  if (postgres.user !== null) await chown(place, postgres.user.uid, postgres.user.gid);
  await postgres.query(`create tablespace small location '${place}'`);
  await postgres.query('alter table journal set tablespace small');
  const filler = join(place, 'filler');
  return {
    by: 'small file system',
    async fill() {
      const { bavail, bsize } = await statfs(place);
      // The journal may have grown meanwhile: then it is full a little sooner.
      await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(enospc);
    },
    refusals: (ms) => refusals(postgres, ms),
    free: () => rm(filler, { force: true }),
    async remove() {
      await postgres.query('alter table journal set tablespace pg_default');
      await postgres.query('drop tablespace small');
      await run('umount', [place]);
      await rm(place, { recursive: true, force: true });
    },
  };
}

async function answered(postgres: CampaignPostgres): Promise<FullDisk> {
  return {
    by: 'answer of the database',
    async fill() {
      await postgres.query(`create or replace function disk_full() returns trigger language plpgsql as $$
        begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$`);
      await postgres.query(
        'create trigger disk_full before insert on journal for each row execute function disk_full()',
      );
    },
    refusals: (ms) => refusals(postgres, ms),
    async free() {
      await postgres.query('drop trigger if exists disk_full on journal');
    },
    remove: async () => {},
  };
}

/** Statements undone, as the database counts them. */
async function refusals(postgres: CampaignPostgres, ms: number): Promise<number> {
  const undone = async () =>
    Number(
      (
        await postgres.query<{ n: string }>(
          'select xact_rollback as n from pg_stat_database where datname = current_database()',
        )
      )[0]!.n,
    );
  const before = await undone();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return (await undone()) - before;
}

function enospc(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOSPC') throw error;
}
