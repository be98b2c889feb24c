/** `baton completion SHELL`: the script that completes baton's commands and options. */
import { BatonError } from '../errors.ts';
import type { Command } from './command.ts';
import { completionOf, SHELLS } from './completion.ts';

/** @param commands the whole table; asked for late, because this command is in it */
export function completionCommand(commands: () => readonly Command[]): Command {
  return {
    name: 'completion',
    summary: 'print the completion script for a shell',
    usage: SHELLS.join('|'),
    takes: [1, 1],
    flags: [],
    examples: [
      'baton completion bash > ~/.local/share/bash-completion/completions/baton',
      'baton completion zsh > "$fpath[1]/_baton"',
      'baton completion fish > ~/.config/fish/completions/baton.fish',
    ],
    async run(call) {
      const shell = SHELLS.find((name) => name === call.args[0]);
      if (shell === undefined) {
        throw new BatonError('VALIDATION', `There is no completion for ${JSON.stringify(call.args[0])}.`, {
          hint: `There is one for ${SHELLS.join(', ')}.`,
        });
      }
      call.terminal.out.write(completionOf(shell, commands()));
      return 0;
    },
  };
}
