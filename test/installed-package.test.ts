/**
 * The package as a stranger gets it: packed, installed in an empty folder, started, and compiled against. Dependencies
 * come from npm's cache where it has them, else from the registry that npm is set up with.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from './support/built.ts';
import { temporaryDirectory } from './support/postgres.ts';
import { ROOT } from './support/source.ts';

const run = promisify(execFile);

/** What the npm that runs these tests was told is not for the one that installs. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^npm_(package|lifecycle|config_(local_prefix|dry_run|omit|only|production|global|json|call))/i.test(
        name,
      ),
  ),
);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let app: string;

beforeAll(async () => {
  await ensureBuilt();
  directory = await temporaryDirectory();
  app = join(directory.path, 'app');
  await mkdir(app);
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory.path];
  await run('npm', pack, { cwd: ROOT, env });
  const [tarball] = (await readdir(directory.path)).filter((name) => name.endsWith('.tgz'));
  await writeFile(join(app, 'package.json'), '{ "private": true, "type": "module" }');
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', [...install, `../${tarball}`], { cwd: app, env });
}, 180_000);

afterAll(() => directory?.remove());

it('starts with npx and brings its own database, its dashboard, its reference and MCP', async () => {
  const args = ['baton', 'start', '--port', '0', '--print-ready', '--no-demo', '--log', 'fatal'];
  const child = spawn('npx', args, { cwd: app, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let text = '';
  const ready = await new Promise<{ url: string; pid: number }>((resolve, reject) => {
    child.stdout.on('data', (data) => {
      text += String(data);
      const line = text.split('\n').find((each) => each.includes('"ready":true'));
      if (line !== undefined) resolve(JSON.parse(line) as { url: string; pid: number });
    });
    void exited.then(([code]) => reject(new Error(`it ended with ${code}: ${text}`)));
  });
  try {
    const get = async (path: string, accept: string) => {
      const answer = await fetch(`${ready.url}${path}`, { headers: { accept } });
      return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
    };
    const page = await get('/', 'text/html');
    expect([page.status, page.type]).toEqual([200, 'text/html; charset=utf-8']);
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page.text)?.[1] ?? '';
    expect((await get(script, '*/*')).status).toBe(200);
    expect((await get('/docs', 'text/html')).text).toContain('HTTP reference');
    const mcp = await fetch(`${ready.url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });
    expect(await mcp.text()).toContain('claim_issue');
    const made = await fetch(`${ready.url}/v1/companies`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"Acme","prefix":"ACME"}',
    });
    expect(made.status).toBe(201);
  } finally {
    process.kill(ready.pid, 'SIGTERM');
  }
  expect((await exited)[0]).toBe(0);
}, 60_000);

describe('a project that uses baton/client', () => {
  const CONSUMER = `
import { connect, TransientError, type Worker, worker } from 'baton/client';

const client = await connect({ url: 'http://127.0.0.1:4300' });
const why: string = (await client.http.issue('ACME-7')).why.text;
const w: Worker = await worker({
  url: 'http://127.0.0.1:4300',
  agent: 'codex-1',
  slots: 2,
  run: async ({ issue, fence }, { signal, progress, log }) => {
    log(issue.title + why);
    progress(fence / 2);
    if (signal.aborted) throw new TransientError('429', { errorCode: 'codex_transient_upstream' });
    return { result: { ok: true } };
  },
});
await w.close({ graceMs: 100 });
// @ts-expect-error the address is a text
await connect({ url: 4300 });
// @ts-expect-error an issue has no such field
console.log((await client.http.issue('ACME-7')).owner);
`;

  it.each([
    ['node16', 'node16'],
    ['bundler', 'esnext'],
  ])(
    'compiles against its types with %s resolution, every library’s types checked',
    async (resolution, module) => {
      await writeFile(join(app, `${resolution}.ts`), CONSUMER);
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const language = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--types', ''];
      const args = [...language, '--moduleResolution', resolution, '--module', module, `${resolution}.ts`];
      const { stdout } = await run(process.execPath, [tsc, ...args], { cwd: app }).catch(
        (error: { stdout: string }) => error,
      );
      expect(stdout).toBe('');
    },
  );

  it('runs: what the types promise is exported', async () => {
    const code = "import('baton/client').then((m) => console.log(typeof m.connect, typeof m.worker))";
    const { stdout } = await run(process.execPath, ['-e', code], { cwd: app });
    expect(stdout.trim()).toBe('function function');
  });
});
