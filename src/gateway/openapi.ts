/** The OpenAPI 3.1 document, made from the routes' own zod schemas, at `/openapi.json`; for people at `/docs`. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { OpenApi } from './reference/page.ts';
import { referenceRoutes } from './reference/routes.ts';

type Override = (ctx: { zodSchema: z.core.$ZodTypes; jsonSchema: z.core.JSONSchema.BaseSchema }) => void;

/**
 * `z.json()` is recursive and has no name, which OpenAPI cannot refer to; any JSON is what it means.
 */
const anyJson: Override = ({ zodSchema, jsonSchema }) => {
  if (zodSchema._zod.def.type !== 'lazy') return;
  for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key];
};

/**
 * Registers the document and its page. Must come before the routes it describes.
 * @param isLocal whether requests from this machine need no credential.
 */
export async function openapi(app: FastifyInstance, version: string, isLocal: boolean): Promise<void> {
  const zodToJsonConfig = { override: anyJson as never };
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Baton',
        version,
        description:
          'An orchestrator for AI agents. Errors are RFC 9457 problem details; codes are in Problem.code.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: createJsonSchemaTransform({ zodToJsonConfig }),
    transformObject: createJsonSchemaTransformObject({ zodToJsonConfig }),
  });
  let made: OpenApi | null = null;
  const document = () => {
    made ??= withoutDangling(app.swagger()) as OpenApi;
    return made;
  };
  let text: string | null = null;
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    text ??= JSON.stringify(document());
    return reply.type('application/json; charset=utf-8').send(text);
  });
  referenceRoutes(app, document, isLocal);
}

/** Replaces references to schemas that the document does not hold (the unnamed ones above) by "anything". */
function withoutDangling(document: object): unknown {
  const { components } = document as { components?: { schemas?: Record<string, unknown> } };
  const known = new Set(Object.keys(components?.schemas ?? {}).map((name) => `#/components/schemas/${name}`));
  return JSON.parse(JSON.stringify(document), (_key, value: unknown) => {
    const { $ref } = (value ?? {}) as { $ref?: unknown };
    return typeof $ref === 'string' && $ref.startsWith('#/') && !known.has($ref) ? {} : value;
  });
}
