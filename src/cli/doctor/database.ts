/** What the doctor sees of the database by itself: one that somebody runs, or the embedded one's files. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import type { Clock } from '../../clock.ts';
import type { Settings } from '../../config.ts';
import { databasePlace } from '../../database-place.ts';
import { clockOf } from './clock.ts';
import { bad, type Finding, ok, warning } from './finding.ts';

const OLDEST = 14;
const CONNECT_MS = 5000;

export async function database(settings: Settings, cwd: string, clock: Clock): Promise<Finding[]> {
  if (settings.databaseUrl === null) return [embedded(resolve(cwd, settings.dataDir))];
  const client = new pg.Client({
    connectionString: settings.databaseUrl,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: CONNECT_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const asked = clock.now();
    const { rows } = await client.query<Row>(QUESTION);
    const answered = clock.now();
    const row = rows[0] as Row;
    return [versionOf(row), durabilityOf(row), clockOf(Number(row.now) - (asked + answered) / 2)];
  } catch (error) {
    const why = (error as Error).message;
    return [
      bad(
        'database',
        `DATABASE_URL does not answer: ${why}`,
        'Start it, or correct DATABASE_URL (--database-url).',
      ),
    ];
  } finally {
    await client.end().catch(() => {});
  }
}

interface Row {
  version: string;
  fsync: string;
  commit: string;
  used: string;
  most: string;
  now: string;
}

const QUESTION = `select current_setting('server_version') as version, current_setting('fsync') as fsync,
  current_setting('synchronous_commit') as commit, current_setting('max_connections') as most,
  (select count(*) from pg_stat_activity) as used, extract(epoch from clock_timestamp()) * 1000 as now`;

function versionOf({ version, used, most }: Row): Finding {
  const text = `PostgreSQL ${version} answers, ${used} of ${most} connections in use`;
  if (Number.parseInt(version, 10) < OLDEST)
    return bad('database', text, `Baton needs PostgreSQL ${OLDEST} or later.`);
  if (Number(used) > Number(most) * 0.9) {
    return warning('database', text, 'Raise max_connections, or end what holds them.');
  }
  return ok('database', text);
}

function durabilityOf({ fsync, commit }: Row): Finding {
  const text = `fsync ${fsync}, synchronous_commit ${commit}`;
  return fsync === 'on' && commit !== 'off'
    ? ok('durability', text)
    : bad('durability', text, 'What is acknowledged may be lost in a power cut: turn both on.');
}

function embedded(dataDir: string): Finding {
  const { path, note } = databasePlace(dataDir);
  const place = note === null ? path : `${path}, outside the data directory`;
  try {
    const version = readFileSync(join(path, 'PG_VERSION'), 'utf8').trim();
    const both = note === null ? '' : '; a backup needs both';
    return ok('database', `embedded PostgreSQL ${version} in ${place}${both}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && note === null)
      return ok('database', `none yet; the first start makes one in ${place}`);
    return code === 'ENOENT'
      ? bad(
          'database',
          `${path}, which ${note} names, is not there`,
          `Copy it back from the backup, with its owner; or remove ${note} to begin with an empty one.`,
        )
      : bad(
          'database',
          `${place} cannot be read (${code})`,
          'Run this as the user who runs the server, or correct --data-dir.',
        );
  }
}
