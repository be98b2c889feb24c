/** baton.config.json in the working directory. */
import { readFileSync } from 'node:fs';
import { BatonError } from '../errors.ts';

/**
 * Reads `path`; null where there is no such file.
 * @throws BatonError VALIDATION when it is there and is not JSON
 */
export function readConfigFile(path: string): unknown {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new BatonError(
      'VALIDATION',
      `${path} cannot be read (${(error as Error).message}): correct its permissions or remove it.`,
    );
  }
  try {
    // A file that says `null` is there all the same, and is no object.
    return JSON.parse(content) ?? [];
  } catch (error) {
    throw new BatonError(
      'VALIDATION',
      `${path} is not JSON (${(error as Error).message}): correct it or remove it.`,
    );
  }
}
