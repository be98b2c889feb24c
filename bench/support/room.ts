/**
 * The room a bench works in: a temporary directory, a durable PostgreSQL in it, servers on it. Whatever is made here is
 * ended by its process id and removed when the room is closed, in reverse order, also after a failure.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from './cluster.ts';
import { profileLines } from './cpu-profile.ts';
import { type ServerFlags, ServerProcess } from './server-process.ts';

export class Room {
  readonly name: string;
  /** Servers run with a CPU profiler. */
  readonly profile: boolean;
  readonly #servers: ServerProcess[] = [];
  readonly #undo: (() => Promise<void>)[] = [];
  #closing: Promise<void> | null = null;

  constructor(of: { name: string; profile: boolean }) {
    this.name = of.name;
    this.profile = of.profile;
  }

  /** Tells a person what goes on. */
  say(line: string): void {
    process.stderr.write(`${this.name}: ${line}\n`);
  }

  /** Something to be undone at the end. */
  defer(undo: () => Promise<void>): void {
    this.#undo.unshift(undo);
  }

  async directory(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'baton-bench-'));
    this.defer(() => rm(path, { recursive: true, force: true }));
    return path;
  }

  /** A PostgreSQL as `npm start` would run it, proved to be durable. */
  async cluster(): Promise<Cluster> {
    const cluster = await Cluster.open(await this.directory());
    this.defer(() => cluster.close());
    return cluster;
  }

  /** A server in a process of its own on a database; ready. */
  async server(databaseUrl: string, flags: ServerFlags = {}): Promise<ServerProcess> {
    const dataDir = await this.directory();
    const profileDir = this.profile ? await this.directory() : null;
    const server = await ServerProcess.start({ databaseUrl, dataDir, flags, profileDir });
    this.#servers.push(server);
    this.defer(() => server.stop());
    return server;
  }

  /** Ends the servers and reads their profiles: lines for people, none where there was no profiler. */
  async profiles(): Promise<string[]> {
    const lines: string[] = [];
    for (const server of this.#servers) {
      const { profileDir } = server.options;
      if (profileDir === null) continue;
      await server.stop();
      lines.push(...(await profileLines(profileDir, this.name)));
    }
    return lines;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      for (const undo of this.#undo) {
        await undo().catch((error: unknown) => this.say(`could not be undone: ${String(error)}`));
      }
    })();
    return this.#closing;
  }
}
