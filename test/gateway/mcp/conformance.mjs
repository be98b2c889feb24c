/**
 * Runs the official conformance suite with the arguments given. It is built for Node 22: of `node:fs` it names `globSync`,
 * which Node 20 has not and which none of its server scenarios calls. Nothing else of it is touched.
 */
import * as fs from 'node:fs';
import { register } from 'node:module';

const HOOKS = `
export async function resolve(name, context, next) {
  const isSuite = context.parentURL?.includes('/@modelcontextprotocol/conformance/') ?? false;
  return isSuite && name === 'fs' ? { url: 'baton:fs', shortCircuit: true } : next(name, context);
}
export async function load(url, context, next) {
  if (url !== 'baton:fs') return next(url, context);
  const source =
    "export * from 'node:fs'; export { default } from 'node:fs';" +
    "export function globSync() { throw new Error('this Node has no fs.globSync'); }";
  return { format: 'module', source, shortCircuit: true };
}
`;

if (!('globSync' in fs)) register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
await import(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'));
