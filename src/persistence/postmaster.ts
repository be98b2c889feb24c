/**
 * The PostgreSQL process of a cluster. One state: `running` as our child; `running` adopted (a Baton that was killed
 * left it; it is whole, so it is used on); `restarting` after it died under us; `stopping`; `stopped`.
 *
 * Invariants:
 * M1 At most one postmaster runs on the cluster: a live one is adopted or stopped, never raced.
 * M2 After `stop` resolves no process of the cluster is left.
 * M3 It is in a process group of its own: a terminal's Ctrl-C reaches Baton first, which commits and then stops it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, realpath, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Clock } from '../clock.ts';
import { plainEnvironment, SUPERUSER } from './cluster.ts';
import { alive, end, ended, livesIn } from './os-process.ts';
import type { Binaries } from './postgres-binaries.ts';
import type { User } from './unprivileged.ts';

export interface PostmasterOptions {
  readonly cluster: string;
  /** Directory of the Unix socket. */
  readonly socketDir: string;
  readonly binaries: Binaries;
  readonly user: User | null;
  /** Where its own messages go. */
  readonly logFile: string;
  readonly log: (line: string) => void;
  readonly clock: Clock;
  /** Settings beyond the standard ones, as `name=value`. */
  readonly settings?: readonly string[];
}

type State =
  | { is: 'running'; pid: number }
  | { is: 'restarting'; done: Promise<void> }
  | { is: 'stopping' }
  | { is: 'stopped' };

/** Looks again, ms: whether it answers yet, and whether one that is not our child has ended. */
const LOOK_MS = 20;
const WATCH_MS = 500;
/** Recovery of a cluster that was killed replays up to max_wal_size. */
const READY_WITHIN_MS = 120_000;
/** A killed postmaster's last children hold its shared memory for a moment; a start in that moment is refused. */
const START_ATTEMPTS = 20;
const AGAIN_MS = 250;
/** Between attempts to bring back one that died under us and does not start. */
const RELAUNCH_MS = 1_000;
/** Durable (fsync and synchronous_commit on), small, and reachable by nothing but its socket. */
const SETTINGS = [
  'listen_addresses=',
  'unix_socket_permissions=0700',
  'fsync=on',
  'synchronous_commit=on',
  'full_page_writes=on',
  'shared_buffers=128MB',
  'max_connections=50',
  'max_wal_size=2GB',
  'checkpoint_timeout=15min',
  'wal_compression=on',
  'jit=off',
  'random_page_cost=1.1',
  'timezone=UTC',
];

export class Postmaster {
  readonly #options: PostmasterOptions;
  #state: State = { is: 'stopped' };
  #stopping: Promise<void> | null = null;
  #callOff: () => void = () => {};

  constructor(options: PostmasterOptions) {
    this.#options = options;
  }

  /** Adopts the one that runs with our settings, else starts one. Resolves when it answers. */
  async start(): Promise<'started' | 'adopted'> {
    const left = await this.#leftover();
    if (left !== null) {
      if (left.same && (await this.#answers(left.pid, null))) {
        this.#run(left.pid, null);
        return 'adopted';
      }
      await this.#end(left.pid);
    }
    await this.#launch();
    return 'started';
  }

  /** Safe to repeat and to call while it is being restarted. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** The process id of the running postmaster; null while there is none. */
  get pid(): number | null {
    return this.#state.is === 'running' ? this.#state.pid : null;
  }

  async #stop(): Promise<void> {
    const state = this.#state;
    this.#state = { is: 'stopping' };
    this.#callOff();
    if (state.is === 'restarting') await state.done;
    if (state.is === 'running') await this.#end(state.pid);
    this.#state = { is: 'stopped' };
  }

  async #launch(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const child = await this.#spawn();
      if (await this.#answers(child.pid!, child)) {
        if (this.#stopping !== null) return this.#end(child.pid!);
        return this.#run(child.pid!, child);
      }
      await this.#end(child.pid!);
      if (attempt === START_ATTEMPTS || !(await this.#mayTryAgain())) throw await this.#failure();
      await this.#sleep(AGAIN_MS);
    }
  }

  async #spawn(): Promise<ChildProcess> {
    const { binaries, cluster, user, logFile } = this.#options;
    const log = await open(logFile, 'a', 0o600);
    try {
      const child = spawn(join(binaries.bin, 'postgres'), this.#arguments(), {
        cwd: cluster,
        env: plainEnvironment(),
        stdio: ['ignore', log.fd, log.fd],
        detached: true, // M3
        ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
      });
      child.on('error', () => {}); // seen as an exit without a pid, below
      if (child.pid === undefined) throw new Error(`${binaries.bin}/postgres cannot be run`);
      child.unref();
      return child;
    } finally {
      await log.close();
    }
  }

  #arguments(): string[] {
    const { cluster, socketDir, settings = [] } = this.#options;
    const all = [`unix_socket_directories=${socketDir}`, ...SETTINGS, ...settings];
    return ['-D', cluster, ...all.flatMap((setting) => ['-c', setting])];
  }

  #run(pid: number, child: ChildProcess | null): void {
    this.#state = { is: 'running', pid };
    const died = () => {
      if (this.#state.is === 'running' && this.#state.pid === pid) this.#restart();
    };
    if (child === null) this.#watch(pid, died);
    else if (ended(child)) died();
    else child.once('exit', died);
  }

  /** One that is not our child tells us nothing when it ends. */
  #watch(pid: number, died: () => void): void {
    this.#callOff = this.#options.clock.after(WATCH_MS, () => (alive(pid) ? this.#watch(pid, died) : died()));
  }

  #restart(): void {
    this.#options.log('The database process ended unexpectedly; starting it again.');
    this.#state = { is: 'restarting', done: this.#relaunch() };
  }

  async #relaunch(): Promise<void> {
    while (this.#stopping === null) {
      try {
        return await this.#launch();
      } catch (error) {
        if (this.#stopping !== null) return;
        this.#options.log(`The database cannot be started again: ${(error as Error).message}`);
        await this.#sleep(RELAUNCH_MS);
      }
    }
  }

  /** A live postmaster of this cluster, and whether it runs as we would run it; null: there is none. */
  async #leftover(): Promise<{ pid: number; same: boolean } | null> {
    const { cluster } = this.#options;
    const file = join(cluster, 'postmaster.pid');
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    const pid = Number.parseInt(lines[0] ?? '', 10);
    if (!(pid > 0)) return null;
    if (!alive(pid)) return null;
    if (!(await livesIn(pid, cluster))) {
      await unlink(file); // somebody else's process has the number by now
      return null;
    }
    const options = await readFile(join(cluster, 'postmaster.opts'), 'utf8').catch(() => '');
    const program = join(this.#options.binaries.bin, 'postgres');
    const ours = [program, ...this.#arguments().map((word) => `"${word}"`)].join(' ');
    return { pid, same: options.trim() === ours };
  }

  /** Waits until it answers as the server of this cluster; false: it ended, or is another's. */
  async #answers(pid: number, child: ChildProcess | null): Promise<boolean> {
    const { clock, cluster, log } = this.#options;
    const started = clock.monotonic();
    let told = false;
    while (clock.monotonic() - started < READY_WITHIN_MS) {
      if (this.#stopping !== null || (child === null ? !alive(pid) : ended(child))) return false;
      const directory = await this.#ask();
      if (directory !== null) return (await realpath(directory)) === (await realpath(cluster));
      if (!told && clock.monotonic() - started > 3_000) {
        told = true;
        log('The database is recovering from an unclean end; this may take a moment.');
      }
      await this.#sleep(LOOK_MS);
    }
    return false;
  }

  async #ask(): Promise<string | null> {
    const client = new pg.Client({
      host: this.#options.socketDir,
      port: 5432,
      user: SUPERUSER,
      database: 'postgres',
      password: '',
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      const answer = await client.query<{ data_directory: string }>('show data_directory');
      return answer.rows[0]!.data_directory;
    } catch {
      return null;
    } finally {
      await client.end().catch(() => {});
    }
  }

  #end(pid: number): Promise<void> {
    return end(pid, this.#options.clock);
  }

  async #lastWords(): Promise<string> {
    const text = await readFile(this.#options.logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-8).join('\n');
  }

  async #mayTryAgain(): Promise<boolean> {
    if (this.#stopping !== null) return false;
    return /still in use|postmaster\.pid|Address already in use/.test(await this.#lastWords());
  }

  async #failure(): Promise<Error> {
    const { cluster, logFile } = this.#options;
    return new Error(`PostgreSQL does not start in ${cluster}; ${logFile} ends:\n${await this.#lastWords()}`);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(ms, resolve));
  }
}
