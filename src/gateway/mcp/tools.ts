/** The one table of tools, in the order clients list them. A new tool is one entry here. */

import type { Tool as ListedTool } from '@modelcontextprotocol/server';
import { ISSUE_TOOLS } from './issue-tools.ts';
import { inputSchema, outputSchema } from './json-schema.ts';
import { RUN_TOOLS } from './run-tools.ts';
import { refusalShape, type Tool } from './tool.ts';

export const TOOLS: readonly Tool[] = [...ISSUE_TOOLS, ...RUN_TOOLS];

/** The tools as `tools/list` shows them. */
export function listedTools(): ListedTool[] {
  return TOOLS.map(({ name, title, description, input, output, readOnly, destructive, idempotent }) => ({
    name,
    title,
    description,
    inputSchema: inputSchema(input),
    outputSchema: outputSchema(output, refusalShape),
    annotations: {
      readOnlyHint: readOnly,
      destructiveHint: destructive,
      idempotentHint: idempotent,
      openWorldHint: false,
    },
  }));
}
