/** One run of `baton work`: a command from its grant to its end, its output on the way to the run's log. */
import type { Readable } from 'node:stream';
import { RunStopped, type RunTools } from '../../client/execution.ts';
import { type RunResult, TransientError } from '../../client/run-outcome.ts';
import type { Clock } from '../../clock.ts';
import { classify, type Wording } from '../classify/classifier.ts';
import { plain } from '../terminal.ts';
import { Lines } from './lines.ts';
import { type Ending, ProcessGroup } from './process-group.ts';

export interface JobOptions {
  readonly command: readonly [string, ...string[]];
  /** Its BATON_TOKEN is kept out of the log. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** For standard input. */
  readonly input: string;
  /** Null: whatever is told, only a stop's own grace counts. */
  readonly graceMs: number | null;
  readonly resolution: 'done' | 'open';
  readonly wording: Wording | null;
  readonly clock: Clock;
}

/** A stop that grants no time (the run's authority is gone already) still gives the command time to clean up. */
const DEFAULT_GRACE_MS = 10_000;
/** What a command left behind in its group when it ended may take to end. */
const LEFTOVER_GRACE_MS = 2000;
/** A pipe that somebody outside the group holds open is let go when nothing has come for so long. */
const SILENT_MS = 1000;
/** What is kept of the output to say why it failed. */
const TAIL_CHARS = 64 * 1024;
/** The last line is shown with the issue, renewed no more often than this. */
const NOTE_EVERY_MS = 2000;

/** A command that failed: `code` becomes the run's errorCode. */
class CommandFailed extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.name = 'CommandFailed';
    this.code = code;
  }
}

/** @throws TransientError, CommandFailed, or the RunStopped of a closing worker */
export async function carryOut(options: JobOptions, tools: RunTools): Promise<RunResult> {
  const { clock, command, wording } = options;
  const group = new ProcessGroup(command, options, clock);
  const output = new Output(tools, clock, options.env.BATON_TOKEN ?? '');
  const pumping = [output.pump(group.stdout, 'stdout'), output.pump(group.stderr, 'stderr')];
  const stop = stopped(tools.signal);
  const first = await Promise.race([group.ended, stop.told]);
  const graceMs =
    first instanceof RunStopped
      ? (options.graceMs ?? (first.graceMs > 0 ? first.graceMs : DEFAULT_GRACE_MS))
      : LEFTOVER_GRACE_MS;
  await group.end(graceMs);
  stop.forget();
  const ending = await group.ended;
  const cancel = letGo(output, [group.stdout, group.stderr], clock);
  await Promise.all(pumping);
  cancel();
  // Also of a command that ends well when it is told to stop: what it has left undone, it does not say.
  if (first instanceof RunStopped) throw tools.signal.reason;
  if (ending.is === 'exited' && ending.code === 0) {
    return { resolution: options.resolution, result: { exitCode: 0 } };
  }
  throw failureOf(ending, output.tail, wording, clock, command[0]);
}

/** Pure but for the clock and the machine's time zone. */
function failureOf(
  ending: Ending,
  tail: string,
  wording: Wording | null,
  clock: Clock,
  command: string,
): Error {
  if (ending.is === 'not-started') {
    return new CommandFailed(`${command} could not be started (${ending.code}).`, 'command_not_started');
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const transient = wording && classify(tail, wording, { now: clock.now(), zone });
  if (transient !== null) {
    const { error, errorCode, retryNotBefore } = transient;
    return new TransientError(error, {
      errorCode,
      ...(retryNotBefore === null ? {} : { retryNotBefore: new Date(retryNotBefore) }),
    });
  }
  const [how, code] =
    ending.is === 'exited'
      ? [`exit code ${ending.code}`, `exit_${ending.code}`]
      : [`killed by ${ending.signal}`, ending.signal.toLowerCase()];
  const last = tail.trimEnd().split('\n').at(-1)?.trim() ?? '';
  if (last === '') return new CommandFailed(`${how}.`, code);
  // The code says which exit code it was.
  return new CommandFailed(ending.is === 'exited' ? last : `${how}: ${last}`, code);
}

function stopped(signal: AbortSignal): { told: Promise<RunStopped>; forget(): void } {
  let tell = () => {};
  const told = new Promise<RunStopped>((resolve) => {
    tell = () => {
      const { reason } = signal;
      resolve(reason instanceof RunStopped ? reason : new RunStopped(String(reason), 0));
    };
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  });
  return { told, forget: () => signal.removeEventListener('abort', tell) };
}

class Output {
  readonly #tools: RunTools;
  readonly #clock: Clock;
  readonly #secret: string;
  #notedAt = Number.NEGATIVE_INFINITY;
  #full = 0;
  /** The end of all that was printed. */
  tail = '';
  /** Monotonic time of the last sign of life of a stream. */
  heardAt = 0;

  constructor(tools: RunTools, clock: Clock, secret: string) {
    this.#tools = tools;
    this.#clock = clock;
    this.#secret = secret;
    this.heardAt = clock.monotonic();
  }

  /** True while it waits for the log rather than for the command. */
  get isFull(): boolean {
    return this.#full > 0;
  }

  /** Reads no faster than the log takes it: the pipe fills, the command waits. */
  async pump(stream: Readable, name: string): Promise<void> {
    const lines = new Lines(this.#secret);
    try {
      for await (const bytes of stream) {
        this.heardAt = this.#clock.monotonic();
        await this.#take(lines.push(bytes as Buffer), name);
      }
    } catch {
      // It was let go, or the pipe broke: what came before is logged.
    }
    await this.#take(lines.end(), name);
  }

  async #take(lines: readonly string[], stream: string): Promise<void> {
    for (const line of lines) {
      this.tail = `${this.tail}${line}\n`.slice(-TAIL_CHARS);
      this.#note(line);
      this.#full++;
      await this.#tools.log(line, stream);
      this.#full--;
      this.heardAt = this.#clock.monotonic();
    }
  }

  #note(line: string): void {
    const now = this.#clock.monotonic();
    if (line.trim() === '' || now - this.#notedAt < NOTE_EVERY_MS) return;
    this.#notedAt = now;
    this.#tools.note(plain(line.trim()));
  }
}

/** Destroys streams that stay open though the group is gone and nothing comes. */
function letGo(output: Output, streams: readonly Readable[], clock: Clock): () => void {
  let cancel = () => {};
  const look = () => {
    if (!output.isFull && clock.monotonic() - output.heardAt >= SILENT_MS) {
      for (const stream of streams) stream.destroy();
    } else cancel = clock.after(SILENT_MS / 4, look);
  };
  output.heardAt = clock.monotonic();
  look();
  return () => cancel();
}
