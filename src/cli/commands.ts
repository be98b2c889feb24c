/** The one table of commands: help is made from it, and whatever else lists them. A new command is one line here. */
import type { Command } from './command.ts';
import { configCommand } from './config-command.ts';
import { demoCommand } from './demo-command.ts';
import { issueCommand, whyCommand } from './issue-command.ts';
import { issuesCommand } from './issues-command.ts';
import { mcpCommand } from './mcp-command.ts';
import { migrateCommand } from './migrate-command.ts';
import { replayCommand } from './replay-command.ts';
import { sendCommand } from './send-command.ts';
import { startCommand } from './start-command.ts';
import { tailCommand } from './tail-command.ts';
import { workCommand } from './work-command.ts';

export const COMMANDS: readonly Command[] = [
  startCommand(),
  configCommand,
  migrateCommand(),
  demoCommand,
  workCommand,
  mcpCommand,
  issuesCommand,
  issueCommand,
  whyCommand,
  tailCommand,
  sendCommand,
  replayCommand(),
];
