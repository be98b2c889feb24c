/**
 * A command in a process group of its own, so that all it starts can be stopped with it, and a Ctrl-C meant for us does
 * not reach it.
 *
 *     running ──leader exits──► leftovers told to end ──► gone
 *        └─ end(): SIGTERM to all ──grace──► SIGKILL to all ──► gone
 *
 * Invariants: 1 when `end` has resolved nothing of the group runs (the dead that nobody reaps do not count), or it could
 * not be killed; 2 groups that live when this process exits are killed (`killAll`); 3 they are killed also when this process is, and
 * cannot do so: each has a guard, a shell that waits at a pipe which closes with us. What has left the group (setsid) is
 * not ours any more. POSIX only: Windows knows no process groups.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../clock.ts';
import { isRunnable } from './executable.ts';
import { hasOnlyZombies } from './zombies.ts';

export type Ending =
  | { readonly is: 'exited'; readonly code: number }
  | { readonly is: 'killed'; readonly signal: NodeJS.Signals }
  | { readonly is: 'not-started'; readonly code: string };

/** How often it is looked whether a group is gone. */
const LOOK_MS = 20;
/** Every so many looks the group's members are looked at, which is as many reads as there are processes. */
const LOOKS_AT_ALL = 5;
/** SIGKILL needs no time, but the dead must be reaped. */
const REAP_MS = 1000;

/**
 * Reads the number of the group that it is to guard, waits for the end of its input, then kills that group. Where nobody
 * names one, no command was begun.
 */
const GUARD = 'read -r group || exit 0; read -r _; kill -9 "-$group"';

/**
 * What becomes the command: it names its own group to the guard first, over the guard's input. So there is no moment at
 * which our end would leave the command alone – we could be killed between starting it and naming it. The subshell is for
 * a guard that is gone: SIGPIPE ends that alone.
 */
const NAMED = '(echo $$ >&3) 2>/dev/null; exec 3>&-; exec "$@"';

const living = new Set<ProcessGroup>();

/** Kills every group that lives: the last thing this process does. */
export function killAll(): void {
  for (const group of living) group.signal('SIGKILL');
}

export class ProcessGroup {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** How the leader ended. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #guard: Guard;
  readonly #clock: Clock;

  /** @param input written to its standard input, which is closed then */
  constructor(
    command: readonly [string, ...string[]],
    options: { env: NodeJS.ProcessEnv; cwd: string; input: string },
    clock: Clock,
  ) {
    const { env, cwd, input } = options;
    this.#guard = new Guard();
    // One that cannot be run is tried as it is: what the system says to that is how it ended.
    const [file, ...args] = isRunnable(command[0], cwd, env.PATH)
      ? (['/bin/sh', '-c', NAMED, 'sh', ...command] as const)
      : command;
    const child = spawn(file, args, {
      env,
      cwd,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', this.#guard.input ?? 'ignore'],
    }) as ChildProcessWithoutNullStreams;
    this.#child = child;
    this.#clock = clock;
    this.stdout = child.stdout;
    this.stderr = child.stderr;
    living.add(this);
    if (child.pid === undefined) this.#guard.dismiss();
    this.ended = new Promise((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        living.delete(this);
        resolve({ is: 'not-started', code: error.code ?? 'UNKNOWN' });
      });
      child.once('exit', (code, signal) => {
        resolve(signal === null ? { is: 'exited', code: code ?? 1 } : { is: 'killed', signal });
      });
    });
    // A command that does not read its input is no failure.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  }

  /** False when nobody of the group is left. */
  signal(name: NodeJS.Signals | 0): boolean {
    if (this.#child.pid === undefined) return false;
    try {
      return process.kill(-this.#child.pid, name);
    } catch {
      return false;
    }
  }

  /** SIGTERM to all, after `graceMs` SIGKILL to all. Resolves when they are gone. */
  async end(graceMs: number): Promise<void> {
    if (this.signal('SIGTERM') && !(await this.#gone(graceMs))) {
      this.signal('SIGKILL');
      await this.#gone(REAP_MS);
    }
    // Before its pipe is: the number of a group that is gone may become another's.
    this.#guard.dismiss();
    living.delete(this);
  }

  async #gone(ms: number): Promise<boolean> {
    const until = this.#clock.monotonic() + ms;
    for (let look = 1; this.signal(0); look++) {
      if (look % LOOKS_AT_ALL === 0 && hasOnlyZombies(this.#child.pid!)) return true;
      if (this.#clock.monotonic() >= until) return false;
      await new Promise<void>((resolve) => this.#clock.after(LOOK_MS, resolve));
    }
    return true;
  }
}

/** A shell in a session of its own, so that what ends us does not end it first. */
class Guard {
  readonly #shell: ChildProcess;

  constructor() {
    this.#shell = spawn('/bin/sh', ['-c', GUARD, 'baton-guard', String(process.pid)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // Without a guard the command is as safe as it was: our own end is the only one that it would outlive.
    this.#shell.on('error', () => {});
    this.#shell.stdin?.on('error', () => {});
    this.#shell.unref();
  }

  /** Takes the number of the group; its end is the command's, unless somebody else has it open. */
  get input(): Writable | null {
    return this.#shell.stdin;
  }

  dismiss(): void {
    this.#shell.kill('SIGKILL');
  }
}
