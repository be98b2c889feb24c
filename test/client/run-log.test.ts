import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../src/client/http.ts';
import { RemoteError } from '../../src/client/remote-error.ts';
import { RunLog } from '../../src/client/run-log.ts';
import { ManualClock, steadyChance } from './manual-clock.ts';

/** A log whose chunks the test takes one by one, or refuses. */
function logged() {
  const clock = new ManualClock();
  const chunks: (readonly LogLine[])[] = [];
  const answers: ((error?: Error) => void)[] = [];
  const keys: string[] = [];
  const send = (lines: readonly LogLine[], key: string) => {
    chunks.push(lines);
    keys.push(key);
    return new Promise<void>((resolve, reject) => {
      answers.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  };
  const log = new RunLog(send, clock, steadyChance(0.5));
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const texts = () => chunks.flat().map(({ text }) => text);
  const answer = async (error?: Error) => {
    answers.shift()?.(error);
    await settle();
  };
  const answerAll = async () => {
    while (answers.length > 0) await answer();
  };
  return { clock, chunks, keys, log, texts, settle, answer, answerAll };
}

describe('the log of a run', () => {
  it('is sent in chunks that fit a request, one at a time and in order', async () => {
    const { log, chunks, answer, texts } = logged();
    const lines = Array.from({ length: 1200 }, (_, n) => `line ${n}`);
    for (const line of lines) await log.add(line, 'stdout');
    expect(chunks.length).toBe(1);
    const ended = log.end();
    for (let n = 0; n < 3; n++) await answer();
    await ended;
    expect(chunks.map((c) => c.length)).toEqual([500, 500, 200]);
    expect(texts()).toEqual(lines);
  });
  it('keeps every chunk below the limit of a body, whatever the text needs in JSON', async () => {
    const { log, chunks, answerAll, settle } = logged();
    for (let n = 0; n < 8; n++) void log.add('\x1b'.repeat(8192), 'stdout');
    const ended = log.end();
    await settle();
    await answerAll();
    await ended;
    expect(chunks.flat()).toHaveLength(8);
    for (const chunk of chunks) expect(JSON.stringify(chunk).length).toBeLessThan(200 * 1024);
  });
  it('lets the run wait when it prints faster than the server takes it, and go on afterwards', async () => {
    const { log, answer } = logged();
    const went: number[] = [];
    const printing = (async () => {
      for (let n = 0; n < 80; n++) {
        await log.add('x'.repeat(8192), 'stdout');
        went.push(n);
      }
    })();
    await new Promise((resolve) => setImmediate(resolve));
    const held = went.length;
    expect(held).toBeLessThan(80);
    for (let n = 0; n < 8; n++) await answer();
    await printing;
    expect(went).toHaveLength(80);
  });
  it('loses lines of who does not wait rather than memory, and says how many', async () => {
    const { log, answerAll, texts, settle } = logged();
    for (let n = 0; n < 100; n++) void log.add('x'.repeat(8192), 'stdout');
    const ended = log.end();
    await settle();
    await answerAll();
    await ended;
    const kept = texts().filter((t) => t.startsWith('x')).length;
    expect(kept).toBeLessThan(85);
    expect(texts().at(-1)).toBe(
      `[${100 - kept} lines of this log were lost: the server did not take them in time]`,
    );
  });
  it('tries a chunk again when the server is away for a moment', async () => {
    const { log, answer, settle, texts, clock } = logged();
    void log.add('kept', 'stdout');
    const ended = log.end();
    await answer(new RemoteError('UNAVAILABLE', 'away'));
    clock.advance(60_000);
    await settle();
    await answer();
    await ended;
    expect(texts()).toEqual(['kept', 'kept']);
  });
  it('sends a chunk again under its own key, and the next under another', async () => {
    const { log, answer, settle, keys, clock } = logged();
    void log.add('one', 'stdout');
    const ended = log.end();
    await answer(new RemoteError('UNAVAILABLE', 'was it stored?'));
    clock.advance(60_000);
    await settle();
    void log.add('two', 'stdout');
    await answer();
    await answer();
    await ended;
    expect(keys).toHaveLength(3);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });
  it('ends when the run has lost its authority', async () => {
    const { log, answer, chunks } = logged();
    void log.add('one', 'stdout');
    const ended = log.end();
    await answer(new RemoteError('FENCED', 'over'));
    await ended;
    await log.add('two', 'stdout');
    await log.end();
    expect(chunks).toHaveLength(1);
  });
  it('keeps control characters as data, and what the protocol cannot carry as a visible sign', async () => {
    const { log, answer, texts } = logged();
    void log.add('\x1b[31mred\x07 a\0b \ud800 😀', 'stdout');
    void log.add('', 'stderr');
    const ended = log.end();
    await answer();
    await ended;
    expect(texts()).toEqual(['\x1b[31mred\x07 a␀b \ufffd 😀', '']);
  });
});
