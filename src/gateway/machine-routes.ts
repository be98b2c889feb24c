/** The issue machine itself, within `/v1`: for drawing, and written out for other tools. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { chartOf } from '../machines/chart.ts';
import { sourceOf, strictDefinition } from '../machines/definition.ts';
import { mermaidOf } from '../machines/diagram.ts';
import type { DrawnMachine } from '../machines/drawing.ts';
import { issueKind } from '../machines/issue-kind.ts';
import { ISSUE_LAYOUT } from './issue-layout.ts';
import { drawMachine } from './machine-layout.ts';
import { answers } from './reply.ts';

const tags = ['server'];

/** What the machine is written out as: content type, name of the file, text. */
const EXPORTS = {
  json: {
    type: 'application/json; charset=utf-8',
    file: 'issue-machine.json',
    text: () => `${JSON.stringify(strictDefinition(issueKind().machine), null, 2)}\n`,
  },
  source: {
    type: 'text/javascript; charset=utf-8',
    file: 'issue-machine.js',
    text: () => sourceOf(issueKind().machine),
  },
  mermaid: {
    type: 'text/vnd.mermaid; charset=utf-8',
    file: 'issue-machine.mmd',
    text: () => {
      const { machine, names } = issueKind();
      return mermaidOf(chartOf(machine, names));
    },
  },
} as const;

/** `drawn`: the machine as the runtime has it; without it, it is drawn here. */
export function machineRoutes(scope: FastifyInstance, drawn: (() => DrawnMachine) | undefined): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  let text: string | null = null;

  app.route({
    method: 'GET',
    url: '/machines/issue',
    config: { access: { of: 'any', may: 'read' } },
    schema: answers(
      { tags, summary: 'The issue machine: definition, hash, layout for drawing' },
      { 200: z.looseObject({ definition: z.unknown(), hash: z.string(), layout: z.unknown() }) },
    ),
    handler: async (_request, reply) => {
      text ??= JSON.stringify(drawn === undefined ? drawIssue() : drawn());
      return reply.type('application/json; charset=utf-8').send(text as never);
    },
  });

  app.route({
    method: 'GET',
    url: '/machines/issue/export',
    config: { access: { of: 'any', may: 'read' } },
    schema: answers(
      {
        tags,
        summary: 'The issue machine as strict JSON, as `createMachine` source or as a Mermaid diagram',
        querystring: z.strictObject({ as: z.enum(['json', 'source', 'mermaid']).default('json') }),
      },
      {},
    ),
    handler: async (request, reply) => {
      const { type, file, text: written } = EXPORTS[request.query.as];
      reply.header('content-disposition', `inline; filename="${file}"`);
      // Set and sent as bytes: text of another type than JSON is not to be serialised.
      return reply.type(type).send(Buffer.from(written()) as never);
    },
  });
}

function drawIssue(): DrawnMachine {
  const { machine, names } = issueKind();
  return drawMachine(machine, names, ISSUE_LAYOUT);
}
