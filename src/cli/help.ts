/** Help and docs/cli.md, made from the command table. */
import { COMMON_FLAGS, type Command, type Flag } from './command.ts';

export function helpOfAll(version: string, commands: readonly Command[]): string {
  const width = Math.max(...commands.map((c) => c.name.length));
  return [
    `baton ${version} · an orchestrator for AI agents' issues`,
    '',
    'Usage: baton COMMAND [arguments]',
    '',
    ...commands.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`),
    '',
    'baton help COMMAND explains one. Exit codes: 0 done, 1 failure, 2 wrong usage, 3 refused by the state,',
    '4 cannot connect, 130 interrupted.',
    '',
  ].join('\n');
}

export function helpOf(command: Command): string {
  const flags = [...command.flags, ...COMMON_FLAGS];
  const names = flags.map(nameOf);
  const width = Math.max(...names.map((n) => n.length));
  return [
    `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`,
    '',
    `Usage: baton ${command.name}${command.usage === '' ? '' : ` ${command.usage}`}`,
    ...(command.about === undefined ? [] : ['', command.about]),
    '',
    ...flags.map((flag, i) => `  ${(names[i] ?? '').padEnd(width)}  ${flag.meaning}`),
    '',
    `Example${command.examples.length === 1 ? '' : 's'}:`,
    ...command.examples.map((e) => `  ${e}`),
    '',
  ].join('\n');
}

function nameOf(flag: Flag): string {
  if (flag.value !== undefined) return `--${flag.name} ${flag.value}`;
  return flag.negatable === true ? `--${flag.name}, --no-${flag.name}` : `--${flag.name}`;
}

/** The part of docs/cli.md that is generated. */
export function helpMarkdown(commands: readonly Command[]): string {
  const index = commands.map((c) => `| [\`baton ${c.name}\`](#baton-${c.name}) | ${cell(c.summary)} |`);
  const sections = commands.flatMap((c) => [
    `## baton ${c.name}`,
    '',
    `${c.summary[0]?.toUpperCase()}${c.summary.slice(1)}.`,
    '',
    '```',
    `baton ${c.name}${c.usage === '' ? '' : ` ${c.usage}`}`,
    '```',
    '',
    ...(c.about === undefined ? [] : ['```text', c.about, '```', '']),
    ...(c.flags.length === 0
      ? []
      : [
          '| option | meaning |',
          '| --- | --- |',
          ...c.flags.map((flag) => `| \`${cell(nameOf(flag))}\` | ${cell(flag.meaning)} |`),
          '',
        ]),
    '```sh',
    ...c.examples,
    '```',
    '',
  ]);
  return ['| command | what it does |', '| --- | --- |', ...index, '', ...sections].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
