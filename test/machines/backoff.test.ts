/** The retry policy's numbers, exactly (domain.md section 3). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jittered, notBeforeOf, scheduleBoundedRetry } from '../../src/machines/backoff.ts';
import { DEFAULT_POLICY } from '../../src/machines/facts.ts';
import { retryReasonOf } from '../../src/machines/failure.ts';
import { fallbackMode } from '../../src/machines/fallback.ts';
import { isoOf, timeOf } from '../../src/machines/iso.ts';

const AT = 1_764_000_000_000;

function bounded(over: Partial<Parameters<typeof scheduleBoundedRetry>[0]> = {}) {
  return scheduleBoundedRetry({
    spent: 0,
    policy: DEFAULT_POLICY,
    reason: 'transient_failure',
    at: AT,
    u: 0.5,
    retryNotBefore: null,
    fallback: () => null,
    hurry: false,
    ...over,
  });
}

describe('the ladder', () => {
  it.each([
    [0, 120_000],
    [1, 600_000],
    [2, 1_800_000],
    [3, 7_200_000],
  ])('with %i attempts spent and u = 0.5 waits exactly %i ms', (spent, ms) => {
    expect(bounded({ spent })).toMatchObject({
      outcome: 'scheduled',
      attempt: spent + 1,
      maxAttempts: 4,
      dueAt: AT + ms,
    });
  });

  it('is exhausted at the fifth attempt', () => {
    expect(bounded({ spent: 4 })).toEqual({
      outcome: 'retry_exhausted',
      attempt: 5,
      maxAttempts: 4,
      reason: 'transient_failure',
    });
  });

  it('jitters to three quarters at u = 0 and five quarters at u = 1', () => {
    expect(jittered(120_000, 0.25, 0)).toBe(90_000);
    expect(jittered(120_000, 0.25, 1)).toBe(150_000);
  });

  it('never falls below a second unless the base does', () => {
    expect(jittered(1_100, 1, 0)).toBe(1_000);
    expect(jittered(300, 1, 0)).toBe(300);
    expect(jittered(0, 1, 1)).toBe(0);
  });

  it('stays within its bounds, in whole milliseconds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 * 86_400_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (base, ratio, u) => {
          const ms = jittered(base, ratio, u);
          expect(Number.isInteger(ms)).toBe(true);
          expect(ms).toBeGreaterThanOrEqual(
            Math.max(Math.min(1000, base), Math.round(base * (1 - ratio)) - 1),
          );
          expect(ms).toBeLessThanOrEqual(Math.max(Math.min(1000, base), Math.round(base * (1 + ratio)) + 1));
        },
      ),
    );
  });
});

describe('retryNotBefore', () => {
  it.each([
    ['ms', { retryNotBefore: AT }, AT],
    ['fractions of a ms, rounded up', { retryNotBefore: AT + 0.2 }, AT + 1],
    ['ISO with Z', { retryNotBefore: '2025-11-24T16:00:00.000Z' }, AT],
    ['ISO without seconds', { retryNotBefore: '2025-11-24T16:00Z' }, AT],
    ['ISO with an offset', { retryNotBefore: '2025-11-24T18:00:00+02:00' }, AT],
    ['ISO with a bare offset', { retryNotBefore: '2025-11-24 17:30:00+0130' }, AT],
    ['ISO without an offset: UTC on every node', { retryNotBefore: '2025-11-24T16:00:00' }, AT],
    ['a date', { retryNotBefore: '2025-11-24' }, Date.parse('2025-11-24T00:00:00Z')],
    ['its other name', { transientRetryNotBefore: AT }, AT],
    ['the first of two', { retryNotBefore: AT, transientRetryNotBefore: 1 }, AT],
    [
      'the second where the first does not parse',
      { retryNotBefore: 'soon', transientRetryNotBefore: AT },
      AT,
    ],
  ])('is read as %s', (_, resultJson, at) => {
    expect(notBeforeOf(resultJson)).toBe(at);
  });

  it.each([
    undefined,
    null,
    'x',
    7,
    [],
    {},
    { retryNotBefore: null },
    { retryNotBefore: 'tomorrow' },
    { retryNotBefore: '1' },
    { retryNotBefore: '2025-13-40T00:00:00Z' },
    { retryNotBefore: -5 },
    { retryNotBefore: 0 },
    { retryNotBefore: Number.NaN },
    { retryNotBefore: 1e300 },
    { retryNotBefore: { at: 1 } },
  ])('is ignored as %j', (resultJson) => {
    expect(notBeforeOf(resultJson)).toBeNull();
  });

  it('can only push later', () => {
    expect(bounded({ retryNotBefore: AT + 1 })).toMatchObject({
      dueAt: AT + 120_000,
      retryNotBefore: AT + 1,
    });
    expect(bounded({ retryNotBefore: AT + 120_001 })).toMatchObject({ dueAt: AT + 120_001 });
    expect(bounded({ retryNotBefore: AT - 1, hurry: true })).toMatchObject({ dueAt: AT });
    expect(bounded({ retryNotBefore: AT + 9, hurry: true })).toMatchObject({ dueAt: AT + 9 });
  });

  it('is written as Date writes it, and read back the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), (ms) => {
        expect(isoOf(ms)).toBe(new Date(ms).toISOString());
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 253_402_300_799_999 }), (ms) => {
        expect(timeOf(isoOf(ms))).toBe(ms);
      }),
    );
  });
});

describe('the Codex ladder', () => {
  const modes = [1, 2, 3, 4, 5].map((attempt) => fallbackMode('codex_local', true, attempt));
  it('has four rungs and stays on the last', () => {
    expect(modes).toEqual([
      'same_session',
      'safer_invocation',
      'fresh_session',
      'fresh_session_safer_invocation',
      'fresh_session_safer_invocation',
    ]);
  });
  it('is for codex_local after transient failures only', () => {
    expect(fallbackMode('claude_local', true, 1)).toBeNull();
    expect(fallbackMode('process', true, 1)).toBeNull();
    expect(fallbackMode('codex_local', false, 1)).toBeNull();
  });
});

describe('which failures are retried', () => {
  it.each([
    [{ errorFamily: 'transient_upstream' }, 'transient_failure'],
    [{ errorCode: 'codex_transient_upstream' }, 'transient_failure'],
    [{ errorCode: 'claude_transient_upstream' }, 'transient_failure'],
    [{ errorCode: 'claude_transient_upstream', errorFamily: 'other' }, 'transient_failure'],
    [{ errorCode: 'process_lost', errorFamily: 'transient_upstream' }, 'transient_failure'],
    [{ errorCode: 'process_lost' }, 'process_lost'],
    [{ errorCode: 'lease_expired' }, 'process_lost'],
    [{ errorCode: 'exit_1' }, null],
    [{ errorFamily: 'auth' }, null],
    [{}, null],
  ])('%j: %s', (failure, reason) => {
    expect(retryReasonOf(failure)).toBe(reason);
  });
});
