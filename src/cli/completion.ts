/** Completion for bash, zsh and fish, made from the command table. Pure. */
import { COMMON_FLAGS, type Command, type Flag } from './command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Where to put it, as a comment on top of each script. */
const INSTALL: Readonly<Record<Shell, string>> = {
  bash: 'baton completion bash > ~/.local/share/bash-completion/completions/baton',
  zsh: 'baton completion zsh > "$fpath[1]/_baton"',
  fish: 'baton completion fish > ~/.config/fish/completions/baton.fish',
};

export function completionOf(shell: Shell, commands: readonly Command[]): string {
  const script = { bash, zsh, fish }[shell](commands);
  return shell === 'zsh' ? `#compdef baton\n# ${INSTALL.zsh}\n${script}` : `# ${INSTALL[shell]}\n${script}`;
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((c) => `    ${c.name}) words=${quoted(flagWords(c).join(' '))} ;;`);
  const withValue = [
    ...new Set(commands.flatMap((c) => c.flags.filter(takesValue).map((f) => `--${f.name}`))),
  ];
  return `_baton() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    # What follows -- is another command's.
    if [[ \${COMP_WORDS[i]} == -- ]]; then COMPREPLY=($(compgen -f -- "$word")); return; fi
  done
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${quoted([...commands.map((c) => c.name), 'help', '--version'].join(' '))} -- "$word"))
    return
  fi
  case $before in
    ${withValue.join('|')}) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case \${COMP_WORDS[1]} in
    help) words=${quoted(commands.map((c) => c.name).join(' '))} ;;
${cases.join('\n')}
    *) words= ;;
  esac
  if [[ $word == -* || \${COMP_WORDS[1]} == help ]]; then COMPREPLY=($(compgen -W "$words" -- "$word"))
  else COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _baton baton
`;
}

function zsh(commands: readonly Command[]): string {
  const names = commands.map((c) => `    ${quoted(`${c.name}:${c.summary}`)}`);
  const cases = commands.map((c) => {
    const flags = flagsOf(c).flatMap((flag) => spellings(flag).map((s) => zshFlag(s, flag)));
    return `    ${c.name}) _arguments ${flags.join(' ')} '*:argument:_files' ;;`;
  });
  return `_baton() {
  local -a commands
  commands=(
${names.join('\n')}
    ${quoted('help:explain a command')}
  )
  if ((CURRENT == 2)); then _describe 'command' commands; return; fi
  case $words[2] in
    help) _describe 'command' commands ;;
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _baton ]; then _baton "$@"; else compdef _baton baton; fi
`;
}

function zshFlag(spelling: string, flag: Flag): string {
  const meaning = flag.meaning.replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', ' -');
  return quoted(`${spelling}[${meaning}]${takesValue(flag) ? `:${flag.value}:_files` : ''}`);
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((c) => [
    `complete -c baton -n __fish_use_subcommand -f -a ${c.name} -d ${fishQuoted(c.summary)}`,
    ...flagsOf(c).flatMap((flag) =>
      spellings(flag).map(
        (s) =>
          `complete -c baton -n '__fish_seen_subcommand_from ${c.name}' -l ${s.slice(2)}${takesValue(flag) ? ' -r' : ''} -d ${fishQuoted(flag.meaning)}`,
      ),
    ),
  ]);
  return [
    ...lines,
    `complete -c baton -n __fish_use_subcommand -f -a help -d 'explain a command'`,
    `complete -c baton -n '__fish_seen_subcommand_from help' -f -a ${fishQuoted(commands.map((c) => c.name).join(' '))}`,
    '',
  ].join('\n');
}

function flagsOf(command: Command): Flag[] {
  return [...command.flags, ...COMMON_FLAGS];
}

function spellings({ name, negatable }: Flag): string[] {
  return negatable === true ? [`--${name}`, `--no-${name}`] : [`--${name}`];
}

function flagWords(command: Command): string[] {
  return flagsOf(command).flatMap(spellings);
}

function takesValue(flag: Flag): boolean {
  return flag.value !== undefined;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
