/**
 * Wrong documents out of schemas: for every field of every variant of a zod schema, values it must refuse – of every
 * wrong type, out of its bounds, missing, beside keys that do not exist. A field added to a schema is spoiled from then on.
 */
import { z } from 'zod';
import type { Chance } from '../simulation/world/chance.ts';

type Json = Record<string, unknown>;
/** JSON Schema as zod writes it, as far as these schemas use it. */
interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface Variant {
  /** `event RUN.FAILED` */
  readonly name: string;
  readonly node: Node;
  readonly spoilers: readonly Spoiler[];
}
interface Spoiler {
  /** `event.fence: "1"` */
  readonly name: string;
  apply(document: Json): void;
}

/** What the world holds, by the name of a field: an id that exists makes the rest of a document be looked at. */
export type Values = Readonly<Record<string, readonly unknown[]>>;

const UNKNOWN_KEYS = ['by', 'stamp', 'x', 'companyId', 'seq', 'toString', 'hasOwnProperty', 'K'.repeat(3000)];

/** Every variant of a schema – a union inside it multiplies – with what spoils it. */
export function variantsOf(name: string, schema: z.ZodType): Variant[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node;
  return objectsOf(root).map((node) => {
    const told = [name, ...constantsOf(node)].join(' ');
    return { name: told, node, spoilers: spoilersOf(node) };
  });
}

/** A document that its schema takes: required fields always, optional ones now and then. */
export function document(node: Node, values: Values, chance: Chance): Json {
  return valid('', node, values, chance) as Json;
}

/** A document with one to three faults, never without: what is spoiled twice at one place could be right again. */
export function spoiled(variant: Variant, values: Values, chance: Chance): Json {
  const made = document(variant.node, values, chance);
  const faults = chance.is(0.8) ? 1 : chance.whole(2, 3);
  const places = new Set<string>();
  for (let n = 0; n < faults; n++) {
    const spoiler = chance.pick(variant.spoilers);
    const place = spoiler.name.split(':')[0]!;
    if ([...places].some((other) => other.startsWith(place) || place.startsWith(other))) continue;
    places.add(place);
    spoiler.apply(made);
  }
  return made;
}

/** The object nodes a node stands for; a union of objects in a property gives one each. */
function objectsOf(node: Node): Node[] {
  const options = node.oneOf ?? node.anyOf;
  if (options) return options.flatMap(objectsOf);
  if (node.type !== 'object' || node.properties === undefined) return [];
  let out: Node[] = [node];
  for (const [key, inner] of Object.entries(node.properties)) {
    const unions = inner.oneOf ?? [];
    if (unions.length < 2) continue;
    out = out.flatMap((o) =>
      unions.flatMap(objectsOf).map((option) => ({ ...o, properties: { ...o.properties, [key]: option } })),
    );
  }
  return out;
}

function constantsOf(node: Node): string[] {
  return Object.values(node.properties ?? {}).flatMap((inner) =>
    inner.type === 'object' ? constantsOf(inner) : inner.const === undefined ? [] : [String(inner.const)],
  );
}

function spoilersOf(node: Node, path: readonly string[] = []): Spoiler[] {
  const out: Spoiler[] = [];
  const at = (key: string) => [...path, key].join('.');
  for (const [key, inner] of Object.entries(node.properties ?? {})) {
    const here = (document: Json) => parentOf(document, path);
    // Without its id a frame cannot be answered: that is another kind of hostile frame.
    if (path.length === 0 && key === 'id') continue;
    if (node.required?.includes(key)) {
      out.push({ name: `${at(key)}: missing`, apply: (document) => delete here(document)[key] });
    }
    for (const value of wrong(inner)) {
      out.push({
        name: `${at(key)}: ${JSON.stringify(value)?.slice(0, 40)}`,
        apply(document) {
          here(document)[key] = value;
        },
      });
    }
    const below = inner.type === 'object' ? inner : inner.anyOf?.find((option) => option.type === 'object');
    if (below?.properties) out.push(...spoilersOf(below, [...path, key]));
  }
  for (const key of UNKNOWN_KEYS) {
    if (node.properties?.[key] !== undefined) continue;
    out.push({
      name: `${at(key.slice(0, 20))}: unknown key`,
      apply(document) {
        parentOf(document, path)[key] = 1;
      },
    });
  }
  return out;
}

function parentOf(document: Json, path: readonly string[]): Json {
  let at = document;
  for (const key of path) {
    if (typeof at[key] !== 'object' || at[key] === null) at[key] = {};
    at = at[key] as Json;
  }
  return at;
}

/** Values a node must refuse. None for JSON of any shape. */
function wrong(node: Node): unknown[] {
  const options = node.anyOf ?? node.oneOf;
  if (options) {
    const refused = options.map((option) => new Map(wrong(option).map((v) => [JSON.stringify(v), v])));
    const [first, ...others] = refused.filter((_, n) => options[n]?.type !== 'null');
    const nullable = options.some((option) => option.type === 'null');
    return [...(first ?? new Map())]
      .filter(([text]) => others.every((o) => o.has(text)) && !(nullable && text === 'null'))
      .map(([, value]) => value);
  }
  if (node.const !== undefined) return [0, null, true, {}, [], '', `${String(node.const)}x`, '\u2028'];
  if (node.enum !== undefined) return [0, null, false, {}, [], '', 'nonsense', [node.enum[0]]];
  switch (node.type) {
    case 'string':
      return [
        ...[0, -1, null, true, {}, [], ['x'], { toString: 'x' }],
        ...(node.minLength === undefined ? [] : ['']),
        ...(node.maxLength === undefined
          ? []
          : ['x'.repeat(node.maxLength + 1), 'ü'.repeat(node.maxLength + 1)]),
      ];
    case 'integer':
    case 'number': {
      const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = node;
      return [
        ...['1', '', null, true, {}, [], [1], '0x1', 'NaN'],
        ...(node.type === 'integer' ? [1.5] : []),
        ...(minimum > Number.MIN_SAFE_INTEGER ? [minimum - 1] : []),
        ...(maximum < Number.MAX_SAFE_INTEGER ? [maximum + 1] : []),
      ];
    }
    case 'boolean':
      return ['true', 'false', 0, 1, null, {}, []];
    case 'array':
      return [
        ...[0, null, 'x', {}, true, [null], [{}], [[]]],
        ...(node.minItems === undefined ? [] : [[]]),
        ...(node.maxItems === undefined ? [] : [new Array(node.maxItems + 1).fill('x')]),
      ];
    case 'object':
      return [0, null, 'x', true, [], [{}]];
    default:
      return [];
  }
}

function valid(key: string, node: Node, values: Values, chance: Chance): unknown {
  const known = values[key];
  if (known !== undefined && node.const === undefined) return chance.pick(known);
  const options = node.anyOf ?? node.oneOf;
  if (options) return valid(key, chance.pick(options), values, chance);
  if (node.const !== undefined) return node.const;
  if (node.enum !== undefined) return chance.pick(node.enum);
  switch (node.type) {
    case 'string':
      return 'x';
    case 'integer':
      return Math.max(node.minimum ?? 0, 1);
    case 'number':
      return 0.5;
    case 'boolean':
      return chance.is(0.5);
    case 'null':
      return null;
    case 'array':
      return [valid('', node.items ?? {}, values, chance)];
    case 'object': {
      const out: Json = {};
      for (const [name, inner] of Object.entries(node.properties ?? {})) {
        if (node.required?.includes(name) || chance.is(0.3)) out[name] = valid(name, inner, values, chance);
      }
      return out;
    }
    default:
      return { any: [1, 'two', null] };
  }
}
