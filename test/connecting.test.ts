/** docs/connecting.md, run as it stands: its files saved, its commands in one shell, and what they say compared. */
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureBuilt } from './support/built.ts';
import { textOfFile } from './support/markdown.ts';
import { temporaryDirectory } from './support/postgres.ts';
import { call, startServer, type TestServer } from './support/server.ts';
import { ROOT } from './support/source.ts';

interface Block {
  readonly language: string;
  /** What stands behind the language: a file's name, or `no-run`. */
  readonly about: string;
  readonly text: string;
}

const document = textOfFile('docs/connecting.md');
const blocks: Block[] = [...document.matchAll(/^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm)].map(
  ([, language, about, text]) => ({ language: language!, about: about!, text: text! }),
);
const scripts = blocks.filter(({ language, about }) => language === 'sh' && about === '');

let server: TestServer;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  await ensureBuilt();
  [server, directory] = await Promise.all([startServer(), temporaryDirectory()]);
  // As in a folder where the package is installed.
  const modules = join(directory.path, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await symlink(ROOT, join(modules, 'baton'));
  await symlink(join(ROOT, 'node_modules/ws'), join(modules, 'ws'));
  await symlink(join(ROOT, 'bin/baton.mjs'), join(modules, '.bin/baton'));
  for (const { language, about, text } of blocks) {
    if (language === 'js') await writeFile(join(directory.path, about), text);
  }
}, 120_000);
afterAll(async () => {
  await server?.stop();
  await directory?.remove();
});

it('the commands do what the page says, in its order', async () => {
  const lines = scripts.map(({ text }) => text.replaceAll('http://127.0.0.1:4300', server.url));
  const script = ['set -euo pipefail', ...lines].join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    cwd: directory.path,
    env: { PATH: process.env.PATH, HOME: directory.path, BATON_URL: server.url },
    timeout: 90_000,
  });
  // Comments are what is printed, `…` standing for what differs each time; `tail` prints more in between.
  const promised = scripts.flatMap(({ text }) => text.match(/^# .*$/gm) ?? []);
  expect(promised.length).toBeGreaterThan(6);
  const printed = stdout.split('\n');
  for (const line of promised) {
    const parts = line.slice(2).split('…');
    const at = printed.findIndex((text) => fits(text, parts));
    expect([line, at]).not.toEqual([line, -1]);
    printed.splice(0, at + 1);
  }

  const { body } = await call<{ items: { id: string }[] }>(server, 'GET', '/companies');
  const issues = await call<{ items: { title: string; state: string }[] }>(
    server,
    'GET',
    `/companies/${body.items[0]?.id}/issues`,
  );
  expect(issues.body.items.map(({ state }) => state)).toEqual(Array(5).fill('done'));
}, 120_000);

function fits(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at === -1 || (from === 0 && at !== 0)) return false;
    from = at + part.length;
  }
  return parts.length > 1 || from === text.length;
}

it('the MCP servers it names start, as the clients would start them', async () => {
  const added = document.match(/^(?:claude|codex) mcp add .* -- (.+)$/gm) ?? [];
  const commands = added.map((line) =>
    line.split(' -- ')[1]!.replace('"$PWD/bin/baton.mjs"', join(ROOT, 'bin/baton.mjs')),
  );
  expect(commands).toHaveLength(2);
  const json = blocks.find(({ language }) => language === 'json')!;
  const { command, args } = (
    JSON.parse(json.text) as { mcpServers: { baton: { command: string; args: string[] } } }
  ).mcpServers.baton;
  const { body } = await call<{ items: { id: string }[] }>(server, 'GET', '/companies');
  await call(server, 'POST', `/companies/${body.items[0]?.id}/agents`, { name: 'codex-1' });
  const all = [...commands.map((line) => line.split(' ')), [command, ...args]];
  const served = await Promise.all(
    all.map(async ([program = '', ...given]) => {
      const client = new Client({ name: 'test', version: '0' });
      const env = {
        PATH: `${join(directory.path, 'node_modules/.bin')}:${process.env.PATH}`,
        HOME: directory.path,
        BATON_URL: server.url,
      };
      await client.connect(
        new StdioClientTransport({
          command: program,
          args: given,
          cwd: directory.path,
          env,
          stderr: 'ignore',
        }),
      );
      const { tools } = await client.listTools();
      await client.close();
      return tools.length;
    }),
  );
  expect(served).toEqual([9, 9, 9]);
}, 60_000);
