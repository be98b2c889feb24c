/** The process behind `baton`: streams, signals, the exit code. bin/baton.mjs imports it; nothing else does. */
import { systemClock, systemRandom } from '../clock.ts';
import { COMMANDS } from './commands.ts';
import { INTERRUPTED } from './failure.ts';
import { isOfNpx, whenOrphaned } from './npx.ts';
import { run } from './run.ts';
import { later } from './waits.ts';

/** Under `npm start` a Ctrl-C arrives twice, from the terminal and from npm: so soon it is not somebody's second word. */
const ECHO_MS = 1000;
/** What is still done after the second word takes no longer. */
const LAST_MS = 1000;

const interrupt = new AbortController();
const clock = systemClock();
let interruptedAt = 0;
const lasts: (() => Promise<unknown>)[] = [];
let isEnding = false;
/**
 * A server's terminal may be closed under it (a window, a lost ssh): that is a word to stop, and its database with it. Every
 * other command ends with its terminal, as commands do.
 */
const ends: readonly NodeJS.Signals[] =
  process.argv[2] === 'start' ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM'];
for (const name of ends) {
  process.on(name, () => {
    // The second one means: at once. What was promised is in the database; the rest is repeated after a restart.
    if (interrupt.signal.aborted) {
      if (clock.monotonic() - interruptedAt > ECHO_MS) void endNow();
      return;
    }
    interruptedAt = clock.monotonic();
    interrupt.abort(name);
  });
}

/** The second word. It may echo as well. */
async function endNow(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  if (lasts.length > 0) {
    await Promise.race([undoAll(), later(clock, LAST_MS)]);
  }
  process.exit(INTERRUPTED);
}

/** What was set up last is undone first: a run is given back by the key that is revoked next. */
async function undoAll(): Promise<void> {
  for (const last of lasts.reverse()) await last().catch(() => {});
}

if (isOfNpx(process.env)) {
  whenOrphaned(
    clock,
    () => process.ppid,
    () => interrupt.abort('SIGTERM'),
  );
}
const closed = (error: NodeJS.ErrnoException) => {
  // The terminal is gone: what is said from now on nobody reads, what is to be done is done all the same.
  if (error.code === 'EIO' && ends.includes('SIGHUP')) return interrupt.abort('SIGHUP');
  // The reader has seen enough (`baton issues | head`).
  process.exit(error.code === 'EPIPE' ? 0 : 1);
};
process.stdout.on('error', closed);
process.stderr.on('error', closed);

const code = await run(process.argv.slice(2), COMMANDS, {
  out: process.stdout,
  err: process.stderr,
  stdin: () => process.stdin,
  env: process.env,
  cwd: process.cwd(),
  clock,
  random: systemRandom(),
  signal: interrupt.signal,
  beforeExit: (last) => lasts.push(last),
});
// Told to end at once meanwhile: what ends then has its own exit code, and is not cut off by this one.
if (isEnding) await new Promise<never>(() => {});
// Not process.exit at once: it would cut off what a pipe has not taken yet.
process.exitCode = code;
if (process.stdout.writableLength > 0) await new Promise((resolve) => process.stdout.once('drain', resolve));
process.exit(code);
