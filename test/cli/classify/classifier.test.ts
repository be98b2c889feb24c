import { describe, expect, it } from 'vitest';
import { classify } from '../../../src/cli/classify/classifier.ts';
import { CLAUDE } from '../../../src/cli/classify/claude.ts';
import { CODEX } from '../../../src/cli/classify/codex.ts';

const AT = { now: Date.parse('2026-09-30T10:00:00Z'), zone: 'Europe/Madrid' };
const codex = (text: string) => classify(text, CODEX, AT);
const claude = (text: string) => classify(text, CLAUDE, AT);
const iso = (at: number | null | undefined) =>
  at === null || at === undefined ? at : new Date(at).toISOString();

describe('Codex', () => {
  it.each([
    [
      "■ You've hit your usage limit. Upgrade to Pro (https://openai.com/chatgpt/pricing) or try again in 5 days 22 hours 11\nminutes.",
      '2026-10-06T08:11:00.000Z',
    ],
    [
      "ERROR: You've hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit https://chatgpt.com/codex/settings/usage to purchase more credits or try again at Oct 7th, 2026 12:25 PM.",
      '2026-10-07T10:25:00.000Z',
    ],
    [
      "You've hit your usage limit for GPT-5.3-Codex-Spark. Switch to another model now, or try again at 3:45 PM.",
      '2026-09-30T13:45:00.000Z',
    ],
    [
      'You’ve hit your usage limit. Upgrade your plan to continue, or try again at 10 de jul. de 2026, 11:52.',
      null,
    ],
    ['exceeded retry limit, last status: 429 Too Many Requests, request id: 9c84b52ce87fbe62-SJC', null],
    ['exceeded retry limit, last status: 429 Too Many\nRequests, request id: 9c66e0ba2a41ff81-SIN', null],
    ['unexpected status 503 Service Unavailable: upstream connect error', null],
    [
      '■ stream disconnected before completion: Rate limit is exceeded. Try again in 11 seconds.',
      '2026-09-30T10:00:11.000Z',
    ],
    [
      'stream disconnected before completion: Rate limit reached for organization org-x on tokens per min (TPM): Limit 250000, Used 250000, Requested 58487.\n    Please try again in 14.036s. Visit https://platform.openai.com/account/rate-limits to learn more.',
      '2026-09-30T10:00:14.036Z',
    ],
    ['Selected model is at capacity. Please try a different model.', null],
    [
      '{"type":"turn.failed","error":{"message":"You\\u2019ve hit your usage limit. Visit https://chatgpt.com/settings/usage to purchase more credits or try again at 3:45 PM."}}',
      '2026-09-30T13:45:00.000Z',
    ],
    [
      '{"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","plan_type":"free","resets_at":1790800000}}',
      '2026-09-30T20:26:40.000Z',
    ],
  ])('passes: %s', (text, until) => {
    expect(codex(text)).toMatchObject({
      errorFamily: 'transient_upstream',
      errorCode: 'codex_transient_upstream',
    });
    expect(iso(codex(text)?.retryNotBefore)).toBe(until);
  });

  it.each([
    'exceeded retry limit, last status: 401 Unauthorized',
    'Quota exceeded. Check your plan and billing details. insufficient_quota',
    'Your workspace is out of credits. Add credits to continue.',
    'error: unexpected argument --foo',
    'test result: FAILED. 429 passed; 1 failed',
    'assertion failed: left 503, right 200',
    '{"type":"item.completed","item":{"type":"agent_message","text":"I retry when it says: You\'ve hit your usage limit"}}',
    '',
  ])('does not pass: %s', (text) => {
    expect(codex(text)).toBeNull();
  });
});

describe('Claude Code', () => {
  it.each([
    ['Claude AI usage limit reached|1790766000', '2026-09-30T11:00:00.000Z'],
    ["You've hit your limit · resets 3pm (Europe/Madrid)", '2026-09-30T13:00:00.000Z'],
    ["You've hit your session limit · resets 3pm (America/Bogota)", '2026-09-30T20:00:00.000Z'],
    ["You've hit your weekly limit · resets Oct 5 at 9am", '2026-10-05T07:00:00.000Z'],
    [
      '5-hour limit reached ∙ resets 3pm\n     /upgrade to increase your usage limit.',
      '2026-09-30T13:00:00.000Z',
    ],
    [
      '  ⎿  Limit reached · resets 5pm (Etc/Unknown) · /upgrade to Max or turn on /extra-usage',
      '2026-09-30T15:00:00.000Z',
    ],
    ['Weekly limit reached · resets 10am (Asia/Seoul) · /upgrade to Max', '2026-10-01T01:00:00.000Z'],
    ['Claude usage limit reached. Your limit will reset at 1pm (Etc/GMT+5).', '2026-09-30T18:00:00.000Z'],
    [
      'API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded.\nhttps://docs.claude.com/en/api/errors"},"request_id":"req_011CZTEFvft13DajMTp9pp64"}',
      null,
    ],
    [
      'API Error: 529 Overloaded. This is a server-side issue, usually temporary — try again\n     in a moment. If it persists, check status.claude.com.',
      null,
    ],
    ['API Error: Repeated 529 Overloaded errors', null],
    ['API Error (Request timed out.) · Retrying in 8 seconds… (attempt 5/10)', '2026-09-30T10:00:08.000Z'],
    [
      `Error: 429 {"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit. Please try again later."}}`,
      null,
    ],
    [
      '{"type":"result","subtype":"success","is_error":true,"result":"You\'ve hit your limit \\u00b7 resets 3pm (Europe/Madrid)"}',
      '2026-09-30T13:00:00.000Z',
    ],
    [
      '400 {"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-10-01 at 00:00 UTC."}}',
      '2026-10-01T00:00:00.000Z',
    ],
    ['\x1b[31mAPI Error\x1b[0m: \x1b[1m503\x1b[0m Service Unavailable', null],
  ])('passes: %s', (text, until) => {
    expect(claude(text)).toMatchObject({
      errorFamily: 'transient_upstream',
      errorCode: 'claude_transient_upstream',
    });
    expect(iso(claude(text)?.retryNotBefore)).toBe(until);
  });

  it.each([
    'Invalid API key · Please run /login',
    'Credit balance is too low',
    'Error: max turns reached',
    'API Error: 400 {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}',
    'the rate limiter in worker.js is wrong',
    '{"type":"assistant","message":{"content":[{"type":"text","text":"API Error: 529 Overloaded is handled now"}]}}',
  ])('does not pass: %s', (text) => {
    expect(claude(text)).toBeNull();
  });

  it('the last word counts, not one long before it', () => {
    const early = "You've hit your limit · resets 3pm (Europe/Madrid)\n";
    expect(claude(`${early}Credit balance is too low`)).toBeNull();
    expect(claude(early + 'compiling…\n'.repeat(100))).toBeNull();
    expect(iso(claude(`${early}You've hit your limit · resets 5pm (Europe/Madrid)`)?.retryNotBefore)).toBe(
      '2026-09-30T15:00:00.000Z',
    );
  });

  it('a very long line without a match is read in a moment', () => {
    expect(claude(`${'x try again in '.repeat(200_000)}`)).toBeNull();
  });
});
