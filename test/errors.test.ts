/** The registry of error codes and the table that people read must say the same (docs/protocol.md, section 7). */
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../src/errors.ts';
import { sectionOf, tableOf, textOfFile } from './support/markdown.ts';

const table = tableOf(sectionOf(textOfFile('docs/protocol.md'), '## 7. '));
const documented = table.map(([code, status, retryable, exit]) => ({
  code: code!.replaceAll('`', ''),
  status: Number(status),
  retryable: retryable === 'yes',
  exit: Number(exit),
}));

describe('error codes', () => {
  it('are the same in code and in docs/protocol.md: code, status, retryable, exit code', () => {
    const registered = Object.entries(ERRORS).map(([code, { status, retryable, exit }]) => ({
      code,
      status,
      retryable,
      exit,
    }));
    expect(documented).toEqual(registered);
  });

  it('each have a paragraph in the troubleshooting of the README', () => {
    const rows = tableOf(sectionOf(textOfFile('README.md'), '## Troubleshooting'));
    expect(rows.map(([code]) => code!.replaceAll('`', ''))).toEqual(Object.keys(ERRORS));
  });

  it('have a title and a hint that is a sentence, and what may be sent again has a 4xx or 503 status', () => {
    for (const [code, kind] of Object.entries(ERRORS)) {
      expect(kind.title, code).not.toBe('');
      expect(kind.hint, code).toMatch(/^[A-Z].*\.$/);
      if (kind.retryable) expect([429, 503], code).toContain(kind.status);
    }
  });
});
