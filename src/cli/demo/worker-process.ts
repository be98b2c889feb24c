/**
 * A worker of the demo: `baton work` in a process of its own, as anybody would start it. Its standard input is a pipe
 * that nobody writes to: when we are gone, however that came about, it is closed and the worker ends with its commands.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../clock.ts';
import type { Part } from './cast.ts';
import { UPSTREAM_VARIABLE } from './jobs.ts';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const JOB = fileURLToPath(new URL('./job-main.js', import.meta.url));

/** What runs in hand may take when the demo stops; they are retried when somebody works on. */
const DRAIN_MS = 500;
/** Then the worker is killed: a server must stop within 10 s. */
const STOP_MS = 2500;

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #exited: Promise<void>;
  #errors = '';
  #isOver = false;
  #wasTold = false;

  /** @param started told the identifier of each issue it begins */
  constructor(
    part: Part,
    agentId: string,
    at: { url: string; token: string | null; upstream: string; clock: Clock },
    heard: { started(issue: string): void; failed(why: string): void },
  ) {
    const args = [MAIN, 'work', '--agent', agentId, '--slots', String(part.slotsEach), '--json'];
    args.push('--end-with-stdin', '--drain-ms', String(DRAIN_MS), '--grace-ms', '1000');
    if (part.classify !== null) args.push('--classify', part.classify);
    // The job does not read the address: it says in the list of processes whose demo it is of.
    args.push('--', process.execPath, JOB, part.job, at.url);
    const { BATON_TOKEN: _, ...env } = process.env;
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...env,
        BATON_URL: at.url,
        ...(at.token === null ? {} : { BATON_TOKEN: at.token }),
        [UPSTREAM_VARIABLE]: at.upstream,
      },
    });
    this.#child = child;
    this.#clock = at.clock;
    child.stdin.on('error', () => {});
    child.stderr.on('data', (text) => {
      this.#errors = `${this.#errors}${text}`.slice(-2000);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { event, issue } = JSON.parse(line) as { event?: string; issue?: string };
      if (event === 'started' && issue !== undefined) heard.started(issue);
    });
    this.#exited = new Promise((resolve) => {
      const over = (why: string) => {
        if (!this.#isOver && !this.#wasTold) heard.failed(`${why} ${this.#errors}`.trim());
        this.#isOver = true;
        resolve();
      };
      child.once('error', (error) => over(error.message));
      child.once('exit', (code, signal) => over(`It ended with ${signal ?? code}.`));
    });
  }

  /** As a crash of the machine would: nothing is said, nobody is told. */
  kill(): void {
    this.#wasTold = true;
    this.#child.kill('SIGKILL');
  }

  /** Resolves when it is over; at most some seconds. */
  async stop(): Promise<void> {
    this.#wasTold = true;
    this.#child.kill('SIGTERM');
    const cancel = this.#clock.after(STOP_MS, () => this.#child.stdin?.end());
    const kill = this.#clock.after(STOP_MS + 1000, () => this.#child.kill('SIGKILL'));
    await this.#exited;
    cancel();
    kill();
  }
}
