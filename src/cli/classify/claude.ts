/**
 * What Claude Code says when a limit or trouble upstream ends it. Wordings as reported in the public issues of
 * anthropics/claude-code: the epoch form (#2087, #9046), limits with a reset time (#14495, #12789, #19472, #92834), the
 * API's spend limit (#38035), 429 and 529 (#7218, #39745, #87317), timeouts and lost connections (#2919).
 */
import { HTTP_TRANSIENT, type Wording } from './classifier.ts';

export const CLAUDE: Wording = {
  errorCode: 'claude_transient_upstream',
  transient: [
    /\busage limit reached\b/i,
    /\b(?:hit|reached) your (?:[\w-]+ ){0,2}limit\b/i,
    /\b(?:5-hour|five-hour|hourly|session|daily|weekly|opus|sonnet|fable)(?: \w+)? limit reached\b/i,
    /\blimit reached\b.{0,5}\bresets\b/i,
    /\breached your specified api usage limits\b/i,
    /\b529\b.{0,200}\boverloaded\b|\brepeated 529\b/i,
    /\bAPI Error\b.{0,20}\b(?:Overloaded|Request timed out|Connection error|Internal server error)\b/i,
    /\bwould exceed your (?:account|organization)['’]s rate limit\b/i,
    ...HTTP_TRANSIENT,
  ],
  never: [
    /\bcredit balance is too low\b/i,
    /\b(?:invalid api key|please run \/login|oauth token has expired)\b/i,
  ],
};
