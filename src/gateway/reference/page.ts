/**
 * The reference at `/docs`: the OpenAPI document as one page of plain HTML. It is made on the server, without a script and
 * without anything from elsewhere, so it works offline, prints, and is found by the browser's own search.
 */
import { type Html, html } from './html.ts';
import { fieldsTable, namesIn, row, type Schema, typeText } from './schema.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Media {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
  readonly description?: string;
}

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Media;
  readonly responses?: Readonly<Record<string, Media>>;
}

/** As much of OpenAPI 3.1 as our routes make. */
export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface Named {
  readonly method: string;
  readonly path: string;
  readonly id: string;
  readonly operation: Operation;
}

export function referencePage(document: OpenApi): string {
  const groups = byTag(operationsOf(document));
  const schemas = referred(document);
  const { title, version, description = '' } = document.info;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} ${version} · HTTP reference</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<a class="skip" href="#reference">Skip to the reference</a>
<header>
<h1>${title} <small>${version}</small></h1>
<p>${description}</p>
<p>Send <code>Authorization: Bearer TOKEN</code>; on the machine itself none is needed. Lists take <code>limit</code> and
<code>cursor</code> and answer <code>items</code> and <code>nextCursor</code>. Writes take <code>Idempotency-Key</code>.
The same as a document for tools: <a href="/openapi.json">/openapi.json</a>.</p>
</header>
<nav aria-label="Operations">
${[...groups].map(
  ([tag, operations]) => html`<h2>${tag}</h2>
<ul>${operations.map(
    ({ method, path, id }) =>
      html`<li><a href="#${id}"><b class="${method}">${method.toUpperCase()}</b> ${path}</a></li>
`,
  )}</ul>
`,
)}<h2>schemas</h2>
<ul>${schemas.map(
    ([name]) => html`<li><a href="#schema-${name}">${name}</a></li>
`,
  )}</ul>
</nav>
<main id="reference" tabindex="-1">
${[...groups].map(
  ([tag, operations]) => html`<h2 id="tag-${tag}">${tag}</h2>
${operations.map(operationSection)}`,
)}<h2 id="schemas">schemas</h2>
${schemas.map(schemaSection)}
</main>
</body>
</html>
`.text;
}

function operationsOf({ paths }: OpenApi): Named[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method,
      path,
      id: `${method}${path.replaceAll(/[^A-Za-z0-9]+/g, '-').replace(/-$/, '')}`,
      operation,
    })),
  );
}

function byTag(operations: readonly Named[]): Map<string, Named[]> {
  const groups = new Map<string, Named[]>();
  for (const each of operations) {
    const tag = each.operation.tags?.[0] ?? 'other';
    groups.set(tag, [...(groups.get(tag) ?? []), each]);
  }
  return groups;
}

/** The components that the paths use, and those these use in turn, by name. */
function referred({ paths, components }: OpenApi): [string, Schema][] {
  const all = components?.schemas ?? {};
  const seen = new Set<string>();
  const visit = (value: unknown) => {
    for (const name of namesIn(value)) {
      if (seen.has(name)) continue;
      seen.add(name);
      visit(all[name]);
    }
  };
  visit(paths);
  return [...seen].sort().flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]]));
}

function operationSection({ method, path, id, operation }: Named): Html {
  const { summary = '', parameters = [], requestBody, responses = {} } = operation;
  const body = requestBody?.content?.['application/json']?.schema;
  return html`<section aria-labelledby="${id}">
<h3 id="${id}"><b class="${method}">${method.toUpperCase()}</b> <code>${path}</code></h3>
<p>${summary}</p>
${parameters.length === 0 ? null : parametersTable(parameters)}
${body === undefined ? null : bodyTables(body)}
<h4>Answers</h4>
<ul>${Object.entries(responses).map(
    ([status, media]) => html`<li><code>${status}</code> ${answerText(media)}</li>
`,
  )}</ul>
<h4>With curl</h4>
<pre><code>${curl(method, path, body)}</code></pre>
</section>
`;
}

function parametersTable(parameters: readonly Parameter[]): Html {
  const rows = parameters.map(({ name, in: where, required = false, description, schema = {} }) =>
    row(name, { ...schema, ...(description === undefined ? {} : { description }) }, required, where),
  );
  return html`<table><caption>Parameters</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

/** One table, or one for each of the shapes the body may have. */
function bodyTables(body: Schema): (Html | null)[] {
  const options = body.oneOf ?? body.anyOf;
  if (options === undefined) return [fieldsTable(body, 'Body') ?? html`<p>Body: ${typeText(body)}</p>`];
  return options.map((option) => {
    const [type] = option.properties?.type?.enum ?? [];
    return fieldsTable(option, typeof type === 'string' ? `Body of ${type}` : 'Body');
  });
}

function answerText({ content = {}, description }: Media): Html {
  const types = Object.entries(content).map(([type, { schema = {} }]) => {
    const fields = fieldsTable(schema, 'Fields');
    return html`${typeText(schema)} <i>${type}</i>${fields}`;
  });
  const said = description === undefined || description === 'Default Response' ? '' : description;
  return html`${said} ${types}`;
}

function schemaSection([name, schema]: [string, Schema]): Html {
  return html`<section aria-labelledby="schema-${name}">
<h3 id="schema-${name}">${name}</h3>
${schema.description === undefined ? null : html`<p>${schema.description}</p>`}
${fieldsTable(schema, `Fields of ${name}`) ?? html`<p>${typeText(schema)}</p>`}
</section>
`;
}

/** The operation on a command line, with a body of its required fields. */
function curl(method: string, path: string, body: Schema | undefined): string {
  const address = `"$B${path.replaceAll(/\{(\w+)\}/g, '$$$1')}"`;
  const verb = method === 'get' ? '' : ` -X ${method.toUpperCase()}`;
  const shape = body?.oneOf?.[0] ?? body;
  if (shape === undefined) return `curl -sS${verb} ${address}`;
  const example = JSON.stringify(exampleOf(shape)).replaceAll("'", "'\\''");
  return `curl -sS${verb} ${address} \\\n  -H 'content-type: application/json' -d '${example}'`;
}

function exampleOf(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const [option] = schema.anyOf ?? schema.oneOf ?? [];
  if (option !== undefined) return exampleOf(option);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      return Object.fromEntries(required.map((name) => [name, exampleOf(properties[name] ?? {})]));
    }
    case 'array':
      return schema.items === undefined ? [] : [exampleOf(schema.items)];
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    case 'boolean':
      return true;
    case 'string':
      return '…';
    default:
      return {};
  }
}
