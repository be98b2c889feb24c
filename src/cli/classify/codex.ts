/**
 * What Codex says when an upstream limit or trouble ends it. Wordings as reported in the public issues of openai/codex:
 * usage limits (#3899, #26668, #28089), retries used up (#26057), rate limits within a stream (#3764, #10055), capacity
 * (#44475), broken streams (#45949).
 */
import { HTTP_TRANSIENT, type Wording } from './classifier.ts';

export const CODEX: Wording = {
  errorCode: 'codex_transient_upstream',
  transient: [
    /\bhit your usage limit\b/i,
    /\busage[ _]limit[ _](?:has been )?(?:reached|exceeded)\b|\busageLimitExceeded\b/i,
    /\brate limit (?:is exceeded|reached|exceeded)\b/i,
    /\bout of codex messages\b/i,
    /\b(?:selected )?model is (?:currently )?(?:at capacity|overloaded)\b/i,
    /\bstream disconnected before completion\b/i,
    /\bwe['’]re currently experiencing high demand\b/i,
    ...HTTP_TRANSIENT,
  ],
  never: [
    /\binsufficient_quota\b|\bexceeded your current quota\b/i,
    /\bout of credits\b/i,
    /\blast status: 4(?:0[0-7]|1\d)\b/i,
  ],
};
