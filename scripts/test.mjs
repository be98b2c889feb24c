/**
 * `npm test`: runs vitest, then closes with one plain line counted from vitest's own report, for people and for CI:
 * `tests: 412 passed, 0 failed, 0 skipped`. Its arguments go to vitest; its exit code is vitest's. A test file that
 * could not be loaded, and an error outside any test, count as one failure each, so that the line never says less than the
 * exit code does.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'baton-test-'));
const report = join(folder, 'report.json');

const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const child = spawn(process.execPath, [vitest, ...args, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));

child.on('close', (code) => {
  const exit = code ?? 1;
  console.log(closingLine(readReport(), exit));
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = exit;
});

function readReport() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return null;
  }
}

function closingLine(run, exit) {
  if (run === null)
    return `tests: 0 passed, 1 failed, 0 skipped (vitest ended with ${exit} and wrote no report)`;
  const skipped = run.numPendingTests + run.numTodoTests;
  const notLoaded = run.testResults.filter(
    (f) => f.status === 'failed' && f.assertionResults.length === 0,
  ).length;
  const counted = run.numFailedTests + notLoaded;
  const failed = exit !== 0 && counted === 0 ? 1 : counted;
  return `tests: ${run.numPassedTests} passed, ${failed} failed, ${skipped} skipped`;
}
