/** Settings as text: what `baton config` prints and the table of docs/configuration.md. */
import { OPTIONS, type Option, type Origin, type Resolved, type SettingKey } from '../config.ts';

/** Every setting with its value as text (secrets masked) and where it came from: what `baton config` prints. */
export function describeSettings({ settings, origins }: Resolved): {
  key: SettingKey;
  value: string;
  origin: Origin;
  option: Option;
}[] {
  return OPTIONS.map((option) => {
    const value = settings[option.key];
    const plain = option.key === 'rateLimit' && value === null ? 'off' : value === null ? '' : String(value);
    return {
      key: option.key,
      value: option.mask !== undefined && plain !== '' ? option.mask(plain) : plain,
      origin: origins[option.key],
      option,
    };
  });
}

/** The table of docs/configuration.md. */
export function configurationMarkdown(): string {
  const rows = OPTIONS.map((o) => {
    const flag = o.value === null ? `--${o.flag}` : `--${o.flag} ${o.value}`;
    const fallback = o.fallback === null || o.fallback === '' ? '–' : `\`${o.fallback}\``;
    const cells = [
      o.env === null ? '–' : `\`${o.env}\``,
      `\`${flag}\``,
      `\`${o.key}\``,
      fallback,
      `${o.meaning}. Must be ${o.rule}.`,
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    '| environment | flag | in baton.config.json | default | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
