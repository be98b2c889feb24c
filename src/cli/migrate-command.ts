/** `baton migrate`: brings a database's schema up to date, or says what that, and this version, would do. */
import type { Command } from './command.ts';
import { type MigrateDatabase, migrateDatabase } from './runtime.ts';
import { SETTING_FLAGS, settingsOf } from './settings-of.ts';
import { emit, plain, say } from './terminal.ts';

const FLAGS = SETTING_FLAGS.filter(({ name }) => name === 'database-url' || name === 'data-dir');

/** @param migrate only tests hand in another */
export function migrateCommand(migrate: MigrateDatabase = migrateDatabase): Command {
  return {
    name: 'migrate',
    summary: "bring the database's schema up to date",
    usage: '[--dry-run]',
    takes: [0, 0],
    about: '`baton start` does it by itself; this is for whoever wants to do it before, or to see it first.',
    flags: [
      { name: 'dry-run', meaning: 'only say what would be applied, and what each stored actor would become' },
      ...FLAGS,
    ],
    examples: ['baton migrate --dry-run', 'DATABASE_URL=postgres://baton@db/baton baton migrate'],
    async run(call) {
      const { terminal } = call;
      const { settings } = settingsOf(call);
      const dryRun = call.flags['dry-run'] === true;
      const { migrations, database, population } = await migrate(settings, {
        dryRun,
        log: (line) => say(terminal, line),
      });
      for (const { number, name } of migrations) {
        const title = `${String(number).padStart(4, '0')}_${name}`;
        emit(terminal, { migration: title, applied: !dryRun });
        say(terminal, `  ${dryRun ? 'would apply' : 'applied'} ${plain(title)}`);
      }
      for (const group of population) {
        const { kind, machineVersion, becomes, reason, count, example } = group;
        emit(terminal, group);
        const why = reason === null ? '' : `: ${plain(reason)} (${plain(example)}${count > 1 ? ', …' : ''})`;
        say(terminal, `  ${count} × ${plain(kind)}, machine version ${machineVersion}: ${becomes}${why}`);
      }
      say(
        terminal,
        `${plain(database)}: ${migrations.length === 0 ? 'up to date' : `${migrations.length} ${dryRun ? 'to apply' : 'applied'}`}.`,
      );
      return 0;
    },
  };
}
