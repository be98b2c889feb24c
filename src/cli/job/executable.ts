/** Whether a command is there to be run, found as the operating system finds it. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** @param file a path, from `cwd`, where it has a slash; else a name that is looked for in the directories of `path` */
export function isRunnable(file: string, cwd: string, path = ''): boolean {
  const candidates = file.includes('/')
    ? [resolve(cwd, file)]
    : path.split(delimiter).map((directory) => join(directory, file));
  return candidates.some(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
