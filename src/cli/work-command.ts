/**
 * `baton work --agent NAME -- COMMAND …`: any command as an agent. It runs once a grant; how it ends is how the run ends.
 *
 *     working ──SIGINT, SIGTERM──► draining ──last run over──► 0
 *        ├── standard input closed (--end-with-stdin) ──► everything killed, 130
 *        └── refused for good (revoked key) ──► that error
 */
import type { RunOutcome } from '../client/run-outcome.ts';
import { type Worker, worker } from '../client/worker.ts';
import { BatonError } from '../errors.ts';
import type { AgentView, GrantView } from '../machines/view.ts';
import { readable } from './agent-names.ts';
import type { Wording } from './classify/classifier.ts';
import { type Call, type Command, SERVER_FLAGS, textFlag, wholeFlag, wordFlag } from './command.ts';
import { COMPANY_FLAG } from './companies.ts';
import { INTERRUPTED } from './failure.ts';
import { environmentOf, VARIABLES } from './job/environment.ts';
import { isRunnable } from './job/executable.ts';
import { type Identity, identityOf } from './job/identity.ts';
import { killAll } from './job/process-group.ts';
import { watchLink } from './link.ts';
import { targetOf } from './server.ts';
import { emit, paint, plain, say } from './terminal.ts';
import { aborted, later } from './waits.ts';

type Tool = 'codex' | 'claude';

/** A server that is away does not keep a worker that must end. */
const GIVE_BACK_MS = 1000;

/** Read when they are needed: a hook or `baton why` should not wait for them. */
const WORDINGS: Readonly<Record<Tool, () => Promise<Wording>>> = {
  codex: async () => (await import('./classify/codex.ts')).CODEX,
  claude: async () => (await import('./classify/claude.ts')).CLAUDE,
};
const variables = Object.entries(VARIABLES).map(([name, meaning]) => `  ${name.padEnd(20)} ${meaning}`);

export const workCommand: Command = {
  name: 'work',
  summary: 'run a command for every run an agent is granted',
  usage: '--agent NAME [--slots N] -- COMMAND [ARGUMENT…]',
  takes: [1, 1000],
  about: [
    'The issue is on standard input, as one line of JSON, and in the environment:',
    ...variables,
    'Exit code 0 is success, anything else a failure. What the command prints goes to the log of the run, which keeps its',
    'last 10,000 lines and has [redacted] in place of BATON_TOKEN. While it lives, the run is kept alive. When the run must end,',
    'all processes of the command get SIGTERM, and after the grace SIGKILL.',
    'SIGINT or SIGTERM to baton work: nothing new is claimed and what runs may finish; a second one ends all at once, and',
    'the issues are retried. Killed, it takes its commands with it: their runs are lost when their leases run out, and retried.',
    'It works by a key of its own (unless it was given an agent’s), revoked when it ends. That of a killed one is revoked by',
    'the next baton work or baton mcp of the agent on the same machine.',
    '--classify recognises the errors of a coding agent that will pass (429, 503, 529, overloaded, usage limits with the',
    'time they are lifted): the run is retried then and not before.',
  ].join('\n'),
  flags: [
    { name: 'agent', value: 'NAME', meaning: 'name or id of the agent (with a key of its own: that one)' },
    { name: 'slots', value: 'N', meaning: 'runs at once, 1 to 50 (default 1)' },
    { name: 'classify', value: 'TOOL', meaning: 'codex or claude: whose errors to recognise' },
    { name: 'resolution', value: 'WHAT', meaning: 'what success makes of the issue: done (default) or open' },
    {
      name: 'grace-ms',
      value: 'MS',
      meaning: 'time between SIGTERM and SIGKILL (default: what the stop grants)',
    },
    { name: 'drain-ms', value: 'MS', meaning: 'time runs in hand may take when told to end (default: any)' },
    { name: 'end-with-stdin', meaning: 'end, commands and all, when standard input closes' },
    COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: [
    'baton work --agent builder -- make test',
    'baton work --agent codex-1 --slots 2 --classify codex -- sh -c \'codex exec "$BATON_ISSUE_TITLE"\'',
    "baton work --agent claude-1 --classify claude -- sh -c 'jq -r .title | claude -p'",
  ],
  async run(call) {
    const name = textFlag(call, 'agent');
    if (name === undefined) {
      throw new BatonError('VALIDATION', '--agent is missing: whose runs are to be carried out?', {
        hint: 'baton agents lists the agents; baton agents create NAME makes one.',
      });
    }
    const command = commandOf(call);
    const options = {
      slots: wholeFlag(call, 'slots', { least: 1, most: 50 }) ?? 1,
      graceMs: wholeFlag(call, 'grace-ms', { least: 0 }) ?? null,
      drainMs: wholeFlag(call, 'drain-ms', { least: 0 }),
      resolution: wordFlag(call, 'resolution', ['done', 'open'] as const) ?? 'done',
      tool: wordFlag(call, 'classify', ['codex', 'claude'] as const),
    };
    // Whatever ends this process – a second signal, a defect – ends the commands.
    process.once('exit', killAll);
    const identity = await identityOf(call, targetOf(call), name);
    try {
      return await work(call, identity, command, options);
    } finally {
      process.removeListener('exit', killAll);
      killAll();
      await identity.release();
    }
  },
};

interface Options {
  slots: number;
  graceMs: number | null;
  drainMs: number | undefined;
  resolution: 'done' | 'open';
  tool: Tool | undefined;
}

async function work(
  call: Call,
  identity: Identity,
  command: readonly [string, ...string[]],
  options: Options,
): Promise<number> {
  const { terminal, clock } = call;
  const { agent, token } = identity;
  const { url } = targetOf(call);
  const { carryOut } = await import('./job/job.ts');
  const wording = options.tool === undefined ? null : await WORDINGS[options.tool]();
  const working = await worker({
    url,
    token,
    slots: options.slots,
    clock,
    chance: call.random,
    client: { name: 'baton-work', version: '0.1.0' },
    run: (grant, tools) => {
      const { issue, run } = grant;
      emit(terminal, { event: 'started', issue: issue.identifier, runId: run.id, attempt: run.attempt });
      say(terminal, `${paint(terminal, 'cyan', '▶')} ${issue.identifier}  ${plain(issue.title)}`);
      return carryOut(
        {
          command,
          env: { ...call.env, ...environmentOf(grant, agent, { url, token }) },
          cwd: call.cwd,
          input: `${JSON.stringify(issue)}\n`,
          graceMs: options.graceMs,
          resolution: options.resolution,
          wording,
          clock,
        },
        tools,
      );
    },
    ended: (grant, outcome) => tellEnd(call, agent, grant, outcome),
  });
  call.beforeExit(() => giveBack(working));
  emit(terminal, { event: 'working', agent: agent.name, agentId: agent.id, slots: options.slots });
  say(terminal, `Working as ${plain(agent.name)} at ${url}: ${command.map(plain).join(' ')}`);
  warnOfSlots(call, agent, options.slots);
  watchLink(working.client, {
    lost() {
      emit(terminal, { event: 'lost', url });
      const text = `${url} is away; what runs goes on, and how it ends is reported when it is back.`;
      say(terminal, `${paint(terminal, 'yellow', '!')} ${text}`);
    },
    back() {
      emit(terminal, { event: 'back', url });
      say(terminal, `${paint(terminal, 'green', '!')} ${url} is back.`);
    },
  });
  return await untilOver(call, working, options.drainMs);
}

async function untilOver(call: Call, working: Worker, drainMs: number | undefined): Promise<number> {
  const { signal, terminal } = call;
  const orphaned = call.flags['end-with-stdin'] === true ? stdinClosed() : new Promise<never>(() => {});
  const told = aborted(signal).then(() => 'told' as const);
  const closed = working.closed.then(() => 'closed' as const);
  let is = await Promise.race([told, closed, orphaned]);
  if (is === 'told') {
    emit(terminal, { event: 'draining', runs: working.active });
    if (working.active > 0)
      say(terminal, `Draining: ${working.active} in hand; once more ends them at once.`);
    const drained = working.close(drainMs === undefined ? {} : { graceMs: drainMs });
    is = await Promise.race([drained.then(() => 'closed' as const), orphaned]);
  }
  if (is === 'closed') return 0;
  await Promise.race([giveBack(working), later(call.clock, GIVE_BACK_MS)]);
  working.client.close();
  return INTERRUPTED;
}

/**
 * Ends the runs in hand at once: their commands are killed, their issues retried. First the word: a command that we kill
 * must not be reported as one that failed.
 */
async function giveBack(working: Worker): Promise<void> {
  const over = working.close({ graceMs: 0 });
  killAll();
  await over.catch(() => {});
}

function stdinClosed(): Promise<'orphaned'> {
  return new Promise((resolve) => {
    process.stdin.once('end', () => resolve('orphaned'));
    process.stdin.once('error', () => resolve('orphaned'));
    process.stdin.resume();
  });
}

function tellEnd(
  { terminal, clock }: Call,
  agent: AgentView,
  { issue, run }: GrantView,
  outcome: RunOutcome,
): void {
  const answered = outcome.is === 'refused' ? null : (outcome.answer?.issue ?? null);
  const said = textOf(outcome);
  emit(terminal, {
    event: outcome.is,
    issue: issue.identifier,
    runId: run.id,
    ...(outcome.is === 'stopped' ? { cause: outcome.cause } : {}),
    state: answered?.state ?? null,
    text: said,
  });
  const [sign, colour] = outcome.is === 'succeeded' ? (['✓', 'green'] as const) : (['✗', 'red'] as const);
  say(
    terminal,
    `${paint(terminal, colour, sign)} ${issue.identifier}  ${outcome.is}: ${plain(readable(said, new Map([[agent.id, agent.name]]), clock.now()))}`,
  );
}

function textOf(outcome: RunOutcome): string {
  switch (outcome.is) {
    case 'refused':
      return outcome.error.message;
    case 'stopped': {
      const then = outcome.answer?.issue.why.text ?? 'It is over for the server already.';
      return `told to stop (${outcome.cause}). ${then}`;
    }
    case 'succeeded':
    case 'failed':
      return outcome.answer.issue.why.text;
  }
}

/** Of more slots than the agent has, nothing is seen but that it does not work on more. */
function warnOfSlots(call: Call, { name, maxConcurrentRuns: has }: AgentView, slots: number): void {
  if (slots <= has) return;
  const { terminal } = call;
  const given = textFlag(call, 'agent') ?? name;
  const text =
    `${name} has ${has} ${has === 1 ? 'slot' : 'slots'}, so no more than ${has} of --slots ${slots} ` +
    `${has === 1 ? 'is' : 'are'} used: baton agents update ${given} --slots ${slots}`;
  emit(terminal, { event: 'warning', text });
  say(terminal, `${paint(terminal, 'yellow', '!')} ${plain(text)}`);
}

/** @throws BatonError when there is no such command: better now than with every run */
function commandOf(call: Call): readonly [string, ...string[]] {
  const [file = '', ...rest] = call.args;
  if (isRunnable(file, call.cwd, call.env.PATH)) return [file, ...rest];
  throw new BatonError('VALIDATION', `There is no command ${JSON.stringify(file)} that can be run.`, {
    hint: 'Give its path, or see that it is on the PATH and executable. A line for a shell: -- sh -c "…".',
  });
}
