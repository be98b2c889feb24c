/**
 * Where things are on the drawing of the issue machine. Made from the chart; do not edit. After a change of the chart:
 * `npx vitest run test/gateway/issue-layout.test.ts -u`.
 */
import type { Laid } from './machine-layout.ts';

export const ISSUE_LAYOUT: Laid = {
  hash: 'a72fca229fef4fa9e4b435baf270f456cc0a5c45d0ddc85583fc610cbe9cf14d',
  width: 1592,
  height: 617,
  boxes: [
    'idle 8 47 164 50',
    'running 389 170 543 246',
    'running.queued 405 226 164 50',
    'running.stopping 722 219 164 50',
    'running.executing 722 289 164 50',
    'scheduled-retry 1120 310 164 50',
    'cancelled 1420 395 164 50',
    'done 1420 186 164 50',
  ],
  arrows: [
    'idle running.queued 172,80 204,80 204,246 405,246 251,251',
    'idle cancelled 172,86 194,86 194,543 1398,543 1398,431 1420,431 1017,519',
    'idle done 172,53 184,53 184,32 1408,32 1408,193 1420,193 1010,8',
    'running idle 932,279 949,279 949,158 372,158 372,164 214,164 214,75 172,75 226,169',
    'running cancelled 932,349 949,349 949,416 1420,416 1176,421',
    'running done 932,319 979,319 979,265 1388,265 1388,222 1420,222 1169,270',
    'running.queued running.executing 569,256 589,256 589,306 722,306 628,284',
    'running.queued running.stopping 569,236 722,236 625,214',
    'running.stopping running.queued 722,253 712,253 712,247 579,247 579,246 569,246 625,250',
    'running.executing running.queued 722,323 712,323 712,317 579,317 579,266 569,266 599,320',
    'running.executing done 886,309 937,309 969,309 969,215 1420,215 1151,220',
    'running.executing idle 886,299 937,299 959,299 959,138 362,138 362,69 172,69 226,74',
    'running.executing scheduled-retry 886,319 906,319 906,329 937,329 1106,329 1106,335 1120,335 991,334',
    'running.executing cancelled 886,329 896,329 896,339 937,339 959,339 959,381 1388,381 1388,409 1420,409 1176,386',
    'scheduled-retry running.queued 1120,348 1106,348 1106,436 372,436 372,266 405,266 624,441',
    'scheduled-retry idle 1120,323 1106,323 1106,110 949,110 949,56 204,56 204,64 172,64 599,61',
    'scheduled-retry cancelled 1284,343 1398,343 1398,402 1420,402 1317,348',
    'scheduled-retry done 1284,327 1296,327 1296,278 1398,278 1398,229 1420,229 1310,283',
    'cancelled running.queued 1420,424 1388,424 1388,454 949,454 949,533 362,533 362,256 405,256 1013,459',
    'cancelled idle 1420,438 1408,438 1408,554 184,554 184,91 172,91 1013,559',
    'done running.queued 1420,207 1388,207 1388,148 362,148 362,236 405,236 1013,153',
    'done idle 1420,200 1398,200 1398,43 194,43 194,58 172,58 1013,48',
  ],
};
