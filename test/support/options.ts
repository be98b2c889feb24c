/** The options of a command for developers (`npm run sim -- …`): one table of them makes the parser and the usage. */
import { parseArgs } from 'node:util';

export interface Option {
  /** What stands for its value in the usage; absent for a switch. */
  readonly value?: string;
  readonly default?: string;
  readonly meaning: string;
}

type Table = Readonly<Record<string, Option>>;
export type Values<T extends Table> = {
  readonly [K in keyof T]: T[K] extends { value: string }
    ? T[K] extends { default: string }
      ? string
      : string | undefined
    : boolean;
};

/**
 * What was asked for; or, where that was only help or is wrong, the exit code: 0 after the usage, 2 after one line that
 * says what is wrong.
 * @param command as one types it, `npm run sim`
 */
export function optionsOf<const T extends Table>(
  command: string,
  about: string,
  table: T,
  args: readonly string[],
  say: (line: string) => void,
): { values: Values<T> } | { code: 0 | 2 } {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { value, default: usual }]) => {
      if (value === undefined) return [name, { type: 'boolean' as const, default: false }];
      return [name, { type: 'string' as const, ...(usual === undefined ? {} : { default: usual }) }];
    }),
  );
  try {
    const help = { type: 'boolean' as const, short: 'h' };
    const { values } = parseArgs({ args: [...args], options: { ...options, help } });
    if ((values as { help?: boolean }).help !== true) return { values: values as unknown as Values<T> };
    usage(command, about, table, say);
    return { code: 0 };
  } catch (error) {
    const [what] = (error as Error).message.split('. ');
    say(`${what}; ${command} -- --help lists the options`);
    return { code: 2 };
  }
}

function usage(command: string, about: string, table: Table, say: (line: string) => void): void {
  say(`${command} -- [options]`);
  say(about);
  const names = Object.entries(table).map(([name, { value }]) => `--${name}${value ? ` ${value}` : ''}`);
  const width = Math.max(...names.map((name) => name.length));
  for (const [n, option] of Object.values(table).entries()) {
    const usual = option.default === undefined ? '' : ` (default ${option.default})`;
    say(`  ${names[n]?.padEnd(width)}  ${option.meaning}${usual}`);
  }
}
