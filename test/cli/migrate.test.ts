import { describe, expect, it } from 'vitest';
import { migrateCommand } from '../../src/cli/migrate-command.ts';
import type { MigrateDatabase } from '../../src/cli/runtime.ts';
import { BatonError } from '../../src/errors.ts';
import { baton } from './world.ts';

const pending = [{ number: 1, name: 'first' }];
const POPULATION = [
  { kind: 'issue', machineVersion: 1, becomes: 'migrated', reason: null, count: 7, example: 'i1' },
  { kind: 'issue', machineVersion: 9, becomes: 'quarantined', reason: 'too new', count: 2, example: 'i8' },
] as const;
const migrate: MigrateDatabase = async (settings, { dryRun }) => ({
  database: `PostgreSQL 18.4 at ${settings.databaseUrl}, ${dryRun ? 'untouched' : 'changed'}`,
  migrations: pending,
  population: dryRun ? POPULATION : [],
});

describe('baton migrate', () => {
  it('names what it applied in the database it was given', async () => {
    const env = { DATABASE_URL: 'postgres://db/baton', NO_COLOR: '1' };
    const { code, out } = await baton(['migrate'], {
      commands: [migrateCommand(migrate)],
      env,
      terminal: true,
    });
    expect(code).toBe(0);
    expect(out).toBe('  applied 0001_first\nPostgreSQL 18.4 at postgres://db/baton, changed: 1 applied.\n');
  });
  it('changes nothing in a dry run', async () => {
    const { lines } = await baton(['migrate', '--dry-run'], { commands: [migrateCommand(migrate)] });
    expect(lines()).toEqual([{ migration: '0001_first', applied: false }, ...POPULATION]);
  });
  it('says in a dry run what the stored actors would become', async () => {
    const env = { DATABASE_URL: 'postgres://db/baton', NO_COLOR: '1' };
    const { out } = await baton(['migrate', '--dry-run'], {
      commands: [migrateCommand(migrate)],
      env,
      terminal: true,
    });
    expect(out).toContain('  7 × issue, machine version 1: migrated\n');
    expect(out).toContain('  2 × issue, machine version 9: quarantined: too new (i8, …)\n');
  });
  it('fails with one sentence when the database is newer than the code', async () => {
    const newer: MigrateDatabase = async () => {
      throw new BatonError('INTERNAL', 'The database has migration 0009, this version knows up to 0003.', {});
    };
    const { code, err } = await baton(['migrate'], { commands: [migrateCommand(newer)] });
    expect(code).toBe(1);
    expect(err).toContain('0009');
  });
});
