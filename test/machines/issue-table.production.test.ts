/**
 * The same table against XState's production build, which is what plain Node loads; vitest may load the development
 * build.
 */
import { expect, it, vi } from 'vitest';
import { tableSuite } from './table.ts';

vi.mock('xstate', () => import('../../node_modules/xstate/dist/xstate.esm.js' as string));

it('is the production build', async () => {
  const { assign } = await import('xstate');
  const production = await import('../../node_modules/xstate/dist/xstate.esm.js' as string);
  expect(assign).toBe(production.assign);
});

tableSuite('production build');
