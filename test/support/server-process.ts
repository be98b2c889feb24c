/** A server in a process of its own, so that it can be killed: the built command, as the test command leaves it (`pretest` builds). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** Ends it with the signal; answers its exit code (null: killed). */
  end(signal: NodeJS.Signals): Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
  /** False once it has ended, however. */
  running(): boolean;
  /** What it wrote to its standard output and error so far. */
  output(): string;
}

const running = new Set<ChildProcess>();

/** Starts a server and waits until it is ready. `flags` as on the command line. */
export async function spawnServer(
  flags: Record<string, string>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ServerProcess> {
  const server = await spawnListening(flags, env);
  for (let n = 0; n < 500; n++) {
    if ((await fetch(`${server.url}/readyz`)).ok) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return server;
}

/** Starts a server and waits until it listens, ready or not. */
export async function spawnListening(
  flags: Record<string, string>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ServerProcess> {
  const args = ['dist/cli/main.js', 'start', '--print-ready', '--no-demo', '--port', '0', '--log', 'fatal'];
  for (const [name, value] of Object.entries(flags)) args.push(`--${name}`, value);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  running.add(child);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  void exited.then(() => running.delete(child));
  let errors = '';
  let text = '';
  child.stderr.on('data', (data) => {
    errors += String(data);
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (data) => {
      text += String(data);
      const line = text.split('\n').find((l) => l.includes('"ready":true'));
      if (line) resolve((JSON.parse(line) as { url: string }).url);
    });
    void exited.then(([code]) => reject(new Error(`the server ended with ${code}: ${errors}`)));
  });
  return {
    url,
    pid: child.pid!,
    signal: (signal) => child.kill(signal),
    running: () => child.exitCode === null && child.signalCode === null,
    output: () => text + errors,
    async end(signal) {
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

/** Ends whatever a failed test left running. */
export function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}
