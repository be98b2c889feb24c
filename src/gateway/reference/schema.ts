/** A JSON Schema as people read it: a type in a few words, its limits, and a table of its fields. */
import { type Html, html, type Part } from './html.ts';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

const REF = '#/components/schemas/';

/** The name of the component that a schema refers to, or null. */
export function nameOf(schema: Schema): string | null {
  return schema.$ref?.startsWith(REF) ? schema.$ref.slice(REF.length) : null;
}

/** The names of all components that `value` refers to. */
export function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = nameOf(value as Schema);
  return [...(own === null ? [] : [own]), ...Object.values(value).flatMap(namesIn)];
}

/** The type in a few words: `string or null`, `list of Issue`, `"done" or "open"`. */
export function typeText(schema: Schema): Part {
  const name = nameOf(schema);
  if (name !== null) return html`<a href="#schema-${name}">${name}</a>`;
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined) return joined(schema.enum.map(literal));
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return joined(options.map(typeText));
  if (Array.isArray(schema.type)) return joined(schema.type);
  if (schema.type === 'array')
    return html`list of ${schema.items === undefined ? 'anything' : typeText(schema.items)}`;
  if (schema.type === 'object') return 'object';
  return typeof schema.type === 'string' ? schema.type : 'any JSON';
}

/** Limits that are worth saying: `1 to 500`, `at most 200 characters`. */
export function limitsText(schema: Schema): string {
  const said = [
    range(schema.minimum, schema.maximum, ''),
    range(schema.minLength, schema.maxLength, ' characters'),
    range(schema.minItems, schema.maxItems, ' items'),
    schema.pattern === undefined ? '' : `matches ${schema.pattern}`,
    schema.default === undefined ? '' : `default ${JSON.stringify(schema.default)}`,
  ];
  return said.filter((text) => text !== '').join('; ');
}

/** A table of the fields of an object, those of objects within it behind a dot. Null where it has none. */
export function fieldsTable(schema: Schema, caption: string): Html | null {
  const rows = rowsOf(schema, '');
  if (rows.length === 0) return null;
  return html`<table><caption>${caption}</caption>
<thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

function rowsOf(schema: Schema, within: string): Html[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${within}${name}`;
    const inner = objectIn(field);
    return [
      row(path, field, required.includes(name)),
      ...(inner === null ? [] : rowsOf(inner.schema, `${path}${inner.isList ? '[]' : ''}.`)),
    ];
  });
}

/** One row: of a field, or of a parameter. */
export function row(name: string, schema: Schema, isRequired: boolean, where?: string): Html {
  const said = [schema.description ?? '', limitsText(schema)].filter((text) => text !== '').join(' – ');
  return html`<tr><th scope="row"><code>${name}</code>${isRequired ? null : html` <i>optional</i>`}${
    where === undefined ? null : html` <i>${where}</i>`
  }</th><td>${typeText(schema)}</td><td>${said}</td></tr>
`;
}

/** The object with fields of its own that a field holds, alone, in a list, or or-null; null: none. */
function objectIn(schema: Schema): { schema: Schema; isList: boolean } | null {
  if (schema.properties !== undefined) return { schema, isList: false };
  if (schema.items !== undefined) {
    const inner = objectIn(schema.items);
    return inner === null ? null : { ...inner, isList: true };
  }
  const options = schema.anyOf?.filter((option) => option.type !== 'null') ?? [];
  const [only] = options;
  return options.length === 1 && only !== undefined ? objectIn(only) : null;
}

function literal(value: unknown): Html {
  return html`<code>${JSON.stringify(value)}</code>`;
}

function joined(parts: readonly Part[]): Part {
  return parts.map((part, i) => (i === 0 ? part : [' or ', part]));
}

/** Integers without a bound of their own are bound by what JavaScript counts exactly: not worth saying. */
function range(least: number | undefined, most: number | undefined, of: string): string {
  const low = least === Number.MIN_SAFE_INTEGER ? undefined : least;
  const high = most === Number.MAX_SAFE_INTEGER ? undefined : most;
  if (low === undefined) return high === undefined ? '' : `at most ${high}${of}`;
  return high === undefined ? `at least ${low}${of}` : `${low} to ${high}${of}`;
}
