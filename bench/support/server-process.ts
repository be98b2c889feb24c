/** The built server in a process of its own, as a person starts it: what is measured, killed and profiled. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Api } from './api.ts';
import { type Cpu, cpuOf, memoryOf } from './process-usage.ts';

export type ServerFlags = Readonly<Record<string, string>>;

export interface ServerOptions {
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** As on the command line, without dashes. */
  readonly flags: ServerFlags;
  /** Where the CPU profile is written when it stops; null: none. */
  readonly profileDir: string | null;
}

const READY_MS = 60_000;

export class ServerProcess {
  readonly api: Api;
  readonly pid: number;
  /** From the start of the process until `/readyz` answered 200, ms. */
  readonly readyMs: number;
  readonly options: ServerOptions;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(
    child: ChildProcess,
    exited: Promise<unknown>,
    of: { api: Api; readyMs: number; options: ServerOptions },
  ) {
    this.#child = child;
    this.#exited = exited;
    this.pid = child.pid!;
    this.api = of.api;
    this.readyMs = of.readyMs;
    this.options = of.options;
  }

  /** Starts one and waits until it is ready. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const { databaseUrl, dataDir, flags, profileDir } = options;
    const profiler = profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    const args = ['bin/baton.mjs', 'start', '--print-ready', '--no-demo', '--port', '0', '--log', 'warn'];
    args.push('--data-dir', dataDir, '--database-url', databaseUrl);
    for (const [name, value] of Object.entries(flags)) args.push(`--${name}`, value);
    const since = performance.now();
    const child = spawn(process.execPath, [...(await ownFlags()), ...profiler, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const exited = once(child, 'exit');
    try {
      const url = await Promise.race([
        announced(child),
        exited.then(([code]) => {
          throw new Error(`the server ended with ${String(code)} before it was ready`);
        }),
      ]);
      const api = new Api(url);
      while (!(await api.ready())) {
        if (performance.now() - since > READY_MS) throw new Error('the server did not become ready');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return new ServerProcess(child, exited, { api, readyMs: performance.now() - since, options });
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  cpu(): Promise<Cpu> {
    return cpuOf(this.pid);
  }

  memory(): Promise<{ rss: number; highest: number }> {
    return memoryOf(this.pid);
  }

  /** As a power cut would: nothing is said to anybody. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Gracefully; safe to repeat. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    await this.#exited;
  }

  /** Another one on the same database and data dir. */
  again(): Promise<ServerProcess> {
    return ServerProcess.start(this.options);
  }
}

/** Node's options in the command's first line: it is measured as it is executed, and as its process, without `env`. */
async function ownFlags(): Promise<string[]> {
  const [first = ''] = (await readFile('bin/baton.mjs', 'utf8')).split('\n');
  return first.split(' ').filter((word) => word.startsWith('--'));
}

/** The URL of its `--print-ready` line. */
function announced(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout!.on('data', (data) => {
      text += String(data);
      const line = text.split('\n').find((l) => l.includes('"ready":true') && l.endsWith('}'));
      if (line) resolve((JSON.parse(line) as { url: string }).url);
    });
  });
}
