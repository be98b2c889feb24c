/** The name of a worker's key: whose process it is of, and whether that is gone. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { isOfGoneProcess, mayBeUsed, workerKeyName } from '../../src/cli/job/worker-key.ts';

const own = workerKeyName('baton work');
/** The name as another process of this machine would have it. */
const ofProcess = (pid: number) => own.replace(/process \d+/, `process ${pid}`);

describe('the key of a worker', () => {
  it('names its process, and fits what a name may be', () => {
    expect(own).toMatch(
      new RegExp(`^baton work on .+, process ${process.pid} \\([0-9a-f]{12}-[0-9a-f]{12}\\)$`),
    );
    expect(own.length).toBeLessThanOrEqual(100);
  });
  it('is in use while its process lives', () => {
    expect([isOfGoneProcess(own), mayBeUsed(own)]).toEqual([false, true]);
  });
  it('is left when its process is gone, or its id is somebody else’s by now', () => {
    const { pid } = spawnSync('true');
    expect([isOfGoneProcess(ofProcess(pid)), mayBeUsed(ofProcess(pid))]).toEqual([true, false]);
    expect(isOfGoneProcess(ofProcess(1))).toBe(true);
  });
  it('of another machine, of another start of this one, or with another name is nobody’s to judge', () => {
    const elsewhere = own
      .replace(/\([0-9a-f]{12}/, '(0123456789ab')
      .replace(/process \d+/, 'process 999999999');
    expect([isOfGoneProcess(elsewhere), mayBeUsed(elsewhere)]).toEqual([false, true]);
    for (const name of ['baton work on here', 'my key, process 1', '']) {
      expect([isOfGoneProcess(name), mayBeUsed(name)]).toEqual([false, false]);
    }
  });
});
