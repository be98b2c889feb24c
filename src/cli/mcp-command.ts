/** `baton mcp`: the bridge that coding agents start as their MCP server. Standard output belongs to MCP alone. */
import { type Command, SERVER_FLAGS, textFlag } from './command.ts';
import { COMPANY_FLAG } from './companies.ts';
import { INTERRUPTED } from './failure.ts';
import { identityOf } from './job/identity.ts';
import { targetOf } from './server.ts';

/** Somebody tries it at a prompt, where it would sit there and say nothing. */
const BY_HAND =
  'Speaking MCP on standard input and output: a coding agent starts this itself, see `baton help mcp`. Ctrl-C ends it.\n';

export const mcpCommand: Command = {
  name: 'mcp',
  summary: 'speak MCP on standard input and output, for coding agents',
  usage: '[--agent NAME]',
  takes: [0, 0],
  about: [
    'A bridge to a running server, for clients that start their MCP servers as a process. It offers the tools of the',
    'server’s /mcp and keeps the runs claimed through it alive for as long as it runs. With --agent it acts as that',
    'agent, by a key made for it and revoked when it ends; without, as the key it is given.',
  ].join('\n'),
  flags: [
    {
      name: 'agent',
      value: 'NAME',
      meaning: 'name or id of the agent to act as (with a key of its own: that one)',
    },
    COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: [
    'baton mcp --agent claude-1',
    'claude mcp add baton -- baton mcp --agent claude-1',
    'codex mcp add baton -- baton mcp --agent codex-1',
  ],
  async run(call) {
    const target = targetOf(call);
    const name = textFlag(call, 'agent');
    const identity = name === undefined ? null : await identityOf(call, target, name, 'baton mcp');
    const token = identity?.token ?? target.token;
    try {
      // Read here: no other command needs an SDK of this size.
      const [{ bridge }, { upstreamOf }] = await Promise.all([
        import('./mcp/bridge.ts'),
        import('./mcp/upstream.ts'),
      ]);
      const upstream = await upstreamOf(target.url.replace(/^ws/, 'http'), token);
      const { clock, random, signal } = call;
      const { stdin, stdout } = process;
      if (stdin.isTTY) call.terminal.err.write(BY_HAND);
      await bridge({ upstream, clock, random, stdin, stdout, signal });
    } finally {
      await identity?.release();
    }
    return call.signal.aborted ? INTERRUPTED : 0;
  },
};
