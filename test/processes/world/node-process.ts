/**
 * One node as a process of its own: the built command, `dist/cli/main.js start` – or the same with seams at which it can
 * be told to die (`seam-server.mjs`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface NodeOptions {
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** As on the command line, without dashes. */
  readonly flags: Readonly<Record<string, string>>;
  /** Started so that it can be told to end or to stop at a seam. */
  readonly seams: boolean;
  /** One of the deliberate defects of `seam-server.mjs`. */
  readonly defect?: string;
}

/** Places in the code where a node can be told to end or to stop: see `seam-server.mjs`. */
export type Seam =
  | 'before commit'
  | 'after commit before acknowledgement'
  | 'after takeover before load'
  | 'timer fired before commit'
  | 'during migration'
  | 'during retention';

const STARTS_WITHIN_MS = 60_000;
/** Characters kept of what a node logs. */
const LAST_WORDS = 4000;
const children = new Set<ChildProcess>();

export class NodeProcess {
  readonly url: string;
  readonly pid: number;
  readonly options: NodeOptions;
  /** The end of its log. */
  readonly lastWords: () => string;
  paused = false;
  #gone = false;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #reached: ((seam: Seam) => void) | null = null;

  private constructor(
    child: ChildProcess,
    exited: Promise<unknown>,
    url: string,
    options: NodeOptions,
    lastWords: () => string,
  ) {
    this.#child = child;
    this.#exited = exited;
    this.url = url;
    this.pid = child.pid!;
    this.options = options;
    this.lastWords = lastWords;
    void exited.then(() => {
      this.#gone = true;
    });
    child.on('message', (message) => this.#reached?.((message as { reached: Seam }).reached));
  }

  /** Starts one; resolves when it listens, rejects with what it said when it ends before. */
  static async start(
    options: NodeOptions,
    armed?: { seam: Seam; action: 'kill' | 'stop' },
  ): Promise<NodeProcess> {
    const begun = NodeProcess.begin(options, armed);
    return begun.listening;
  }

  /** Starts one and does not wait: for a node that is to end before it listens. */
  static begin(options: NodeOptions, armed?: { seam: Seam; action: 'kill' | 'stop' }) {
    const program = options.seams || options.defect ? 'test/processes/seam-server.mjs' : 'dist/cli/main.js';
    const args = [program, 'start', '--print-ready', '--no-demo', '--log', 'warn', '--port', '0'];
    args.push('--database-url', options.databaseUrl, '--data-dir', options.dataDir);
    for (const [name, value] of Object.entries(options.flags)) args.push(`--${name}`, value);
    const env = {
      ...process.env,
      NODE_ENV: 'production',
      BATON_TEST_SEAM: JSON.stringify(armed ?? null),
      BATON_TEST_DEFECT: options.defect ?? '',
    };
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(options.seams ? (['ipc'] as const) : [])],
      env,
    });
    children.add(child);
    const exited = once(child, 'exit').then(([code, signal]) => {
      children.delete(child);
      return { code: code as number | null, signal: signal as string | null };
    });
    const reached = new Promise<Seam>((resolve) => {
      child.on('message', (message) => resolve((message as { reached: Seam }).reached));
    });
    let errors = '';
    child.stderr!.on('data', (data) => {
      errors = (errors + String(data)).slice(-LAST_WORDS);
      if (process.env.FAULTS_TRACE)
        process.stderr.write(`${(performance.now()).toFixed(0)} ${child.pid} ${data}`);
    });
    const listening = new Promise<NodeProcess>((resolve, reject) => {
      const late = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`the server did not listen within ${STARTS_WITHIN_MS} ms: ${errors}`));
      }, STARTS_WITHIN_MS);
      let text = '';
      child.stdout!.on('data', (data) => {
        text += String(data);
        const line = text.split('\n').find((l) => l.includes('"ready":true') && l.endsWith('}'));
        if (!line) return;
        clearTimeout(late);
        resolve(
          new NodeProcess(child, exited, (JSON.parse(line) as { url: string }).url, options, () => errors),
        );
      });
      void exited.then(({ code, signal }) => {
        clearTimeout(late);
        reject(new Error(`the server ended with ${code ?? signal}: ${errors}`));
      });
    });
    listening.catch(() => {});
    return {
      listening,
      exited,
      reached,
      pid: child.pid!,
      signal: (name: NodeJS.Signals) => child.kill(name),
    };
  }

  get gone(): boolean {
    return this.#gone;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** As an operator stops it. */
  async stop(): Promise<void> {
    this.resume();
    this.#child.kill('SIGTERM');
    await this.#exited;
  }

  /** Holds all of it still, as a suspended machine would be. */
  pause(): void {
    this.#child.kill('SIGSTOP');
    this.paused = true;
  }

  resume(): void {
    this.#child.kill('SIGCONT');
    this.paused = false;
  }

  /** The next time it comes to `seam` it ends or stops there; resolves when it has come there. */
  at(seam: Seam, action: 'kill' | 'stop'): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#reached = () => resolve();
    });
    this.#child.send({ seam, action });
    if (action === 'stop') this.paused = true;
    return action === 'kill' ? reached.then(() => this.#exited).then(() => {}) : reached;
  }
}

/** Ends whatever a failed campaign left running. */
export function endAllNodes(): void {
  for (const child of children) child.kill('SIGKILL');
}
