/** A node ends, or stands still beyond its TTL, at a named place in its code, under load. Each returns when it has healed. */
import type { Arena } from './world/arena.ts';
import type { NodeProcess, Seam } from './world/node-process.ts';

export type Action = 'kill' | 'stop';

/** Seams that a cluster under load comes to by itself. */
export const LOAD_SEAMS = [
  'before commit',
  'after commit before acknowledgement',
  'timer fired before commit',
] as const satisfies readonly Seam[];

/** An owner ends or stands still at the seam; another takes over; it comes back. */
export async function atSeam(arena: Arena, seam: (typeof LOAD_SEAMS)[number], action: Action): Promise<void> {
  const { place, company } = await arena.victim();
  const node = arena.cluster.nodes[place]!;
  await node.at(seam, action);
  const since = performance.now();
  if (action === 'kill') arena.cluster.lost(place);
  await arena.takenOver(company, place, since);
  await back(arena, place, node, action);
}

/**
 * A node has taken partitions over and ends or stands still before it has read anything of them: a third one goes on. Who
 * takes over is not ours to choose, so the third is held still until then.
 */
export async function afterTakeover(arena: Arena, action: Action): Promise<void> {
  const { cluster } = arena;
  const { place, company } = await arena.victim();
  const [second, third] = cluster.awake.filter((other) => other !== place);
  if (second === undefined || third === undefined) throw new Error('three nodes are needed');
  const successor = cluster.nodes[second]!;
  const reached = successor.at('after takeover before load', action);
  cluster.nodes[third]!.pause();
  await cluster.kill(place);
  await reached;
  const since = performance.now();
  if (action === 'kill') cluster.lost(second);
  cluster.nodes[third]!.resume();
  await arena.takenOver(company, second, since);
  await back(arena, second, successor, action);
  await cluster.start(place);
}

async function back(arena: Arena, place: number, node: NodeProcess, action: Action): Promise<void> {
  if (action === 'kill') await arena.cluster.start(place);
  else node.resume();
  await arena.healed(`after a node ${action === 'kill' ? 'ended' : 'stood still'} at a seam`);
}
