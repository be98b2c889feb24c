/**
 * The JSON Schema of a tool, out of the zod that validates it. Tools' schemas are read by clients of all kinds, so they
 * are kept plain: draft 2020-12, an object at the root, no references.
 */
import type { Tool } from '@modelcontextprotocol/server';
import { z } from 'zod';

type ObjectSchema = Tool['inputSchema'];

/** The schema of what a tool takes. */
export function inputSchema(schema: z.ZodObject): ObjectSchema {
  return plain(schema, 'input');
}

/**
 * The schema of what a tool answers: `ok`, or `failed` where the call did not do what was asked. Clients of 2025 check
 * refusals against it too, so it has to allow both.
 */
export function outputSchema(ok: z.ZodObject, failed: z.ZodObject): ObjectSchema {
  const { properties, required = [] } = plain(ok, 'output');
  const refusal = plain(failed, 'output');
  return {
    type: 'object',
    properties: { ...refusal.properties, ...properties },
    anyOf: [{ required }, { required: refusal.required ?? [] }],
  };
}

function plain(schema: z.ZodObject, io: 'input' | 'output'): ObjectSchema {
  const made = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // `z.json()` is recursive, and any JSON is what it means.
      if (zodSchema._zod.def.type !== 'lazy') return;
      for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key];
    },
  });
  const { $defs = {}, $schema: _, ...root } = made;
  return inlined(root, $defs as Record<string, unknown>) as ObjectSchema;
}

/** Named shapes where they are referred to; none of them holds itself. */
function inlined(node: unknown, defs: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(node)) return node.map((each) => inlined(each, defs));
  if (typeof node !== 'object' || node === null) return node;
  const { $ref, id: _, ...rest } = node as { $ref?: unknown; id?: unknown };
  const named = typeof $ref === 'string' ? defs[$ref.replace('#/$defs/', '')] : undefined;
  if (typeof $ref === 'string') return { ...(inlined(named ?? {}, defs) as object), ...rest };
  const own = typeof (node as { id?: unknown }).id === 'string' ? rest : (node as object);
  return Object.fromEntries(Object.entries(own).map(([key, value]) => [key, inlined(value, defs)]));
}
