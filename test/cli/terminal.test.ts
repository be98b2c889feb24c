import { describe, expect, it } from 'vitest';
import { logOf } from '../../src/cli/log.ts';
import { progress, progressing } from '../../src/cli/progress.ts';
import { table } from '../../src/cli/table.ts';
import { paint, plain, type Sink, terminalOf } from '../../src/cli/terminal.ts';
import type { Clock } from '../../src/clock.ts';

function sink(isTTY: boolean, columns = 80): Sink & { text: string } {
  return {
    isTTY,
    columns,
    text: '',
    write(t: string) {
      this.text += t;
    },
  };
}
const loud = { json: false, quiet: false };

describe('output', () => {
  it('is JSON where it is piped, and tables on a terminal', () => {
    expect(terminalOf(sink(false), sink(true), {}, loud).json).toBe(true);
    expect(terminalOf(sink(true), sink(true), {}, loud).json).toBe(false);
    expect(terminalOf(sink(true), sink(true), {}, { json: true, quiet: false }).json).toBe(true);
  });
  it('has colours on a terminal only, and none with NO_COLOR', () => {
    expect(paint(terminalOf(sink(true), sink(true), {}, loud), 'red', 'x')).toBe('\x1b[31mx\x1b[0m');
    expect(paint(terminalOf(sink(true), sink(true), { NO_COLOR: '1' }, loud), 'red', 'x')).toBe('x');
    expect(paint(terminalOf(sink(false), sink(true), {}, loud), 'red', 'x')).toBe('x');
  });
  it('shows hostile text without letting it act', () => {
    expect(plain('a\x1b[2Jb\r\n\u202ec\x07')).toBe('a�[2Jb���c�');
    expect(plain('Grüße 日本 🙂')).toBe('Grüße 日本 🙂');
  });
});

describe('the log on a terminal', () => {
  it('shows hostile text without letting it act, with line breaks where a stack has them', () => {
    const err = sink(true);
    const log = logOf('info', terminalOf(sink(true), err, { NO_COLOR: '1' }, loud));
    log.warn({ why: '\x1b[2J\x9b2J' }, 'title \x1b]0;owned\x07\u202e end\nnext');
    expect(err.text).toContain('title �]0;owned�� end\nnext');
    log.warn('a backslash: \\u001b and one before it: \\\x1b');
    expect(err.text).toContain('a backslash: \\u001b and one before it: \\�');
    for (const acting of ['\x1b', '\x07', '\x9b', '\u202e']) expect(err.text).not.toContain(acting);
  });
});

describe('the log', () => {
  it.each([
    [true, true, /^\[\d\d:\d\d:\d\d\] .*INFO.*: ready\n$/],
    [true, false, /^\{"level":30,"time":\d+,.*"msg":"ready"\}\n$/],
    [false, true, /^\{"level":30,.*"msg":"ready"\}\n$/],
    [false, false, /^\{"level":30,.*"msg":"ready"\}\n$/],
  ])(
    'is pretty only where a person reads all of it (stdout a terminal: %s, stderr: %s)',
    (out, err, text) => {
      const there = sink(err);
      logOf('info', terminalOf(sink(out), there, { NO_COLOR: '1' }, loud)).info('ready');
      expect(there.text).toMatch(text);
    },
  );
});

describe('a table', () => {
  it('lines its columns up and cuts the flexible one to the terminal', () => {
    const terminal = terminalOf(sink(true, 24), sink(true), { NO_COLOR: '1' }, loud);
    const text = table(
      terminal,
      [{ head: 'ID' }, { head: 'TITLE', flexible: true }, { head: 'N', align: 'right' }],
      [
        ['A-1', 'a title that is too long', '7'],
        ['A-22', 'short', '12'],
      ],
    );
    expect(text.split('\n')).toEqual([
      'ID    TITLE            N',
      'A-1   a title that …   7',
      'A-22  short           12',
      '',
    ]);
  });
  it('cuts the widest first, so that a long reason does not eat a short title', () => {
    const terminal = terminalOf(sink(true, 24), sink(true), { NO_COLOR: '1' }, loud);
    const columns = [
      { head: 'TITLE', flexible: true },
      { head: 'WHY', flexible: true },
    ];
    const [, row] = table(terminal, columns, [['Fix login', 'Its worker has not been heard of']]).split('\n');
    expect(row).toBe('Fix login  Its worker h…');
  });
});

describe('a table too wide for its terminal', () => {
  const columns = [
    { head: 'ISSUE' },
    { head: 'TITLE', flexible: true },
    { head: 'PRIORITY', optional: true },
    { head: 'WHY', flexible: true },
  ];
  const row = [
    'ACME-1',
    'The printer on the third floor',
    'medium',
    'Waits for a slot of agent checker (2 of 2)',
  ];
  const shown = (width: number, of = row) => {
    const terminal = terminalOf(sink(true, width), sink(true), { NO_COLOR: '1' }, loud);
    return table(terminal, columns, [of]).split('\n')[1];
  };

  it('shares what there is among its long texts', () => {
    expect(shown(80)).toBe(
      'ACME-1  The printer on the third floor  medium    Waits for a slot of agent che…',
    );
    expect(shown(70)).toBe('ACME-1  The printer on the third…  medium    Waits for a slot of agen…');
    expect(shown(70)).toHaveLength(70);
  });
  it('leaves out what may be missing before a text says nothing any more', () => {
    expect(shown(50)).toBe('ACME-1  The printer on the …  Waits for a slot of…');
    expect(shown(50, ['ACME-1', 'Short', 'medium', 'Why not'])).toBe('ACME-1  Short  medium    Why not');
  });
});

describe('a progress bar', () => {
  const clockAt = (now: { ms: number }) => ({ monotonic: () => now.ms }) as Clock;
  it('is drawn after a second, on a terminal, on stderr', () => {
    const now = { ms: 0 };
    const err = sink(true);
    const bar = progress(terminalOf(sink(true), err, {}, loud), clockAt(now), 'playing', 10);
    now.ms = 900;
    bar.at(3);
    expect(err.text).toBe('');
    now.ms = 1100;
    bar.at(5);
    expect(err.text).toContain('50 %');
    bar.end();
    expect(err.text.endsWith('\r\x1b[K')).toBe(true);
  });
  it('is gone when what it shows was interrupted', async () => {
    const now = { ms: 0 };
    const err = sink(true);
    const terminal = terminalOf(sink(true), err, { NO_COLOR: '1' }, loud);
    const interrupted = progressing({ terminal, clock: clockAt(now) }, 'playing', 10, async (bar) => {
      now.ms = 2000;
      bar.at(3);
      throw new Error('interrupted');
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    expect(err.text).toContain('30 %');
    expect(err.text.endsWith('\r\x1b[K')).toBe(true);
  });
  it('is never drawn into a pipe', () => {
    const now = { ms: 0 };
    const err = sink(false);
    const bar = progress(terminalOf(sink(true), err, {}, loud), clockAt(now), 'playing', 10);
    now.ms = 5000;
    bar.at(5);
    bar.end();
    expect(err.text).toBe('');
  });
});
