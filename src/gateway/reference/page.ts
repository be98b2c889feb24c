/**
 * The reference at `/docs`: the OpenAPI document as one page of plain HTML. It is made on the server, without a script and
 * without anything from elsewhere, so it works offline, prints, and is found by the browser's own search.
 */
import { type CurlOptions, example, firstBlock } from './curl.ts';
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

/** @returns the page, for whoever reached the server at `origin`: all but the first block of curl is made once. */
export function referencePage(document: OpenApi, options: CurlOptions): (origin: string) => string {
  const groups = byTag(operationsOf(document));
  const schemas = referred(document);
  const top = topOf(document.info);
  const nav = navOf(groups, schemas);
  const reference = html`${[...groups].map(
    ([tag, operations]) => html`<h2 id="tag-${tag}">${tag}</h2>
${operations.map((each) => operationSection(each, options))}`,
  )}<h2 id="schemas">schemas</h2>
${schemas.map(schemaSection)}`;
  return (origin) =>
    html`${top}
${nav}
<main id="reference" tabindex="-1">
${curlSection(origin, options)}
${reference}
</main>
</body>
</html>
`.text;
}

function topOf({ title, version, description = '' }: OpenApi['info']): Html {
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
<code>cursor</code> and answer <code>items</code> and <code>nextCursor</code>. Writes take <code>Idempotency-Key</code>:
under a key that was used before, any request gets the first one's answer, with <code>duplicate: true</code>, and is not carried out.
The same as a document for tools: <a href="/openapi.json">/openapi.json</a>.</p>
</header>`;
}

function navOf(groups: Map<string, Named[]>, schemas: [string, Schema][]): Html {
  return html`<nav aria-label="Operations">
<ul><li><a href="#curl">Before the examples</a></li></ul>
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
</nav>`;
}

function curlSection(origin: string, options: CurlOptions): Html {
  const token = options.isLocal
    ? null
    : html` <code>T</code> is the server's own token (<code>BATON_TOKEN</code>): nobody else may make a company.`;
  return html`<section aria-labelledby="curl">
<h3 id="curl">Before the examples</h3>
<p>Paste this into bash or zsh first; it takes Node. It makes what the examples name – a company of its own, an agent, an
issue and the run that executes it – so that trying one touches nothing else. Paste it again when an example has ended
one of them.${token}</p>
<pre><code>${firstBlock(origin, options)}</code></pre>
</section>`;
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

function operationSection({ method, path, id, operation }: Named, options: CurlOptions): Html {
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
<pre><code>${example(method.toUpperCase(), path, body !== undefined, options)}</code></pre>
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
