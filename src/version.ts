/** The version of this package, as `baton --version`, the welcome frame and the OpenAPI document show it. */
import { readFileSync } from 'node:fs';

export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
