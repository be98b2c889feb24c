/** The settings of a call: its flags, its environment, baton.config.json in its working directory. */
import { join } from 'node:path';
import { OPTIONS, type Resolved, resolveSettings } from '../config.ts';
import type { Call, Flag } from './command.ts';
import { readConfigFile } from './config-file.ts';

export const CONFIG_FILE = 'baton.config.json';

/** Every option as a flag of `start`, `config` and `migrate`. */
export const SETTING_FLAGS: readonly Flag[] = OPTIONS.map((option) => ({
  name: option.flag,
  meaning: `${option.meaning}${option.env === null ? '' : ` (${option.env})`}`,
  ...(option.value === null ? {} : { value: option.value }),
  ...(option.key === 'demo' ? { negatable: true } : {}),
}));

/** @throws BatonError VALIDATION (exit code 2) naming every wrong option */
export function settingsOf(call: Pick<Call, 'flags' | 'env' | 'cwd'>): Resolved {
  return resolveSettings({
    flags: call.flags,
    env: call.env,
    file: readConfigFile(join(call.cwd, CONFIG_FILE)),
  });
}
