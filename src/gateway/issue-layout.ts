/**
 * Where things are on the drawing of the issue machine. Made from the chart; do not edit. After a change of the chart:
 * `npx vitest run test/gateway/issue-layout.test.ts -u`.
 */
import type { Laid } from './machine-layout.ts';

export const ISSUE_LAYOUT: Laid = {
  hash: 'a72fca229fef4fa9e4b435baf270f456cc0a5c45d0ddc85583fc610cbe9cf14d',
  width: 862,
  height: 874,
  boxes: [
    'idle 441 8 148 50',
    'running 236 225 370 304',
    'running.queued 272 269 148 50',
    'running.stopping 442 443 148 50',
    'running.executing 252 443 148 50',
    'scheduled-retry 313 678 148 50',
    'cancelled 143 816 148 50',
    'done 595 816 148 50',
  ],
  arrows: [
    'idle running.queued 490,58 490,90 361,90 361,220 361,269 288,112',
    'idle cancelled 457,58 457,70 61,70 61,804 164,804 164,816 8,612',
    'idle done 556,58 556,80 783,80 783,784 701,784 701,816 717,612',
    'running idle 361,529 361,556 638,556 638,100 523,100 523,58 518,126',
    'running cancelled 292,529 292,784 249,784 249,816 239,694',
    'running done 351,529 351,566 608,566 608,666 658,666 658,816 592,694',
    'running.queued running.executing 301,319 301,443 257,377',
    'running.queued running.stopping 361,319 361,339 491,339 491,443 440,377',
    'running.stopping running.queued 540,443 540,433 502,433 502,329 390,329 390,319 505,377',
    'running.executing running.queued 351,443 351,433 331,433 331,319 334,349',
    'running.executing done 341,493 341,534 341,576 581,576 581,784 637,784 637,816 481,687',
    'running.executing idle 370,493 370,503 371,503 371,534 371,546 628,546 628,198 507,198 507,58 387,112',
    'running.executing scheduled-retry 311,493 311,534 311,586 405,586 405,656 387,656 387,678 305,605',
    'running.executing cancelled 282,493 282,534 282,546 228,546 228,816 175,694',
    'scheduled-retry running.queued 350,678 350,666 144,666 144,546 158,546 158,198 331,198 331,220 331,269 85,340',
    'scheduled-retry idle 424,678 424,656 704,656 704,546 770,546 770,90 540,90 540,58 650,347',
    'scheduled-retry cancelled 362,728 362,740 358,740 358,794 270,794 270,816 305,754',
    'scheduled-retry done 412,728 412,740 435,740 435,794 616,794 616,816 369,754',
    'cancelled running.queued 206,816 206,784 162,784 162,656 215,656 215,208 301,208 301,220 301,269 156,598',
    'cancelled idle 185,816 185,794 72,794 72,80 474,80 474,58 77,598',
    'done running.queued 680,816 680,566 618,566 618,208 390,208 390,220 390,269 621,598',
    'done idle 722,816 722,794 794,794 794,70 573,70 573,58 799,598',
  ],
};
