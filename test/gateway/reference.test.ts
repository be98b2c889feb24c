/** `/docs`: the OpenAPI document as a page. What it looks like is seen in test/browser/reference.test.ts. */
import { expect, it } from 'vitest';
import { referencePage } from '../../src/gateway/reference/page.ts';
import { start } from './support/gateway.ts';

it('has every operation and every schema of the document, and every link leads somewhere', async () => {
  const bench = await start();
  const { text, headers } = await bench.get('/docs', { token: null });
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  const { paths } = (await bench.get('/openapi.json')).body;
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [path, methods] of Object.entries<Record<string, unknown>>(paths)) {
    for (const method of Object.keys(methods)) {
      expect(text).toContain(`<b class="${method}">${method.toUpperCase()}</b> <code>${path}</code>`);
    }
  }
  const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!);
  expect(targets.filter((id) => !ids.includes(id))).toEqual([]);
  expect(ids).toContain('schema-Issue');
  for (const type of ['WAKE', 'RUN.FAILED', 'FORCE_RELEASE']) expect(text).toContain(`Body of ${type}`);
});

it('needs nothing from elsewhere and nothing that its policy forbids', async () => {
  const bench = await start();
  const page = await bench.get('/docs');
  expect(page.headers['content-security-policy']).toContain("default-src 'self'");
  expect(page.text).not.toMatch(/<script|<style| style=| on[a-z]+=/);
  const sources = [...page.text.matchAll(/(?:src|<link[^>]+href)="([^"]+)"/g)].map(([, url]) => url!);
  expect(sources).toEqual(['/favicon.svg', '/docs/style.css']);
  const style = await bench.get('/docs/style.css', { token: null });
  expect([style.status, style.headers['content-type']]).toEqual([200, 'text/css; charset=utf-8']);
  expect(style.text).not.toMatch(/url\(|@import/);
});

it('shows hostile text as text, wherever it stands', () => {
  const evil = `"><img src=x onerror=alert(1)><script>alert('x')</script>`;
  const schema = {
    type: 'object',
    description: evil,
    properties: { [evil]: { type: 'string', description: evil, default: evil, enum: [evil], pattern: evil } },
    required: [evil],
  };
  const made = referencePage(
    {
      info: { title: evil, version: evil, description: evil },
      paths: {
        [`/${evil}`]: {
          post: {
            summary: evil,
            tags: [evil],
            parameters: [{ name: evil, in: evil, description: evil, schema }],
            requestBody: { content: { 'application/json': { schema } } },
            responses: {
              [evil]: {
                description: evil,
                content: { [evil]: { schema: { $ref: `#/components/schemas/${evil}` } } },
              },
            },
          },
        },
      },
      components: { schemas: { [evil]: schema } },
    },
    { isLocal: true },
  );
  const page = made(evil);
  expect(page).not.toMatch(/<img|<script/);
  expect(page).toContain('&lt;script&gt;');
});

it('names the address at which it was reached, and none that a shell would run', async () => {
  const bench = await start();
  const shown = async (headers: Record<string, string>) =>
    /^<pre><code>B=(.*)$/m.exec((await bench.get('/docs', { headers })).text)?.[1];
  expect(await shown({ host: 'localhost:4300' })).toBe('http://localhost:4300');
  expect(await shown({ host: '[::1]:4300', 'x-forwarded-proto': 'https' })).toBe('https://[::1]:4300');
  const open = await start({ host: '0.0.0.0' });
  const { text } = await open.get('/docs', { headers: { host: 'a;touch$IFS' } });
  expect(text).not.toContain('touch');
});
