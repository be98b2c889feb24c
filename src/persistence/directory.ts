/** Making a directory and those above it. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * As `mkdir` with `recursive`, which Node 20 repeats for ever where a file system answers ENOENT though the directory
 * above is there (`/proc/x`).
 * @throws the file system's error
 */
export async function makeDirectory(path: string): Promise<void> {
  const whole = resolve(path);
  try {
    await mkdir(whole);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (await isDirectory(whole)) return;
    const above = dirname(whole);
    if (code !== 'ENOENT' || above === whole || (await isDirectory(above))) throw error;
    await makeDirectory(above);
    await makeDirectory(whole);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
