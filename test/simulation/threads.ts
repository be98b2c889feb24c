/**
 * Histories on several threads: each is asked for a few seeds at a time, so that all end together. A history belongs to
 * one thread and its seed alone: how many threads there are changes nothing about it.
 */
import { Worker } from 'node:worker_threads';
import { type Asked, add, type Batch, emptyBatch } from './batch.ts';
import type { AskedByName } from './thread.ts';

/** Seeds a thread is asked for at once: about half a second of work. */
const SEEDS_AT_ONCE = 20;
/** Most of what a history makes is garbage at once. */
const YOUNG_MB = 96;

export interface AskedOfThreads extends Asked {
  readonly threads: number;
  /** Asked before every few seeds: false when no more are wanted. */
  readonly more?: () => boolean;
}

/** @param thread where the compiled `thread.ts` is. */
export async function runOnThreads(thread: URL, asked: AskedOfThreads): Promise<Batch> {
  const { first, count, threads, more = () => true, mutant = null, keep = false } = asked;
  const sum = emptyBatch();
  const end = first + count;
  let next = first;
  const work = async () => {
    const worker = new Worker(thread, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    try {
      while (next < end && (keep || sum.failed === 0) && more()) {
        const seeds: AskedByName = {
          first: next,
          count: Math.min(SEEDS_AT_ONCE, end - next),
          mutant: mutant?.name ?? null,
          keep,
        };
        next += seeds.count;
        add(sum, await answerOf(worker, seeds));
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return sum;
}

function answerOf(worker: Worker, seeds: AskedByName): Promise<Batch> {
  return new Promise((resolve, reject) => {
    const gone = (code: number) => reject(new Error(`a thread ended with ${code}`));
    worker.once('error', reject);
    worker.once('exit', gone);
    worker.once('message', (batch: Batch) => {
      worker.off('error', reject);
      worker.off('exit', gone);
      resolve(batch);
    });
    worker.postMessage(seeds);
  });
}
