/** `baton config`: what a server started here and now would run with, and where each value came from. */
import type { Command } from './command.ts';
import { configurationMarkdown, describeSettings } from './config-text.ts';
import { SETTING_FLAGS, settingsOf } from './settings-of.ts';
import { table } from './table.ts';
import { emit, paint } from './terminal.ts';

export const configCommand: Command = {
  name: 'config',
  summary: 'show each setting and where it came from, secrets masked',
  usage: '[options of start]',
  takes: [0, 0],
  flags: [
    { name: 'markdown', meaning: 'print the table of docs/configuration.md instead' },
    ...SETTING_FLAGS,
  ],
  examples: ['baton config', 'PORT=4310 baton config --json'],
  async run(call) {
    const { terminal } = call;
    if (call.flags.markdown === true) {
      terminal.out.write(configurationMarkdown());
      return 0;
    }
    const described = describeSettings(settingsOf(call));
    for (const { key, value, origin, option } of described) {
      emit(terminal, { key, value, origin, env: option.env, flag: `--${option.flag}` });
    }
    if (terminal.json) return 0;
    const rows = described.map(({ value, origin, option }) => [
      option.env ?? `--${option.flag}`,
      value === '' ? '–' : value,
      origin,
      option.meaning,
    ]);
    const columns = [
      { head: 'OPTION' },
      { head: 'VALUE' },
      { head: 'FROM' },
      { head: 'MEANING', flexible: true },
    ];
    terminal.out.write(table(terminal, columns, rows));
    terminal.out.write(
      paint(terminal, 'dim', 'A flag goes before the environment, that before baton.config.json.\n'),
    );
    return 0;
  },
};
