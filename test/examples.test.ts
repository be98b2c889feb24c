/**
 * Every example of README.md, docs/connecting.md and the served `/docs`, run as it stands: files saved, commands in one
 * shell, and what the comments under them promise compared with what is printed.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from './support/built.ts';
import { type Block, blocksOf, textOfFile } from './support/markdown.ts';
import { temporaryDirectory } from './support/postgres.ts';
import { call, office, startServer, type TestServer, until } from './support/server.ts';
import { RawSocket } from './support/socket.ts';
import { ROOT, tree } from './support/source.ts';

const ADDRESS = 'http://127.0.0.1:4300';
const RUN_PAGES = ['README.md', 'docs/connecting.md'];
const readme = blocksOf(textOfFile('README.md'));
const connecting = blocksOf(textOfFile('docs/connecting.md'));
const TOKEN = 'the-server-token-of-the-tests-0123456789';

let server: TestServer;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  await ensureBuilt();
  [server, directory] = await Promise.all([startServer(), temporaryDirectory()]);
  // As in a clone: the command is not among the modules' own, and `baton/client` is what the package says it is.
  const modules = join(directory.path, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await symlink(join(ROOT, 'bin'), join(directory.path, 'bin'));
  await symlink(ROOT, join(modules, 'baton'));
  await symlink(join(ROOT, 'node_modules/ws'), join(modules, 'ws'));
  for (const { language, about, text } of connecting) {
    if (language === 'js') await writeFile(join(directory.path, about), text);
  }
}, 120_000);
afterAll(async () => {
  await server?.stop();
  await directory?.remove();
});

const commandsOf = (blocks: readonly Block[]) =>
  blocks.filter(({ language, about }) => language === 'sh' && about === '').map(({ text }) => text);

/** Runs a script in bash as somebody on this machine; answers what it printed. */
async function shell(lines: readonly string[], cwd: string, env: Record<string, string> = {}) {
  const { stdout } = await promisify(execFile)('bash', ['-c', lines.join('\n')], {
    cwd,
    env: { PATH: process.env.PATH, HOME: directory.path, BATON_URL: server.url, ...env },
    timeout: 90_000,
  });
  return stdout;
}

/** Comments are what is printed, `…` standing for what differs each time; there may be more in between. */
function expectPromised(commands: readonly string[], stdout: string): void {
  const promised = commands.flatMap((text) => text.match(/^# .*$/gm) ?? []);
  expect(promised.length).toBeGreaterThan(4);
  const printed = stdout.split('\n');
  for (const line of promised) {
    const at = printed.findIndex((text) => fits(text, line.slice(2).split('…')));
    expect([line, at, stdout]).not.toEqual([line, -1, stdout]);
    printed.splice(0, at + 1);
  }
}

function fits(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const [n, part] of parts.entries()) {
    const at = text.indexOf(part, from);
    if (at === -1 || (n === 0 && at !== 0)) return false;
    from = at + part.length;
  }
  return from === text.length || parts.at(-1) === '';
}

async function companyId(prefix: string): Promise<string> {
  const { body } = await call<{ items: { id: string; prefix: string }[] }>(server, 'GET', '/companies');
  return body.items.find((company) => company.prefix === prefix)?.id ?? '';
}

describe('docs/connecting.md', () => {
  it('its commands do what the page says, in its order', async () => {
    const commands = commandsOf(connecting);
    const lines = commands.map((text) => text.replaceAll(ADDRESS, server.url));
    expectPromised(commands, await shell(['set -euo pipefail', ...lines], directory.path));

    const path = `/companies/${await companyId('TEAM')}/issues`;
    const issues = await call<{ items: { title: string; state: string }[] }>(server, 'GET', path);
    expect(issues.body.items.map(({ state }) => state)).toEqual(Array(5).fill('done'));
  }, 120_000);

  it('the MCP servers it names start, as the clients would start them', async () => {
    const added = blocksText(connecting).match(/^(?:claude|codex) mcp add .* -- (.+)$/gm) ?? [];
    const commands = added.map((line) =>
      line.split(' -- ')[1]!.replace('"$PWD/bin/baton.mjs"', join(ROOT, 'bin/baton.mjs')),
    );
    expect(commands).toHaveLength(2);
    const json = connecting.find(({ language }) => language === 'json')!;
    const { command, args } = (
      JSON.parse(json.text) as { mcpServers: { baton: { command: string; args: string[] } } }
    ).mcpServers.baton;
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
});

function blocksText(blocks: readonly Block[]): string {
  return blocks.map(({ text }) => text).join('\n');
}

describe('README.md', () => {
  it('its commands do what it says, in its order', async () => {
    const commands = commandsOf(readme);
    const lines = commands.map((text) => text.replaceAll(ADDRESS, server.url));
    expectPromised(commands, await shell(['set -euo pipefail', ...lines], ROOT));
  }, 120_000);

  it('the frames it shows are answered as it shows', async () => {
    const { text } = readme.find((block) => block.text.startsWith('npx -y wscat'))!;
    const [, protocol, url] = /-s (\S+) -c (\S+)/.exec(text)!;
    expect([protocol, url]).toEqual(['baton.v1', `${ADDRESS.replace('http', 'ws')}/v1/ws`]);
    const { agents, issue } = await office(server, 'typist');
    const { id: issueId } = await issue(agents[0]);
    const known = { agentId: agents[0], issueId, runId: `${issueId}.1` };
    const socket = await RawSocket.open(server.url, null);
    for (const [, typed] of text.matchAll(/^> (.+)$/gm)) {
      const frame = JSON.parse(typed!, (name, value) =>
        typeof value === 'string' && value.includes('…') ? known[name as keyof typeof known] : value,
      );
      if (frame.t === 'hello') continue;
      expect(await socket.ask(frame)).toMatchObject({ t: 'ok', id: frame.id });
    }
    socket.cut();
    const { body } = await call(server, 'GET', `/issues/${issueId}`);
    expect(body.state).toBe('done');
  });

  it('its worker works', async () => {
    const solver = createServer((request, response) => {
      request.resume().on('end', () => response.end('{"solved":true}'));
    }).listen(0, '127.0.0.1');
    await once(solver, 'listening');
    const { port } = solver.address() as AddressInfo;
    const { about, text } = readme.find(({ language }) => language === 'js')!;
    const own = text.replace(ADDRESS, server.url).replace('127.0.0.1:8080', `127.0.0.1:${port}`);
    await writeFile(join(directory.path, about), own);
    const child = spawn(process.execPath, [about], { cwd: directory.path, stdio: 'inherit' });
    const exited = once(child, 'exit');

    const home = await companyId('ACME');
    const { body } = await call<{ items: { id: string; name: string }[] }>(
      server,
      'GET',
      `/companies/${home}/agents`,
    );
    const agent = body.items.find(({ name }) => text.includes(`agent: '${name}'`));
    const issue = await call<{ id: string }>(server, 'POST', `/companies/${home}/issues`, {
      title: 'Solve it',
      assigneeAgentId: agent?.id,
    });
    const ended = await until(
      () =>
        call<{ status: string; resultJson: unknown }>(server, 'GET', `/runs/${issue.body.id}.1`).then(
          (answer) => answer.body,
        ),
      ({ status }) => status === 'succeeded',
      20_000,
    );
    expect(ended.resultJson).toEqual({ solved: true });
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    solver.close();
  }, 60_000);
});

describe('/docs', () => {
  const ESCAPED: Readonly<Record<string, string>> = {
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
    '&amp;': '&',
  };
  async function examplesOf(url: string) {
    const page = await (await fetch(`${url}/docs`)).text();
    const [first = '', ...examples] = [...page.matchAll(/<pre><code>([\s\S]*?)<\/code><\/pre>/g)].map(
      ([, text]) => text!.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ESCAPED[entity]!),
    );
    return {
      first,
      reads: examples.filter((text) => !text.includes(' -X ')),
      writes: examples.filter((text) => text.includes(' -X ')),
    };
  }

  /** Pastes the first block, then `examples`; answers those that were not done, with what was answered. */
  async function refused(
    first: string,
    examples: readonly string[],
    env: Record<string, string>,
    seed: number,
  ) {
    const marked = examples.flatMap((text) => [text, 'echo; echo "<end>"']);
    // Of each answer the status follows: said by curl's own settings, so that the examples stay as they are.
    const lines = ['set -eu', `RANDOM=${seed}`, first, `export CURL_HOME=${curlHome()}`, ...marked];
    const answers = (await shell(lines, directory.path, env)).split('\n<end>\n').slice(0, -1);
    expect(answers).toHaveLength(examples.length);
    return examples.flatMap((text, i) =>
      /<status 20[01]>\s*$/.test(answers[i]!) ? [] : [[text, answers[i]]],
    );
  }

  const curlHome = () => join(directory.path, 'curl');
  beforeAll(async () => {
    await mkdir(curlHome());
    await writeFile(join(curlHome(), '.curlrc'), 'write-out = "\\n<status %{http_code}>"\n');
  });

  it('has an example for each operation, and every one is done when pasted after the first block', async () => {
    const { first, reads, writes } = await examplesOf(server.url);
    expect(first).toContain(`B=${server.url}\n`);
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    const operations = Object.values(document.paths).flatMap(Object.keys);
    expect(reads.length + writes.length).toBe(operations.length);
    expect(writes.filter((text) => text.includes("-d '{}'"))).toEqual([]);

    expect(await refused(first, reads, {}, 1)).toEqual([]);
    // Each on its own: one ends what another needs.
    for (const [i, text] of writes.entries()) expect(await refused(first, [text], {}, i + 2)).toEqual([]);
  }, 120_000);

  it('sends the token where the server wants one', async () => {
    const guarded = await startServer({ token: TOKEN });
    try {
      const { first, reads, writes } = await examplesOf(guarded.url);
      const verbs = ['DELETE', 'PATCH', 'POST'].map(
        (verb) => writes.find((text) => text.includes(`-X ${verb}`))!,
      );
      expect(await refused(first, [...reads, ...verbs], { BATON_TOKEN: TOKEN }, 1)).toEqual([]);
    } finally {
      await guarded.stop();
    }
  }, 60_000);
});

it('no example with curl stands anywhere else, where nothing would run it', () => {
  const elsewhere = tree()
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      blocksOf(text)
        .filter(({ language, about }) => language === 'sh' && (about !== '' || !RUN_PAGES.includes(path)))
        .filter((block) => /\bcurl\b/.test(block.text))
        .map((block) => `${path}: ${block.text}`),
    );
  expect(elsewhere).toEqual([]);
});
