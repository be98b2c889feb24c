/** The one table of commands: help is made from it, and whatever else lists them. A new command is one line here. */
import { agentsCommand } from './agents-command.ts';
import { benchCommand } from './bench-command.ts';
import type { Command } from './command.ts';
import { companiesCommand } from './companies-command.ts';
import { completionCommand } from './completion-command.ts';
import { configCommand } from './config-command.ts';
import { demoCommand } from './demo-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { assignCommand, cancelCommand, retryCommand } from './event-commands.ts';
import { hookCommand } from './hook-command.ts';
import { issueCommand, whyCommand } from './issue-command.ts';
import { issuesCommand } from './issues-command.ts';
import { keysCommand } from './keys-command.ts';
import { mcpCommand } from './mcp-command.ts';
import { migrateCommand } from './migrate-command.ts';
import { replayCommand } from './replay-command.ts';
import { sendCommand } from './send-command.ts';
import { startCommand } from './start-command.ts';
import { stuckCommand } from './stuck-command.ts';
import { tailCommand } from './tail-command.ts';
import { workCommand } from './work-command.ts';

export const COMMANDS: readonly Command[] = [
  startCommand(),
  migrateCommand(),
  demoCommand,
  workCommand,
  issuesCommand,
  issueCommand,
  whyCommand,
  stuckCommand,
  companiesCommand,
  agentsCommand,
  keysCommand,
  sendCommand,
  assignCommand,
  retryCommand,
  cancelCommand,
  tailCommand,
  replayCommand(),
  benchCommand(),
  doctorCommand,
  configCommand,
  mcpCommand,
  hookCommand,
  completionCommand(() => COMMANDS),
];
